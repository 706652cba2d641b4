"""The few routes of MLflow that the v1 names use, over real HTTP: what is asked of them, and trouble on demand."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "the-job's-own"
_FILES = "/base/api/2.0/mlflow-artifacts/artifacts"
_STEMS = ("/base/api/2.0/mlflow/",)


class Mlflow:
    """A server with one experiment; `trouble` is called with each route before it is answered."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self.versions: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.trouble: Callable[[str], int | None] = lambda route: None
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/base"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def run(self, run_id: str, **tags: str) -> dict[str, Any]:
        """Make a run."""
        made = {
            "info": {
                "run_id": run_id, "experiment_id": "7", "status": "RUNNING", "run_name": f"name of {run_id}",
                "start_time": 1000 + len(self.runs), "artifact_uri": f"mlflow-artifacts:/ExperimentRun/dcid.{run_id}",
            },
            "points": [],
            "tags": dict(tags),
        }  # fmt: skip
        self.runs[run_id] = made
        return made

    def points(self, run_id: str, name: str) -> list[tuple[int, float | str]]:
        """Steps and values of a metric."""
        return [(one["step"], one["value"]) for one in self.runs[run_id]["points"] if one["key"] == name]

    def json(self, run_id: str, name: str) -> Any:
        return json.loads(self.files[f"ExperimentRun/dcid.{run_id}/{name}"])

    def answer(self, route: str, query: dict[str, str], body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        known = getattr(self, "_" + route.replace("/", "_").replace("-", "_"), None)
        if known is None:
            return 404, {"error_code": "ENDPOINT_NOT_FOUND", "message": route}
        asked = {**query, **body}
        if "run_id" in asked and asked["run_id"] not in self.runs:
            return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": f"Run with id={asked['run_id']} not found"}
        answer = known(asked)
        return answer if isinstance(answer, tuple) else (200, answer)

    def _said(self, run: dict[str, Any]) -> dict[str, Any]:
        latest = {one["key"]: one for one in run["points"]}
        tags = [{"key": key, "value": value} for key, value in run["tags"].items()]
        return {"info": run["info"], "data": {"metrics": list(latest.values()), "tags": tags}}

    def _runs_get(self, asked: dict[str, Any]) -> Any:
        return {"run": self._said(self.runs[asked["run_id"]])}

    def _runs_log_batch(self, asked: dict[str, Any]) -> Any:
        if any(one["key"] == "refused" for one in asked["metrics"]):
            return 400, {"error_code": "INVALID_PARAMETER_VALUE", "message": "no such metric, please"}
        self.runs[asked["run_id"]]["points"] += asked["metrics"]
        return {}

    def _runs_set_tag(self, asked: dict[str, Any]) -> Any:
        self.runs[asked["run_id"]]["tags"][asked["key"]] = asked["value"]
        return {}

    def _runs_delete_tag(self, asked: dict[str, Any]) -> Any:
        del self.runs[asked["run_id"]]["tags"][asked["key"]]
        return {}

    def _runs_create(self, asked: dict[str, Any]) -> Any:
        made = self.run(uuid.uuid4().hex, **{tag["key"]: tag["value"] for tag in asked["tags"]})
        made["info"]["run_name"] = asked.get("run_name", "made up")
        return {"run": self._said(made)}

    def _runs_update(self, asked: dict[str, Any]) -> Any:
        self.runs[asked["run_id"]]["info"].update(status=asked["status"], end_time=asked["end_time"])
        return {}

    def _runs_search(self, asked: dict[str, Any]) -> Any:
        """Page by page, one run on each."""
        wanted, found = asked.get("filter", ""), list(self.runs.values())
        if wanted.startswith("tags.`mlflow.parentRunId` = "):
            parent = wanted.partition("'")[2].rstrip("'")
            found = [run for run in found if run["tags"].get("mlflow.parentRunId") == parent]
        elif wanted.startswith("attributes.start_time < "):
            found = [run for run in found if run["info"]["start_time"] < int(wanted.rpartition(" ")[2])]
        found.sort(key=lambda run: run["info"]["start_time"], reverse=asked["order_by"][0].endswith("DESC"))
        at = int(asked.get("page_token", 0))
        more = {"next_page_token": str(at + 1)} if at + 1 < len(found) else {}
        return {"runs": [self._said(run) for run in found[at : at + 1]], **more}

    def _metrics_get_history(self, asked: dict[str, Any]) -> Any:
        points = [one for one in self.runs[asked["run_id"]]["points"] if one["key"] == asked["metric_key"]]
        at = int(asked.get("page_token", 0))
        more = {"next_page_token": str(at + 2)} if at + 2 < len(points) else {}
        return {"metrics": points[at : at + 2], **more}

    def _registered_models_create(self, asked: dict[str, Any]) -> Any:
        if any(one["name"] == asked["name"] for one in self.versions):
            return 400, {"error_code": "RESOURCE_ALREADY_EXISTS", "message": "it is there"}
        return {"registered_model": asked}

    def _model_versions_create(self, asked: dict[str, Any]) -> Any:
        number = 1 + sum(one["name"] == asked["name"] for one in self.versions)
        self.versions.append({**asked, "version": str(number)})
        return {"model_version": self.versions[-1]}

    def _model_versions_search(self, asked: dict[str, Any]) -> Any:
        name = asked.get("filter", "").partition("'")[2].rstrip("'")
        return {"model_versions": [one for one in self.versions if name in ("", one["name"])]}

    def _model_versions_set_tag(self, asked: dict[str, Any]) -> Any:
        for one in self.versions:
            if (one["name"], one["version"]) == (asked["name"], asked["version"]):
                one["tags"].append({"key": asked["key"], "value": asked["value"]})
        return {}

    def _model_versions_get_download_uri(self, asked: dict[str, Any]) -> Any:
        wanted = (asked["name"], asked["version"])
        return {"artifact_uri": next(o["source"] for o in self.versions if (o["name"], o["version"]) == wanted)}

    def listing(self, folder: str) -> dict[str, Any]:
        start = folder.rstrip("/") + "/"
        below = {name[len(start) :].partition("/")[::2] for name in self.files if name.startswith(start)}
        return {"files": [{"path": name, "is_dir": bool(rest)} for name, rest in dict(below).items()]}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        mlflow = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_: object) -> None: ...

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                route = parts.path.removeprefix(_STEMS[0])
                mlflow.calls.append(route)
                trouble = mlflow.trouble(route)
                if trouble == 0:
                    self.close_connection = True
                elif trouble is not None:
                    self._reply(trouble, b'{"error_code": "X", "message": "trouble"}')
                elif self.headers["Authorization"] != f"Bearer {TOKEN}":
                    self._reply(401, b'{"error_code": "CUSTOMER_UNAUTHORIZED", "message": "whose token is this?"}')
                elif parts.path == _FILES:
                    self._reply(200, json.dumps(mlflow.listing(query["path"])).encode())
                elif parts.path.startswith(_FILES):
                    self._file(unquote(parts.path.removeprefix(_FILES + "/")), body)
                else:
                    status, answer = mlflow.answer(route, query, json.loads(body or b"{}"))
                    self._reply(status, json.dumps(answer).encode())

            def _file(self, name: str, body: bytes) -> None:
                if self.command == "PUT":
                    mlflow.files[name] = body
                    self._reply(200, b"{}")
                elif name in mlflow.files:
                    self._reply(200, mlflow.files[name])
                else:
                    self._reply(404, b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such file"}')

            def _reply(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = _serve

        return Handler
