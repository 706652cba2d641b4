"""The nouns a user writes: one module per noun; plain data, no I/O.

Classes are loaded when they are first asked for, so that importing this costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from smalt.entities.problems import Problem

if TYPE_CHECKING:
    from smalt.entities.asset import Asset as Asset
    from smalt.entities.asset import Resource as Resource
    from smalt.entities.command_component import CommandComponent as CommandComponent
    from smalt.entities.command_job import CommandJob as CommandJob
    from smalt.entities.component import Component as Component
    from smalt.entities.compute import AmlCompute as AmlCompute
    from smalt.entities.compute import Compute as Compute
    from smalt.entities.compute import ComputeInstance as ComputeInstance
    from smalt.entities.compute import KubernetesCompute as KubernetesCompute
    from smalt.entities.compute import VirtualMachineCompute as VirtualMachineCompute
    from smalt.entities.data import Data as Data
    from smalt.entities.datastore import Datastore as Datastore
    from smalt.entities.entity import Entity as Entity
    from smalt.entities.environment import BuildContext as BuildContext
    from smalt.entities.environment import Environment as Environment
    from smalt.entities.inputs import Input as Input
    from smalt.entities.inputs import Output as Output
    from smalt.entities.job import Job as Job
    from smalt.entities.model import Model as Model
    from smalt.entities.nodes import CommandNode as CommandNode
    from smalt.entities.nodes import Node as Node
    from smalt.entities.nodes import PipelineNode as PipelineNode
    from smalt.entities.pipeline_component import PipelineComponent as PipelineComponent
    from smalt.entities.pipeline_job import PipelineJob as PipelineJob
    from smalt.entities.pipeline_job import PipelineJobSettings as PipelineJobSettings
    from smalt.entities.reading import read as read
    from smalt.entities.resources import JobResourceConfiguration as JobResourceConfiguration
    from smalt.entities.workspace import Workspace as Workspace

_MODULES = {
    "asset": "Asset Resource",
    "command_component": "CommandComponent",
    "command_job": "CommandJob",
    "component": "Component",
    "compute": "AmlCompute Compute ComputeInstance KubernetesCompute VirtualMachineCompute",
    "data": "Data",
    "datastore": "Datastore",
    "entity": "Entity",
    "environment": "BuildContext Environment",
    "inputs": "Input Output",
    "job": "Job",
    "model": "Model",
    "nodes": "CommandNode Node PipelineNode",
    "pipeline_component": "PipelineComponent",
    "pipeline_job": "PipelineJob PipelineJobSettings",
    "reading": "read",
    "resources": "JobResourceConfiguration",
    "workspace": "Workspace",
}
_WHERE = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = ["Problem", *_WHERE]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    module = _WHERE.get(name)
    if module is None:
        raise AttributeError(f"module 'smalt.entities' has no attribute '{name}'")
    value = globals()[name] = getattr(import_module(f"smalt.entities.{module}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
