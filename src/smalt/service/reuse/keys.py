"""Reuse keys: the named parts of a step that tell it from another. Only content counts: no time, no owner, and no
path except that of an output that was given one.

docs/internals/reuse.md says what each part holds and why.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from smalt.entities import CommandJob, Input
from smalt.entities.syntax.literals import to_text
from smalt.service.data import Location
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace

Parts = dict[str, Any]


class DataInput(NamedTuple):
    """An input that is a file or folder."""

    uri: str
    type: str


@dataclass
class ReuseCandidate:
    """A step about to start, with all of its key that is known before its inputs are there."""

    job: Job
    workspace: Workspace
    parts: Parts
    inputs: dict[str, DataInput]
    given: dict[str, DataInput]
    """The outputs written to a given path: the step may read what it finds there."""
    refusal: str | None = None
    """The reason why it must run, whatever ran before; "never: …" if no later step can reuse it either."""
    places: Mapping[str, Location] = field(default_factory=dict)
    """The locations of its inputs, once they were resolved for the step."""
    host: Callable[[], float] | None = None
    """A function that returns when the host's packages were last examined, if they are its environment."""
    noted: dict[str, Any] = field(default_factory=dict)
    """Facts about its fetched inputs: see `records.reuse.ReuseStep.contents`."""
    text: str = field(init=False)
    partial: str = field(init=False)

    def __post_init__(self) -> None:
        self.text = json.dumps(self.parts, sort_keys=True)
        self.partial = hash_text(self.text)


def make_parts(
    entity: CommandJob,
    code: str | None,
    environment: str,
    resources: Mapping[str, Any],
    outputs: Mapping[str, Mapping[str, str]],
) -> tuple[Parts, dict[str, DataInput]]:
    """Return the parts without contents, and the inputs whose contents belong to them.

    `environment` is the realised hash, `outputs` what counts of the place of each output.
    """
    parts: Parts = {
        "command": entity.command, "code": code, "environment": environment, "resources": dict(resources),
    }  # fmt: skip
    if entity.environment_variables:
        parts["environment_variables"] = {name: to_text(value) for name, value in entity.environment_variables.items()}
    data = {}
    for name, value in entity.inputs.items():
        if isinstance(value, Input):
            type = value.type or "uri_folder"
            parts[f"inputs.{name}"] = {"type": type, "mode": value.mode or "ro_mount"}
            data[name] = DataInput(value.path or "", type)
        elif value is not None:
            parts[f"inputs.{name}"] = {"value": to_text(value)}
    for name, output in entity.outputs.items():
        said = {"type": output.type or "uri_folder", "mode": output.mode or "rw_mount"}
        parts[f"outputs.{name}"] = {**said, **outputs.get(name, {})}
    return parts, data


def add_contents(parts: Parts, contents: Mapping[str, str], found: Mapping[str, str]) -> Parts:
    """Return the parts with the contents of the inputs, and of what was found at the given paths of outputs."""
    return {
        **parts,
        **{f"inputs.{name}": {**parts[f"inputs.{name}"], "content": content} for name, content in contents.items()},
        **{f"outputs.{name}": {**parts[f"outputs.{name}"], "found there": content} for name, content in found.items()},
    }


def make_key(parts: Parts) -> str:
    return hash_text(json.dumps(parts, sort_keys=True))


def list_part_hashes(parts: Parts) -> Iterator[tuple[str, str]]:
    """Yield (part, hash of its value) of the parts that tell one step from another."""
    for part, content in parts.items():
        if content not in (None, {}) and not (part == "resources" and content == {"instances": 1}):
            yield part, hash_text(json.dumps(content, sort_keys=True))


def hash_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:40]
