"""Reads of MLflow's API that a job's outputs may depend on: other runs, models and files that are not its inputs.

A step that reads such a thing is never reused. The routes of all other APIs are in `api/auth/job_reads.py`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from smalt.service.tracking.policy import ARTIFACTS
from smalt.service.tracking.request_parsing import Body, Query
from smalt.wire.encoding import artifact_paths

_RUN_ROUTES = frozenset({"runs/get", "metrics/get-history", "metrics/get-history-bulk-interval", "artifacts/list"})
_RUN_KEYS = ("run_id", "run_uuid", "run_ids")
_SEARCHES = {
    "runs/search": "other runs",
    "logged-models/search": "logged models",
    "traces/search": "traces",
    "datasets/search": "MLflow's datasets",
}
_NAME_FILTER = re.compile(r"\bname\s*=\s*(['\"])(.*?)\1")


class ForeignRead(NamedTuple):
    """A read of things that may be others than the job's own."""

    what: str
    runs: tuple[str, ...] = ()
    """The runs that it reads; it counts if one of them is not the job's."""
    model: str = ""
    """The registered model that it reads; it does not count if the job itself registered a version of it."""
    logged_model: str = ""
    """The id of the logged model that it reads."""


def find_read(path: str, ids: tuple[str, ...], query: Query, body: Body, job: str) -> ForeignRead | None:
    """Return what a request reads; None if that is nothing a step's outputs depend on, or the job's own."""
    if path == ARTIFACTS or path.startswith(f"{ARTIFACTS}/"):
        return _find_file_read(dict(query).get("path", "") if path == ARTIFACTS else "/".join(ids))
    _, _, route = path.partition("/mlflow/")
    text = str(body.get("filter") or dict(query).get("filter") or "")
    if route in _RUN_ROUTES:
        runs = tuple(value for key, value in query if key in _RUN_KEYS)
        return ForeignRead(f"the run '{runs[0][:100]}'" if runs else "a run", runs)
    if route in _SEARCHES:
        return None if f"'{job}'" in text or f'"{job}"' in text else ForeignRead(_SEARCHES[route])
    if route.startswith(("registered-models/", "model-versions/")):
        named = _NAME_FILTER.search(text)
        model = str(dict(query).get("name") or body.get("name") or (named[2] if named else ""))
        what = f"the model '{model[:100]}' of the registry" if model else "the model registry"
        return ForeignRead(what, model=model)
    if route.startswith("logged-models/"):
        return ForeignRead(f"the logged model '{ids[0]}'", logged_model=ids[0])
    return None


def _find_file_read(path: str) -> ForeignRead:
    of_run = artifact_paths.parse_artifacts_path(path)
    if of_run:
        return ForeignRead(f"files of the run '{of_run[0][:100]}'", (of_run[0],))
    parts = path.split("/")
    if parts[0] == "models" and len(parts) > 1:
        return ForeignRead(f"the model '{parts[1][:100]}' of the registry", model=parts[1])
    if parts[0] == "mlflow" and len(parts) > 3 and parts[2] == "models":
        return ForeignRead(f"the logged model '{parts[3][:100]}'", logged_model=parts[3])
    return ForeignRead("files of other runs")
