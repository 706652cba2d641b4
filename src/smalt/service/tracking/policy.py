"""The routes of MLflow that are served, and to whom: everything that is not in the table is refused.

MLflow's server has some 490 routes, some of which run programs, keep secrets or call out. The table lists what a user's
token may do; its third column says what a job's token may: a rule of `job_permissions.py`, or `-` for nothing.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from smalt.exceptions import NotFound, ValidationException
from smalt.service.tracking import request_parsing
from smalt.wire.encoding import artifact_paths

_TABLE = """
GET    /health                                         read
GET    /version                                        read
GET    /api/3.0/mlflow/server-info                     read

GET    2.0/experiments/get                             read
GET    2.0/experiments/get-by-name                     own-experiment-by-name  all
GET    2.0/experiments/search                          read                    all
POST   2.0/experiments/search                          read                    all again
POST   2.0/experiments/create                          own-experiment
POST   2.0/experiments/set-experiment-tag              experiment-tag          again
POST   2.0/experiments/delete-experiment-tag           experiment-tag          again
POST   2.0/experiments/update                          -                       again
POST   2.0/experiments/delete                          -
POST   2.0/experiments/restore                         -

GET    2.0/runs/get                                    read
POST   2.0/runs/search                                 read                    all again
GET    2.0/metrics/get-history                         read
GET    2.0/metrics/get-history-bulk-interval           read
GET    2.0/artifacts/list                              read
POST   2.0/runs/create                                 create-run
POST   2.0/runs/update                                 update-run              again
POST   2.0/runs/delete                                 nested-run              again
POST   2.0/runs/restore                                nested-run              again
POST   2.0/runs/log-metric                             own-run                 again
POST   2.0/runs/log-parameter                          own-run                 again
POST   2.0/runs/log-batch                              own-run                 again
POST   2.0/runs/set-tag                                own-run                 again
POST   2.0/runs/delete-tag                             own-run                 again
POST   2.0/runs/log-inputs                             own-run                 again
POST   2.0/runs/log-model                              own-run                 again
POST   2.0/runs/outputs                                own-run                 again

POST   2.0/logged-models                               create-model
GET    2.0/logged-models/{id}                          read
PATCH  2.0/logged-models/{id}                          own-model               again
DELETE 2.0/logged-models/{id}                          own-model
POST   2.0/logged-models/{id}/params                   own-model               again
PATCH  2.0/logged-models/{id}/tags                     model-tags              again
DELETE 2.0/logged-models/{id}/tags/{id}                own-model
GET    2.0/logged-models/{id}/artifacts/directories    read
POST   2.0/logged-models/search                        read                    again

POST   2.0/registered-models/create                    write                   registry
GET    2.0/registered-models/get                       read                    registry
GET    2.0/registered-models/search                    read                    registry
GET    2.0/registered-models/get-latest-versions       read                    registry
POST   2.0/registered-models/get-latest-versions       read                    registry again
GET    2.0/registered-models/alias                     read                    registry
POST   2.0/registered-models/alias                     write                   registry again
DELETE 2.0/registered-models/alias                     write                   registry again
PATCH  2.0/registered-models/update                    write                   registry again
POST   2.0/registered-models/set-tag                   write                   registry again
DELETE 2.0/registered-models/delete-tag                write                   registry again
POST   2.0/registered-models/rename                    -                       registry
DELETE 2.0/registered-models/delete                    -                       registry
POST   2.0/model-versions/create                       create-version          registry
GET    2.0/model-versions/get                          read                    registry
GET    2.0/model-versions/search                       read                    registry
GET    2.0/model-versions/get-download-uri             read                    registry
PATCH  2.0/model-versions/update                       write                   registry again
POST   2.0/model-versions/transition-stage             write                   registry again
POST   2.0/model-versions/set-tag                      write                   registry again
DELETE 2.0/model-versions/delete-tag                   write                   registry again
DELETE 2.0/model-versions/delete                       -                       registry

POST   /v1/traces                                      spans
POST   2.0/traces                                      start-trace
GET    2.0/traces                                      read
PATCH  2.0/traces/{id}                                 own-trace               again
GET    2.0/traces/{id}/info                            read
PATCH  2.0/traces/{id}/tags                            own-trace               again
DELETE 2.0/traces/{id}/tags                            own-trace               again
POST   2.0/traces/delete-traces                        -
POST   2.0/traces/link-to-run                          own-run                 again
POST   2.0/traces/link-prompts                         own-trace               again
POST   3.0/traces                                      start-trace             again
GET    3.0/traces/{id}                                 read
GET    3.0/traces/get                                  read
GET    3.0/traces/batchGet                             read
POST   3.0/traces/batchGetInfos                        read                    again
POST   3.0/traces/search                               read                    again
POST   3.0/traces/metrics                              read                    again
PATCH  3.0/traces/{id}/tags                            own-trace               again
DELETE 3.0/traces/{id}/tags                            own-trace               again
POST   3.0/traces/delete-traces                        -
POST   3.0/traces/{id}/assessments                     own-trace
GET    3.0/traces/{id}/assessments/{id}                read
PATCH  3.0/traces/{id}/assessments/{id}                own-trace               again
DELETE 3.0/traces/{id}/assessments/{id}                own-trace               again

