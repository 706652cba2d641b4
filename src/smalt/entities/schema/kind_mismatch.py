"""Detection of documents of another kind than expected, such as a component where a job is meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from smalt.entities.schema.documents import read_document
from smalt.entities.schema.kinds import read_schema_word
from smalt.entities.schema.problems import Problem, add_article
from smalt.entities.schema.reader import Reader

_USES = {
    "job": "run it with: smalt job create",
    "component": "register it with: smalt component create, or name it in a step of a job",
    "data": "register it with: smalt data create, or name it as an input's path",
    "model": "register it with: smalt model create",
    "environment": "register it with: smalt environment create, or name it as a job's environment",
}
_SHOWN = {"data": "a data asset"}


def describe_mismatch(data: Any, kind: str, problems: Sequence[Problem]) -> str | None:
    """Return the sentence about a document that is of another kind than `kind`, else None."""
    if (
        kind not in _USES
        or not isinstance(data, Mapping)
        or not any(_is_foreign(problem, data) for problem in problems)
    ):
        return None
    if kind == "job" and "component" in data and data.get("type") not in (None, "pipeline"):
        return "only a pipeline job names a component; make it a step of one: 'jobs: {NAME: {component: …}}'"
    found = next((other for other in _USES if other != kind and _is_kind(data, other)), None)
    return found and f"this is {_format_kind(found)}, not {_format_kind(kind)}; {_USES[found]}"


def is_job_document(data: Any) -> bool:
    """Return True for a document that is a job and no component, by its `$schema` or by its keys."""
    if not isinstance(data, Mapping):
        return False
    if read_schema_word(data):
        return _is_kind(data, "job")
    return not _is_kind(data, "component") and _is_kind(data, "job")


def _is_foreign(problem: Problem, data: Mapping[str, Any]) -> bool:
    """Return True if a document of another kind could cause the problem: its keys, its type or its inputs."""
    if problem.path[:1] == ("inputs",):
        given = data.get("inputs")
        value = given.get(problem.path[1]) if isinstance(given, Mapping) and len(problem.path) > 1 else None
        if value is None or (isinstance(value, Mapping) and value.get("type", "") is None):
            return False  # the mistake of whoever declares an input
        return len(problem.path) == 2 or " of a job; it may have " in problem.message
    return len(problem.path) == 1 and problem.message.startswith(("unknown key", "unknown type"))


def _is_kind(data: Mapping[str, Any], kind: str) -> bool:
    """Return True if the document's `$schema` names the kind, or it reads as that kind without problems."""
    word = read_schema_word(data).lower()
    if word:
        return word.endswith(kind)
    if kind == "job" and "component" in data and data.get("type") != "pipeline":
        return "jobs" not in data
    reader = _LenientReader()
    read_document(reader, data, kind)
    return not reader.problems


class _LenientReader(Reader):
    """A reader that leaves references to files unchecked."""

    def load_entity(self, text: str, kind: str, path: Any) -> Any:
        return text


def _format_kind(kind: str) -> str:
    return _SHOWN.get(kind) or add_article(kind)
