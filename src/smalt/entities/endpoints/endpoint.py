"""Endpoints, online and batch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.assets.asset import Resource
from smalt.entities.schema.effects import KEPT
from smalt.entities.schema.entity import Entity, dump_to_dict, from_service, mapping, optional, required
from smalt.entities.schema.keyed import Mapped
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.problems import Path, format_value
from smalt.entities.schema.shapes import Enum, Integer, Map, Text
from smalt.entities.workspaces.resource_identity import ResourceIdentity

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader


class Endpoint(Resource):
    noun = "an endpoint"
    _effect = KEPT

    name = required(Text(), "The name.")
    auth_mode = optional(Enum("key", "aml_token", "aad_token"), "The way in which callers authenticate.")
    location = optional(Text(), "The region.")
    identity = optional(Nested(ResourceIdentity), "The identity that it acts as.")
    scoring_uri = from_service(Text(), "The route of requests.")
    openapi_uri = from_service(Text(), "The URL of its API's description.")
    provisioning_state = from_service(Text(), "The state.")

    dump = dump_to_dict  # type: ignore[assignment]

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        name = self.__dict__.get("name", "a")
        if not re.fullmatch("[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?", name):
            words = "an endpoint's name has letters, digits and '-', begins with a letter and does not end with '-'"
            reader.add_problem((*path, "name"), f"{words}, unlike {format_value(name)}")


class EndpointDefaults(Entity):
    noun = "defaults of an endpoint"
    _effect = KEPT

    deployment_name = optional(Text(), "The deployment that answers where none is named.")


class BatchEndpoint(Endpoint):
    noun = "a batch endpoint"

    defaults = optional(Nested(EndpointDefaults), "The defaults of requests.")

    @property
    def default_deployment_name(self) -> str | None:
        """Return the name of the deployment that answers requests naming none."""
        return self.defaults.deployment_name if isinstance(self.defaults, EndpointDefaults) else None

    @default_deployment_name.setter
    def default_deployment_name(self, name: str | None) -> None:
        if name is not None:
            self.defaults = EndpointDefaults(deployment_name=name)


class OnlineEndpoint(Endpoint):
    """An online endpoint: managed, or on Kubernetes if it has a `compute`."""

    noun = "an online endpoint"

    kind = from_service(Text(), "Managed or Kubernetes.")
    compute = optional(Text(), "The Kubernetes cluster.")
    traffic = mapping(Map(Integer(0, 100)), "Percent of the requests, by deployment.")
    mirror_traffic = mapping(Map(Integer(0, 100)), "Percent of the requests that are copied, by deployment.")
    public_network_access = optional(Enum("enabled", "disabled"), "Whether it is open to the network.")

    @classmethod
    def _resolve_class(cls, data: Mapping[str, Any]) -> Any:
        if cls is not OnlineEndpoint:
            return cls
        return KubernetesOnlineEndpoint if data.get("compute") else ManagedOnlineEndpoint


class ManagedOnlineEndpoint(OnlineEndpoint):
    noun = "a managed online endpoint"


class KubernetesOnlineEndpoint(OnlineEndpoint):
    noun = "a Kubernetes online endpoint"


class ServerlessEndpoint(Mapped, Resource):
    noun = "a serverless endpoint"
    _effect = KEPT

    model_id = optional(Text(), "The model that answers.")
    auth_mode = optional(Text(), "The way in which callers authenticate.")
    location = optional(Text(), "The region.")
    scoring_uri = from_service(Text(), "The route of requests.")
    provisioning_state = from_service(Text(), "The state.")


class MarketplaceSubscription(Mapped, Resource):
    noun = "a marketplace subscription"
    _effect = KEPT

    model_id = optional(Text(), "The model.")
    marketplace_plan = from_service(Text(), "The plan.")
    status = from_service(Text(), "The state.")
    provisioning_state = from_service(Text(), "The state of making it.")


class MarketplacePlan(Mapped, Entity):
    noun = "a marketplace plan"
    _effect = KEPT

    publisher_id = from_service(Text(), "The publisher.")
    offer_id = from_service(Text(), "The offer.")
    plan_id = from_service(Text(), "The plan.")
    term_id = from_service(Text(), "The terms.")
