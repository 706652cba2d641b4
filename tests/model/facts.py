"""Trees, versions and expectations: the nouns of the oracle.

A tree is a dictionary of relative names and bytes; a single file is a tree whose only name is ''.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

Tree = dict[str, bytes]
Document = dict[str, Any]

COMPLETED = frozenset({"Completed"})
FAILED = frozenset({"Failed"})
UNSURE = frozenset({"Completed", "Failed", "Canceled", "absent"})
"""States of a step that may run or not, such as one beside a step that fails."""
REFUSED = frozenset({"Refused"})
ANYTHING = UNSURE | REFUSED


class Refusal(Exception):
    """The document must be refused."""


class Unknown(Exception):
    """The oracle has nothing to say, such as of what a failed job left."""


class Place:
    """Where an output lies; several writers may share one."""

    def __init__(self, tree: Tree | None = None, fixed: str = "") -> None:
        self.tree: Tree = {} if tree is None else tree
        self.fixed = fixed
        """The path, where one was given."""


class Asset(NamedTuple):
    """A version, or one that is to be made where `version` is None."""

    noun: str
    """`data` or `models`."""
    name: str
    version: str | None


@dataclass
class Data:
    """Content that an input leads to; of an MLTable also what it names."""

    tree: Tree
    table: Tree | None = None
    is_local: Tree | None = None
    """What is on this machine of both, of a local path."""
    made: bool = False
    """A step of the same job makes it."""


@dataclass
class Leaf:
    states: frozenset[str]
    outputs: dict[str, Place] = field(default_factory=dict)
    assets: dict[str, Asset] = field(default_factory=dict)
    """By output: the name and version under which it must be registered."""
    artifact: bytes | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    definition: dict[str, str] = field(default_factory=dict)
    """The command, code, variable and literals of the step."""
    reads: dict[str, Data] = field(default_factory=dict)
    """The data of the step by input."""


@dataclass
class Expected:
    states: frozenset[str]
    leaves: dict[str, Leaf] = field(default_factory=dict)
    nodes: dict[str, dict[str, Place]] = field(default_factory=dict)
    """By path of a step, those that are pipelines among them: its outputs."""
    outputs: dict[str, Place] = field(default_factory=dict)
    document: Any = None
    why: str = ""
    """Why it must be refused."""
    documents: dict[str, Document] = field(default_factory=dict)
    code: dict[str, bytes] = field(default_factory=dict)
    """The files of components and code as they were when the job was submitted."""
    pins: dict[str, str] = field(default_factory=dict)
    """By reference with a label or without version: the version that it meant."""
    store: dict[str, Place] = field(default_factory=dict)
    """By fixed path: what lies there afterwards."""
    local: dict[str, Tree | None] = field(default_factory=dict)
    """By local path of an input: what is there."""
    has_versions: bool = False
    """It was exported, and names the versions that its labels meant."""
    is_exported: bool = False

    def is_whole(self) -> bool:
        """Return whether the document is known, and not only one step of it ran."""
        return self.document is not None and self.document[1] is None

    def is_known(self, place: Place) -> bool:
        """Return whether all that several steps write there is there for certain; of one step its state tells."""
        writers = [leaf for leaf in self.leaves.values() if place in leaf.outputs.values()]
        return len(writers) < 2 or all(leaf.states == COMPLETED for leaf in writers)

    def is_alone(self, leaf: Leaf) -> bool:
        """Return whether no other step writes to an output of this one."""
        others = [place for one in self.leaves.values() if one is not leaf for place in one.outputs.values()]
        return not any(place in others for place in leaf.outputs.values())

    def definitions(self) -> dict[str, dict[str, str]]:
        return {path: leaf.definition for path, leaf in self.leaves.items()}

    def trees(self) -> dict[str, dict[str, Tree]]:
        return {path: {name: place.tree for name, place in leaf.outputs.items()} for path, leaf in self.leaves.items()}


def noun_of(type: str) -> str:
    """Return the noun under which content of a type is registered."""
    return "models" if type.endswith("_model") else "data"
