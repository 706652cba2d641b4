"""Capability hosts: what agents of a workspace keep their things in."""

from __future__ import annotations

from smalt.entities.asset import Resource
from smalt.entities.entity import optional
from smalt.entities.shapes import Anything, List, Text


class CapabilityHost(Resource):
    noun = "a capability host"

    vector_store_connections = optional(List(Text()), "Vector store connections.")
    ai_services_connections = optional(List(Text()), "Ai services connections.")
    storage_connections = optional(List(Text()), "Storage connections.")
    thread_storage_connections = optional(List(Text()), "Thread storage connections.")
    capability_host_kind = optional(Anything(), "Capability host kind.")
