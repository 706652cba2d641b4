"""Deployment templates, and references to assets of a workspace."""

from __future__ import annotations

from smalt.entities.assets.asset import Asset, Resource
from smalt.entities.schema.effects import KEPT
from smalt.entities.schema.entity import Entity, dump_to_dict, mapping, optional, required
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.shapes import Anything, Boolean, Integer, List, Map, Text


class DeploymentTemplateReference(Entity):
    noun = "a reference to a deployment template"
    _effect = KEPT

    asset_id = optional(Text(), "The full id of the template.")


class AcceleratorMap(Entity):
    noun = "the accelerators of a model"

    accelerator_type = required(Text(), "Accelerator type.")
    number_of_accelerators_per_model_instance = required(Integer(), "Number of accelerators per model instance.")
    default = optional(Boolean(), "Default.")


class DeploymentTemplate(Resource):
    noun = "a deployment template"

    name = required(Text(), "Name.")
    version = required(Text(), "Version.")
    display_name = optional(Text(), "Display name.")
    environment = optional(Anything(), "Environment.")
    request_settings = optional(Anything(), "Request settings.")
    liveness_probe = optional(Anything(), "Liveness probe.")
    readiness_probe = optional(Anything(), "Readiness probe.")
    instance_count = optional(Integer(), "Instance count.")
    instance_type = optional(Text(), "Instance type.")
    model = optional(Text(), "Model.")
    code_configuration = mapping(Map(Anything()), "Code configuration.")
    environment_variables = mapping(Map(Anything()), "Environment variables.")
    app_insights_enabled = optional(Boolean(), "App insights enabled.")
    allowed_instance_types = optional(List(Text()), "Allowed instance types.")
    default_instance_type = optional(Text(), "Default instance type.")
    scoring_port = optional(Integer(), "Scoring port.")
    scoring_path = optional(Text(), "Scoring path.")
    model_mount_path = optional(Text(), "Model mount path.")
    type = optional(Text(), "Type.")
    deployment_template_type = optional(Text(), "Deployment template type.")
    stage = optional(Text(), "Stage.")
    accelerator_maps = optional(List(Nested(AcceleratorMap)), "Accelerator maps.")

    dump = dump_to_dict  # type: ignore[assignment]


class WorkspaceModelReference(Asset):
    noun = "a reference to a model of a workspace"

    asset_id = optional(Text(), "Asset id.")
