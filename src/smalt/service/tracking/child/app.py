"""The WSGI application of MLflow's process: MLflow's own, its OTLP route, and the routes for smalt's server."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable
from typing import Any

import mlflow.server
import mlflow.store.model_registry.sqlalchemy_store as registry_store
from mlflow.exceptions import MlflowException
from mlflow.server import handlers

from .bulk_writes import put_models, put_runs
from .otlp import log_spans
from .stores import StoreRegistry, current

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_FOLDER = re.compile(r"[a-z0-9_-]{1,255}")


def build_app(stores: StoreRegistry) -> App:
    """Return a WSGI application; the header X-Smalt-Workspace, a workspace's folder, selects the stores that answer."""
    _set_stores()
    routes = {
        ("POST", "/smalt/runs"): put_runs,
        ("POST", "/smalt/models"): put_models,
        ("POST", "/v1/traces"): log_spans,
    }

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if path == "/smalt/health":
            return _send_answer(start, "200 OK", {"version": mlflow.__version__})
        folder = environ.get("HTTP_X_SMALT_WORKSPACE", "")
        if not _FOLDER.fullmatch(folder):
            return _send_error(start, MlflowException.invalid_parameter_value("the request names no workspace"))
        try:
            current.set(stores.get_workspace(folder))
            route = routes.get((method, path))
            if route is not None:
                return _send_answer(start, "200 OK", route(current.get(), environ))
        except MlflowException as error:
            return _send_error(start, error)
        return mlflow.server.app.wsgi_app(environ, start)

    return app


def _set_stores() -> None:
    """Replace MLflow's one store of each kind by those of the workspace of each call."""
    handlers._get_tracking_store = lambda *_: current.get().tracking
    handlers._get_model_registry_store = lambda *_: current.get().registry
    handlers._get_artifact_repo_mlflow_artifacts = lambda: current.get().artifacts
    handlers._get_trace_repo_from_uri = lambda uri: current.get().open_traces(uri)
    # The registry asks for a logged model by a client of its own, which would be one of the whole process.
    registry_store.MlflowClient = lambda: current.get().tracking
    # Each search of runs would else try to load MLflow's own users and passwords, again and in vain.
    sys.modules["mlflow.server.auth"] = None  # type: ignore[assignment]


def _send_answer(start: Callable[..., Any], status: str, answer: Any) -> Iterable[bytes]:
    is_bytes = isinstance(answer, bytes)
    start(status, [("Content-Type", "application/x-protobuf" if is_bytes else "application/json")])
    return [answer if is_bytes else json.dumps(answer).encode()]


def _send_error(start: Callable[..., Any], error: MlflowException) -> Iterable[bytes]:
    start(f"{error.get_http_status_code()} Refused", [("Content-Type", "application/json")])
    return [error.serialize_as_json().encode()]
