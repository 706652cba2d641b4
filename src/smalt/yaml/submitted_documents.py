"""The document of a job that ran, as it was submitted: without what the run has added."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from smalt.entities.rules.ineffective_keys import OWN_SERVICES
from smalt.entities.syntax.expression import parse_binding
from smalt.entities.syntax.literals import to_text

Plain = dict[str, Any]
_AUTOMATIC_VERSIONS = "smalt.automatic-versions"
"""The server's property of a job: the outputs whose versions were the next numbers, and asked for by nobody."""
_OUTPUT_PATHS = "smalt.output-paths"
"""The server's property of a job: by output the place that its answer shows, and the path that it was given."""
_SEED = "smalt.seed"
"""The server's property of a sweep: the seed that was drawn, as none was given."""
_BEST = "best_child_run_id"
_OF_THIS_RUN = (
    "name", "id", "status", "error", "creation_context", "parent_job_name", "log_files",
)  # fmt: skip
_OF_A_RUN = re.compile(
    r"smalt\.(?!retries$)|azureml\.(git\.|reused|isreused)|mlflow\.source\.git\.|(Start|End)TimeUtc$"
    r"|(best_child_run_id|best_metric_status|score|run_algorithm|runTemplate)$"
)
"""Properties that smalt, or the client that submits, gives to a job."""


InputTypes = Mapping[str, "str | None"]
"""The declared type of each input of a component."""


def describe_submission(job: Any, find_types: Callable[[str], InputTypes] | None = None) -> Plain:
    """Return the document by which a job can be submitted again; a sweep has the same points then.

    `find_types` gives the inputs of a component that a step names.
    """
    properties: Mapping[str, str] = job.properties or {}
    document = {key: value for key, value in job.to_dict().items() if key not in _OF_THIS_RUN}
    own = {key: value for key, value in document.pop("properties", {}).items() if not _OF_A_RUN.match(key)}
    document.update({"properties": own} if own else {})
    services = {key: one for key, one in document.pop("services", {}).items() if key not in OWN_SERVICES}
    document.update({"services": services} if services else {})
    _forget_automatic_versions(document, str(properties.get(_AUTOMATIC_VERSIONS) or "").split())
    _restore_paths(document, json.loads(properties.get(_OUTPUT_PATHS) or "{}"))
    _restore_literals(document, find_types)
    if job.type == "sweep":
        document["tags"] = {key: tag for key, tag in document.get("tags", {}).items() if key != _BEST}
        if properties.get(_SEED):
            document["sampling_algorithm"] = _keep_seed(document.get("sampling_algorithm"), int(properties[_SEED]))
    return document


def _keep_seed(algorithm: Any, seed: int) -> Any:
    """Return a sampling algorithm with the seed that was drawn for it; grid sampling has none."""
    settings = algorithm if isinstance(algorithm, Mapping) else {"type": algorithm or "random"}
    return algorithm if settings["type"] == "grid" else {"seed": seed, **settings}


def _forget_automatic_versions(document: Plain, outputs: list[str]) -> None:
    """Remove versions that were numbered automatically, so that a rerun registers the next version again."""
    for name in outputs:
        output = document.get("outputs", {}).get(name)
        if isinstance(output, Mapping):
            document["outputs"][name] = {key: value for key, value in output.items() if key != "version"}


def _restore_paths(document: Plain, given: Mapping[str, tuple[str, str | None]]) -> None:
    """Restore the outputs' paths as they were submitted, so that a rerun writes to a place of its own."""
    for name, (_, path) in given.items():
        output = document.get("outputs", {}).get(name)
        if isinstance(output, Mapping):
            bare = {key: value for key, value in output.items() if key != "path"}
            document["outputs"][name] = {**bare, **({} if path is None else {"path": path})}


def _restore_literals(document: Plain, find_types: Callable[[str], InputTypes] | None) -> None:
    """Write numbers and booleans, which the service keeps as text, as such again.

    The text of an input that is declared as a string stays text, and so does a pipeline's that such an input reads. A
    text of which nobody says the type becomes a number only if it is sent as the same text again.
    """
    steps = document.get("jobs")
    texts = _find_strings(document, find_types)
    for step in steps.values() if isinstance(steps, Mapping) else ():
        if isinstance(step, dict):
            strings = _find_strings(step, find_types)
            texts.update(_list_bound(step, strings))
            _restore_inputs(step, strings)
    _restore_inputs(document, texts)


def _find_strings(noun: Plain, find_types: Callable[[str], InputTypes] | None) -> set[str]:
    """Return the inputs that the component of a job or a step, or its trial's, declares as strings."""
    component = noun.get("component") or noun.get("trial")
    known: InputTypes = {}
    if isinstance(component, str) and find_types is not None:
        known = find_types(component)
    elif isinstance(component, Mapping):
        known = {name: _get_type(form) for name, form in (component.get("inputs") or {}).items()}
    return {name for name, type in known.items() if type == "string"}


def _get_type(form: Any) -> str | None:
    return form.get("type") if isinstance(form, Mapping) else None


def _list_bound(step: Any, names: set[str]) -> Iterator[str]:
    """Yield the pipeline's inputs that these inputs of a step read."""
    inputs = step.get("inputs") if isinstance(step, Mapping) else None
    for name, value in inputs.items() if isinstance(inputs, Mapping) else ():
        bound = parse_binding(value) if name in names and isinstance(value, str) else None
        if bound is not None and bound.kind == "parent.inputs":
            yield bound.name


def _restore_inputs(noun: Plain, texts: set[str]) -> None:
    inputs = noun.get("inputs")
    if isinstance(inputs, Mapping):
        noun["inputs"] = {
            name: _parse_literal(value) if isinstance(value, str) and name not in texts else value
            for name, value in inputs.items()
        }


def _parse_literal(text: str) -> str | int | float | bool:
    """Return the number or boolean that is sent as this text; the text itself if none is."""
    if text in ("True", "False"):
        return text == "True"
    for type in (int, float):
        try:
            value = type(text)
        except ValueError:
            continue
        if to_text(value) == text and math.isfinite(value):
            return value
    return text
