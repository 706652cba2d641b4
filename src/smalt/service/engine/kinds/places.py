"""The places of a pipeline's outputs: given by the user, or made for this run alone.

The planner notes it in a property of each child; the planners of nested pipelines and the reuse of steps read it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from smalt.entities import Output
from smalt.service.engine.kinds.properties import PLACES
from smalt.service.engine.submission.bindings import expand_macros
from smalt.wire.encoding import artifact_paths

ARTIFACTS = artifact_paths.URI
"""The place of everything that a job logs and leaves in outputs/."""

OWN_OUTPUT = "azureml://datastores/workspaceblobstore/paths/azureml/{job}/{output}/"
"""The place of an output of a standalone job, if no path is given."""


class Made(NamedTuple):
    """An output's place, and the reason why it is there."""

    given: str | None = None
    """The path as it was written, with `${{name}}` left in; None for a place that was made for this run."""
    is_shared: bool = False
    """Another step of the pipeline writes there, too."""
    is_registered: bool = False
    """True if it becomes a version of an asset once the pipeline has completed: the pipeline's output has a name."""


ALONE = Made()


def note(made: Mapping[str, Made]) -> dict[str, str]:
    """The property for a child with these outputs; nothing where all places were made for this run and its step."""
    told = {name: list(one) for name, one in made.items() if one != ALONE}
    return {PLACES: json.dumps(told)} if told else {}


def read(properties: Mapping[str, Any] | None) -> dict[str, Made]:
    """Return the places that `note` wrote; an output that is absent has a place made for this run and its step."""
    text = (properties or {}).get(PLACES)
    return {name: Made(*told) for name, told in json.loads(text).items()} if text else {}


def written_twice(labels: Iterable[str], paths: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the outputs of the pipeline, and the paths, that several steps write.

    A path below another one belongs to both their steps.
    """
    bound = frozenset(label for label, count in Counter(labels).items() if count > 1)
    given = sorted((f"{path.rstrip('/')}/", path) for path in paths)
    shared: set[str] = set()
    above: list[tuple[str, str]] = []
    for one in given:
        while above and not one[0].startswith(above[-1][0]):
            above.pop()
        if above:
            shared |= {one[1], *(path for _, path in above)}
        above.append(one)
    return bound, frozenset(shared)


def output_uri(job: str, name: str, output: Output, place: str | None = None) -> str:
    """Return where an output is kept: its path with the macros filled in, or the service's default."""
    if name == "artifacts" and not output.path:
        return ARTIFACTS.format(job=job)
    path = output.path or OWN_OUTPUT.format(job=place or job, output=name)
    return expand_macros(path, name=job, output=name, datastore="workspaceblobstore")
