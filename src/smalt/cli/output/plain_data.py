"""Results as plain data, in the shape that `az ml` prints: the keys of the YAML, and those that the server adds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

ADDED = ("id", "status", "services", "creation_context", "provisioning_state", "parent_job_name", "error")
"""The keys of an entity from the server that its YAML does not have."""

BOOKKEEPING = frozenset(
    f"smalt.{name}"
    for name in (
        "place", "places", "promised", "bound", "branch_inputs", "skipped_steps", "settings", "timeout",
        "output-paths", "automatic-versions",
    )
)  # fmt: skip
"""Properties of jobs by which smalt itself finds its way; people are not shown them."""


def to_plain_data(result: Any) -> Any:
    """Return the result of a verb as mappings, lists and scalars."""
    if isinstance(result, Mapping):
        return {key: to_plain_data(value) for key, value in result.items()}
    if isinstance(result, (list, tuple, Iterator)):
        return [to_plain_data(item) for item in result]
    if hasattr(result, "to_dict"):
        return _convert_entity(result)
    return result


def _convert_entity(entity: Any) -> dict[str, Any]:
    written = entity.to_dict()
    if BOOKKEEPING & (written.get("properties") or {}).keys():
        written["properties"] = {key: value for key, value in written["properties"].items() if key not in BOOKKEEPING}
    first = {key: written.pop(key) for key in ("name", "version", "type") if key in written}
    added = {key: to_plain_data(value) for key in ADDED if (value := getattr(entity, key, None)) is not None}
    return {**first, **{key: value for key, value in added.items() if key not in first}, **written}
