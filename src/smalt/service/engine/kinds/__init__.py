"""One module per type of job, and the registry by which the engine finds them: nothing outside of here names a type.

A leaf kind (`command`) becomes one step on a compute; a composite kind (`pipeline`) makes child jobs and nothing else.
What is the same for all types (queues, retries, reuse, registration of outputs) does not belong here.
"""

from smalt.service.engine.kinds.leaf import GRACE, Leaf
from smalt.service.engine.kinds.protocol import (
    NO_CHANGES,
    Changes,
    ChildEnd,
    CompositeKind,
    CompositeView,
    Deadline,
    Error,
    Kind,
    LeafKind,
    NewChild,
    Outcome,
    Plan,
    cancel_dependents,
    find_children_outcome,
)
from smalt.service.engine.kinds.registry import (
    add_kind,
    expand_body,
    find_composite,
    find_kind,
    is_composite,
    lay_out_copy,
    list_types,
    read_leaf,
    remove_kind,
)
from smalt.service.engine.outcome import make_error

__all__ = [
    "GRACE",
    "NO_CHANGES",
    "Changes",
    "ChildEnd",
    "CompositeKind",
    "CompositeView",
    "Deadline",
    "Error",
    "Kind",
    "Leaf",
    "LeafKind",
    "NewChild",
    "Outcome",
    "Plan",
    "add_kind",
    "cancel_dependents",
    "expand_body",
    "find_children_outcome",
    "find_composite",
    "find_kind",
    "is_composite",
    "lay_out_copy",
    "list_types",
    "make_error",
    "read_leaf",
    "remove_kind",
]
