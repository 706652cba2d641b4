"""Identities that jobs run as."""

from __future__ import annotations

from typing import Any

from smalt.entities.schema.effects import ACTED, NONE
from smalt.entities.schema.entity import Entity, constant, from_service, optional
from smalt.entities.schema.keyed import Keyed
from smalt.entities.schema.nested import TaggedNoun
from smalt.entities.schema.shapes import Enum, Text


class Identity(Keyed, Entity):
    noun = "an identity"
    _effect = NONE


class ManagedIdentity(Identity):
    noun = "a managed identity"

    type = optional(Enum("managed", "managed_identity"), "The type.")
    client_id = optional(Text(), "The client id.")
    object_id = optional(Text(), "The object id.")
    msi_resource_id = optional(Text(), "The ARM id.")
    principal_id = from_service(Text(), "Its principal.")

    def __init__(self, *arguments: Any, **values: Any) -> None:
        super().__init__(*arguments, **values)
        vars(self).setdefault("type", "managed_identity")

    @property
    def resource_id(self) -> str | None:
        """Return the ARM id, under its name in the official SDK."""
        return self.msi_resource_id

    @resource_id.setter
    def resource_id(self, value: str | None) -> None:
        self.msi_resource_id = value


class UserIdentity(Identity):
    noun = "a user identity"
    _effect = ACTED

    type = constant("user_identity", "The type.")


class AmlToken(Identity):
    noun = "an AML token identity"

    type = constant("aml_token", "The type.")


IDENTITY = TaggedNoun(
    Identity,
    "type",
    {
        "managed": "jobs.identity:ManagedIdentity",
        "managed_identity": "jobs.identity:ManagedIdentity",
        "user_identity": "jobs.identity:UserIdentity",
        "aml_token": "jobs.identity:AmlToken",
    },
)
