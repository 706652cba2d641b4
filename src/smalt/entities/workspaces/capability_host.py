"""Capability hosts: the stores that the agents of a workspace use."""

from __future__ import annotations

from smalt.entities.assets.asset import Resource
from smalt.entities.schema.entity import optional
from smalt.entities.schema.shapes import Anything, List, Text


class CapabilityHost(Resource):
    noun = "a capability host"

    vector_store_connections = optional(List(Text()), "Vector store connections.")
    ai_services_connections = optional(List(Text()), "Ai services connections.")
    storage_connections = optional(List(Text()), "Storage connections.")
    thread_storage_connections = optional(List(Text()), "Thread storage connections.")
    capability_host_kind = optional(Anything(), "Capability host kind.")
