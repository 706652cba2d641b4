"""The document of a job that ran, as it was submitted: without what the run has added."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from smalt.entities.rules.ineffective_keys import OWN_SERVICES

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


def describe_submission(job: Any) -> Plain:
    """Return the document by which a job can be submitted again; a sweep has the same points then."""
    properties: Mapping[str, str] = job.properties or {}
    document = {key: value for key, value in job.to_dict().items() if key not in _OF_THIS_RUN}
    own = {key: value for key, value in document.pop("properties", {}).items() if not _OF_A_RUN.match(key)}
    document.update({"properties": own} if own else {})
    services = {key: one for key, one in document.pop("services", {}).items() if key not in OWN_SERVICES}
    document.update({"services": services} if services else {})
    _forget_automatic_versions(document, str(properties.get(_AUTOMATIC_VERSIONS) or "").split())
    _restore_paths(document, json.loads(properties.get(_OUTPUT_PATHS) or "{}"))
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
