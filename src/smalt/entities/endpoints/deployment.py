"""Deployments: the fields that online and batch deployments share."""

from __future__ import annotations

from smalt.entities.assets.asset import Resource
from smalt.entities.assets.environment import ENVIRONMENT, LocalOrRemote
from smalt.entities.assets.model import Model
from smalt.entities.jobs.command import VARIABLES
from smalt.entities.schema.effects import KEPT
from smalt.entities.schema.entity import Entity, from_service, mapping, optional, required
from smalt.entities.schema.keyed import Keyed
from smalt.entities.schema.nested import Named, Nested
from smalt.entities.schema.shapes import Text
from smalt.entities.schema.travel import Travel


class CodeConfiguration(Keyed, Entity):
    noun = "a code configuration"
    _effect = KEPT

    code = optional(LocalOrRemote(must_exist=False), "The folder with the scoring script.")
    scoring_script = optional(Text(), "The script with `init` and `run`.")


MODEL = Named[Model]("model", bare_paths=False) | Nested(Model)


class Deployment(Resource):
    noun = "a deployment"
    _effect = KEPT

    name = required(Text(), "The name.")
    endpoint_name = optional(Text(), "The endpoint that it belongs to.", travels=Travel.CLIENT)
    model = optional(MODEL, "The model that answers.")
    code_configuration = optional(Nested(CodeConfiguration), "The code that asks the model.")
    environment = optional(ENVIRONMENT, "The environment that it runs in.")
    environment_variables = mapping(VARIABLES, "Environment variables.")
    provisioning_state = from_service(Text(), "The state.")

    @property
    def code_path(self) -> str | None:
        """Return the folder with the scoring script, `code_configuration.code`."""
        return self.code_configuration.code if self.code_configuration is not None else None

    @code_path.setter
    def code_path(self, path: str | None) -> None:
        self._set_code_setting("code", path)

    @property
    def scoring_script(self) -> str | None:
        """Return the script with `init` and `run`, `code_configuration.scoring_script`."""
        return self.code_configuration.scoring_script if self.code_configuration is not None else None

    @scoring_script.setter
    def scoring_script(self, script: str | None) -> None:
        self._set_code_setting("scoring_script", script)

    def _set_code_setting(self, key: str, value: str | None) -> None:
        if value is not None:
            given = vars(self.code_configuration) if self.code_configuration is not None else {}
            self.code_configuration = CodeConfiguration(**{**given, key: value})
