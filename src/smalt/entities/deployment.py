"""What all deployments share."""

from __future__ import annotations

from smalt.entities.asset import Resource
from smalt.entities.command import VARIABLES
from smalt.entities.entity import Entity, from_service, mapping, optional, required
from smalt.entities.environment import ENVIRONMENT, LocalOrRemote
from smalt.entities.model import Model
from smalt.entities.nested import Named, Nested
from smalt.entities.shapes import Text


class CodeConfiguration(Entity):
    noun = "a code configuration"

    code = optional(LocalOrRemote(must_exist=False), "The folder with the scoring script.")
    scoring_script = optional(Text(), "The script with `init` and `run`.")


MODEL = Named[Model]("model", bare_paths=False) | Nested(Model)


class Deployment(Resource):
    noun = "a deployment"

    name = required(Text(), "The name.")
    endpoint_name = optional(Text(), "The endpoint that it belongs to.")
    model = optional(MODEL, "The model that answers.")
    code_configuration = optional(Nested(CodeConfiguration), "The code that asks the model.")
    environment = optional(ENVIRONMENT, "What it runs in.")
    environment_variables = mapping(VARIABLES, "Environment variables.")
    provisioning_state = from_service(Text(), "The state.")
