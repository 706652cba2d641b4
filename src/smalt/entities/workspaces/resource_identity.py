"""Identities of computes, workspaces, endpoints and registries."""

from __future__ import annotations

from smalt.entities.schema.effects import KEPT
from smalt.entities.schema.entity import Entity, from_service, optional, required
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.shapes import Enum, List, Text


class UserAssignedIdentity(Entity):
    noun = "a user-assigned identity"
    _effect = KEPT

    resource_id = required(Text(), "The ARM id of the identity.")
    client_id = from_service(Text(), "Its client id.")
    principal_id = from_service(Text(), "Its principal.")
    tenant_id = from_service(Text(), "Its tenant.")


class ResourceIdentity(Entity):
    noun = "an identity"
    _effect = KEPT

    type = optional(
        Enum("system_assigned", "user_assigned", "none", "system_assigned,user_assigned"),
        "The provider of the identity.",
    )
    user_assigned_identities = optional(List(Nested(UserAssignedIdentity)), "The identities that the user gives.")
    principal_id = from_service(Text(), "Its principal.")
    tenant_id = from_service(Text(), "Its tenant.")
