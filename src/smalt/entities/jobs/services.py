"""Interactive services beside a job, such as Jupyter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.entities.schema.effects import NONE
from smalt.entities.schema.entity import Entity, constant, from_service, mapping, optional
from smalt.entities.schema.keyed import Keyed
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.shapes import Anything, Integer, Map, Text


class JobService(Keyed, Entity):
    noun = "a service of a job"
    _effect = NONE

    type = optional(Text(), "ssh, jupyter_lab, tensor_board, vs_code, or a service's own.")
    port = optional(Integer(), "The port.")
    nodes = optional(Text(), "The nodes that it runs on, such as `all`.")
    properties = mapping(Map(Anything()), "Settings of the service.")
    log_dir = optional(Text(), "The folder of TensorBoard's logs.")
    ssh_public_keys = optional(Text(), "The settings of SSH access.")
    endpoint = from_service(Text(), "Its address.")
    status = from_service(Text(), "Its state.")
    error_message = from_service(Text(), "Why it does not run.")

    @classmethod
    def _resolve_class(cls, data: Mapping[str, Any]) -> Any:
        named = {one.__dict__["type"].default: one for one in cls.__subclasses__()} if cls is JobService else {}
        return named.get(str(data.get("type")).lower(), cls)


class SshJobService(JobService):
    type = constant("ssh", "The type of service.")


class TensorBoardJobService(JobService):
    type = constant("tensor_board", "The type of service.")


class VsCodeJobService(JobService):
    type = constant("vs_code", "The type of service.")


class JupyterLabJobService(JobService):
    type = constant("jupyter_lab", "The type of service.")


SERVICES = Map(Nested(JobService))
