"""The kinds that this smalt knows, by the type of their jobs. A kind's module is loaded when it is first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any, cast

from smalt.exceptions import RefusedError
from smalt.service.engine.context import EngineContext
from smalt.service.engine.kinds.leaf import Leaf
from smalt.service.engine.kinds.protocol import CompositeKind, Kind, LeafKind
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.wire.encoding.casing import fold_case

_MODULES = {
    "command": "command",
    "pipeline": "pipeline",
    "if_else": "control_flow.if_else",
    "do_while": "control_flow.do_while",
    "parallel_for": "control_flow.parallel_for",
    "sweep": "sweep",
    "automl": "automl",
    "spark": "spark",
    "parallel": "parallel",
    "data_transfer": "data_transfer",
}
"""Each has its kind as `KIND`."""

_known: dict[str, Kind] = {}


def find_kind(type: str) -> Kind | None:
    """Return the kind of a type of job; None if this smalt does not run such jobs."""
    if type not in _known and type in _MODULES:
        _known[type] = import_module(f"{__package__}.{_MODULES[type]}").KIND
    return _known.get(type)


def find_composite(type: str) -> CompositeKind:
    """Return the kind of a composite job that is in the records."""
    return cast("CompositeKind", find_kind(type))


def read_leaf(context: EngineContext, job: Job, entity: Any = None) -> Leaf:
    """Return a job that is a step, as its kind reads it from the records; `entity` is its body, if it is at hand."""
    leaf: Leaf = cast("LeafKind", find_kind(job.type)).read_leaf(context, job, context.workspace(job), entity)
    return leaf


def is_composite(type: str) -> bool:
    kind = find_kind(type)
    return kind is not None and kind.is_composite


def list_types() -> list[str]:
    """Return the types of all kinds."""
    return list(dict.fromkeys((*_MODULES, *_known)))


def expand_body(context: EngineContext, workspace: Workspace, body: dict[str, Any]) -> dict[str, Any]:
    """Return the submitted REST properties of a job, of whatever type, as its kind expands them."""
    kind = find_kind(fold_case(str(body.get("jobType"))))
    return body if kind is None else kind.expand_body(context, workspace, body)


async def lay_out_copy(context: EngineContext, job: Job) -> dict[str, Any]:
    """Make a copy of the job's step for a person to look into; raise Refused if the job is not a step."""
    kind = find_kind(job.type)
    if kind is None:
        raise RefusedError(f"job '{job.name}' is a {job.type}, which did not run, so there is no step to look into")
    return await kind.lay_out_copy(context, job)


def add_kind(kind: Kind) -> None:
    """Make a kind known."""
    _known[kind.type] = kind


def remove_kind(type: str) -> None:
    """Forget a kind that was added."""
    _known.pop(type, None)