POST   3.0/datasets/create                             -
GET    3.0/datasets/search                             read
POST   3.0/datasets/search                             read                    again
GET    3.0/datasets/{id}                               read
GET    3.0/datasets/{id}/records                       read
GET    3.0/datasets/{id}/experiment-ids                read
POST   3.0/datasets/{id}/records                       -
DELETE 3.0/datasets/{id}/records                       -
PATCH  3.0/datasets/{id}/tags                          -                       again
DELETE 3.0/datasets/{id}/tags/{id}                     -
POST   3.0/datasets/{id}/add-experiments               -                       again
POST   3.0/datasets/{id}/remove-experiments            -                       again
DELETE 3.0/datasets/{id}                               -
"""

ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
CREATE_VERSION = "/api/2.0/mlflow/model-versions/create"
_PREVIEW = "/api/2.0/preview/mlflow/"
_OF_JOB = re.compile(r"azureml://jobs/([A-Za-z0-9][A-Za-z0-9_-]*)/outputs/artifacts/paths/(.+)")
_ID = r"([A-Za-z0-9_][A-Za-z0-9_.-]{0,250})"


class NoRoute(NotFound):
    """A route of MLflow that smalt does not serve."""

    code = "EndpointNotFound"


class MlflowRoute(NamedTuple):
    """A route of MLflow that is served."""

    rule: str
    """The rule for jobs' tokens; "" refuses them."""
    again: bool
    """True if a repeated request does no harm, so that it may be sent again after MLflow died over it."""
    all: bool = False
    """True if it searches the runs, so that every job must have one."""
    registry: bool = False
    """True if it reads or changes the model registry."""
    is_file: bool = False
    """True if its body is a file's content."""


class MatchedRoute(NamedTuple):
    """The route of a request, with the ids in its path."""

    route: MlflowRoute
    path: str
    """The path that is sent to MLflow."""
    ids: tuple[str, ...]
    """The ids in the path, or the segments of a file's path."""


_FILES = {
    "GET": MlflowRoute("read", True, is_file=True),
    "PUT": MlflowRoute("own-file", True, is_file=True),  # whole or not at all, whatever was there
}
_LIST = MlflowRoute("read", True)


def find_route(method: str, path: str, *, is_user: bool) -> MatchedRoute:
    """Return the route of a path as it stands in the URL after the workspace; raise NoRoute if it is not in the
    table."""
    if path.startswith(_PREVIEW):  # mlflow 1.x's registry
        path = "/api/2.0/mlflow/" + path.removeprefix(_PREVIEW)
    elif is_user and path.startswith("/ajax-api/"):  # the names under which MLflow's own pages ask
        path = "/api" + path.removeprefix("/ajax-api")
    if path == ARTIFACTS and method == "GET":
        return MatchedRoute(_LIST, path, ())
    if path.startswith(f"{ARTIFACTS}/") and method in _FILES:
        segments = request_parsing.parse_artifact_path(path.removeprefix(f"{ARTIFACTS}/"))
        return MatchedRoute(_FILES[method], f"{ARTIFACTS}/{request_parsing.join_segments(segments)}", tuple(segments))
    exact = _EXACT.get((method, path))
    if exact is not None:
        return MatchedRoute(exact, path, ())
    for pattern, route in _PATTERNS.get(method, ()):
        matched = pattern.fullmatch(path)
        if matched:
            return MatchedRoute(route, path, matched.groups())
    raise NoRoute(f"smalt does not serve this route of MLflow: {method[:10]} {path[:200]}")


def resolve_source(source: str) -> str:
    """Return the source of a model version as MLflow names it: files of this workspace, or a prompt's placeholder."""
    if source in ("prompt-template", "dummy-source") or re.fullmatch(r"models:/m-[0-9a-f]{8,64}", source):
        return source
    of_job = _OF_JOB.fullmatch(source)
    if of_job:
        source = f"{artifact_paths.MLFLOW_URI.format(job=of_job[1])}/{of_job[2]}"
    scheme, _, path = source.partition(":/")
    if scheme in ("runs", "mlflow-artifacts", "models") and path and not path.startswith("/"):
        segments = request_parsing.split_path(path.rstrip("/"))
        if scheme != "mlflow-artifacts" or is_artifact_path(segments):
            return source
    raise ValidationException(
        f"a model version cannot come from '{source[:200]}'; log the model in a run and register "
        "'runs:/<run id>/<path>', or register files elsewhere with 'smalt model create'"
    )


def is_artifact_path(segments: list[str] | tuple[str, ...]) -> bool:
    """True if a path of the artifact store is MLflow's: below a run's folder or in MLflow's own."""
    return segments[0] == "mlflow" or "/".join(segments).startswith(artifact_paths.PREFIX)


def _read_table() -> tuple[dict[tuple[str, str], MlflowRoute], dict[str, list[tuple[re.Pattern[str], MlflowRoute]]]]:
    exact: dict[tuple[str, str], MlflowRoute] = {}
    patterns: dict[str, list[tuple[re.Pattern[str], MlflowRoute]]] = {}
    for line in filter(None, _TABLE.split("\n")):
        method, short, rule, *flags = line.split()
        path = short if short.startswith("/") else f"/api/{short[:3]}/mlflow{short[3:]}"
        again = method == "GET" or "again" in flags
        route = MlflowRoute("" if rule == "-" else rule, again, "all" in flags, "registry" in flags)
        if "{id}" in path:
            pattern = re.compile(_ID.join(re.escape(part) for part in path.split("{id}")))
            patterns.setdefault(method, []).append((pattern, route))
        else:
            exact[method, path] = route
    return exact, patterns


_EXACT, _PATTERNS = _read_table()
