"""Models."""

from __future__ import annotations

from smalt.entities.assets.asset import Asset
from smalt.entities.assets.deployment_template import DeploymentTemplateReference
from smalt.entities.jobs.inputs import DataPath
from smalt.entities.schema.effects import ACTED, KEPT
from smalt.entities.schema.entity import from_service, mapping, optional
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.shapes import Anything, Enum, List, Map, Text
from smalt.entities.schema.travel import Travel


class Model(Asset):
    noun = "a model"
    _effect = KEPT

    type = optional(
        Enum("custom_model", "mlflow_model", "triton_model"), "The type; custom_model where unset.", effect=ACTED
    )
    path = optional(DataPath(), "Where it is: a local path, a URI or a job's output.", effect=ACTED)
    flavors = mapping(Map(Anything()), "The MLflow flavors that it can be loaded as.")
    datastore = optional(
        Text(), "The datastore that a local model is uploaded to.", effect=ACTED, travels=Travel.CLIENT
    )
    job_name = optional(Text(), "The job that made it.", effect=KEPT)
    utc_time_created = from_service(Anything(), "The time of creation.")
    default_deployment_template = optional(
        Nested(DeploymentTemplateReference), "The template that it is deployed by.", effect=KEPT
    )
    allowed_deployment_templates = optional(
        List(Nested(DeploymentTemplateReference)), "The templates that it may be deployed by.", effect=KEPT
    )
