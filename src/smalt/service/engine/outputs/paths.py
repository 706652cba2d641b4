"""The paths of an ended job's outputs: the places that answers show, and the paths that were submitted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from smalt.entities.syntax.expression import has_expression

OUTPUT_PATHS = "smalt.output-paths"
"""The property of an ended job with the place of each output that its answer shows, and the path it was given."""

EMPTY_OUTPUTS = "smalt.empty_outputs"
"""The property of a job that ended well with the outputs to which it wrote nothing."""


def make_empty_warning(names: str | None) -> str:
    """Return the log lines for the outputs to which the job wrote nothing."""
    return "".join(f"warning: it wrote nothing to its output '{name}'\n" for name in (names or "").split())


def add_places(outputs: Mapping[str, Any], places: Mapping[str, str | None]) -> tuple[dict[str, Any], str | None]:
    """Return the REST outputs with their places as paths, and the property that remembers the submitted paths."""
    shown: dict[str, Any] = dict(outputs)
    given: dict[str, list[str | None]] = {}
    for name, output in outputs.items():
        place, path = places.get(name), (output or {}).get("uri")
        if place and (not path or has_expression(path)) and "value" not in (output or {}):
            shown[name] = {**(output or {}), "uri": place}
            given[name] = [place, path]
    return shown, json.dumps(given) if given else None


def remove_places(outputs: Mapping[str, Any], note: Any) -> dict[str, Any]:
    """Return the outputs of an answer as they were submitted; a path that was changed since stays."""
    given = _parse_given(note)
    return {name: _remove_place(output, *given.get(name, (None, None))) for name, output in outputs.items()}


def _remove_place(output: Any, place: Any, path: Any) -> Any:
    if place is None or not isinstance(output, Mapping) or output.get("uri") != place:
        return output
    bare = {key: value for key, value in output.items() if key != "uri"}
    return bare if path is None else {**bare, "uri": path}


def _parse_given(note: Any) -> dict[str, tuple[Any, Any]]:
    try:
        found = json.loads(note) if isinstance(note, str) else None
    except ValueError:
        return {}
    items = found.items() if isinstance(found, dict) else ()
    return {name: (pair[0], pair[1]) for name, pair in items if isinstance(pair, list) and len(pair) == 2}
