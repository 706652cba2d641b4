"""As whom a job runs."""

from __future__ import annotations

from smalt.entities.entity import Entity, constant, optional
from smalt.entities.nested import Tagged
from smalt.entities.shapes import Enum, Text


class Identity(Entity):
    noun = "an identity"


class ManagedIdentity(Identity):
    noun = "a managed identity"

    type = optional(Enum("managed", "managed_identity"), "The type.")
    client_id = optional(Text(), "The client id.")
    object_id = optional(Text(), "The object id.")
    msi_resource_id = optional(Text(), "The ARM id.")


class UserIdentity(Identity):
    noun = "a user identity"

    type = constant("user_identity", "The type.")


class AmlToken(Identity):
    noun = "an AML token identity"

    type = constant("aml_token", "The type.")


IDENTITY = Tagged(
    Identity,
    "type",
    {
        "managed": "identity:ManagedIdentity",
        "managed_identity": "identity:ManagedIdentity",
        "user_identity": "identity:UserIdentity",
        "aml_token": "identity:AmlToken",
    },
)
