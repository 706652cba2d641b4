"""`python …/model_server.py SOCKET MODEL`: MLflow's own scoring app for an MLflow model, listening on a Unix socket.

The app is FastAPI's since MLflow 3 and Flask's before. Beside MLflow's `/invocations` there is Azure's `/score`, whose
bodies are converted both ways, and `/swagger.json`.
"""

from __future__ import annotations

import io
import json
import os
import sys
from typing import Any, Callable  # noqa: UP035  (Python 3.8)

if not __package__:
    sys.path[0] = os.path.dirname(os.path.abspath(__file__))
    from azure_bodies import HEALTH, INVOCATIONS, SCORE, convert_answer, convert_request, describe_api  # type: ignore[import-not-found]

    sys.path.pop(0)  # our own folder, which is no part of the user's program
else:
    from .azure_bodies import HEALTH, INVOCATIONS, SCORE, convert_answer, convert_request, describe_api

MISSING = 66
"""The exit code where the environment has no MLflow that serves."""
SWAGGER = "/swagger.json"


def main(socket: str, path: str) -> None:
    try:
        from mlflow.pyfunc import load_model, scoring_server
    except ImportError as error:
        print(f"smalt: the environment has no mlflow that serves models ({error})", file=sys.stderr)
        sys.exit(MISSING)
    _restore_decorator()
    model = load_model(path)
    print(f"smalt: the model {path} is loaded", flush=True)
    app = scoring_server.init(model)
    description = json.dumps(describe_api(model.metadata.get_input_schema())).encode()
    if hasattr(app, "wsgi_app"):
        _serve_wsgi(_adapt_wsgi(app, description), socket)
    else:
        import uvicorn

        uvicorn.run(_adapt_asgi(app, description), uds=socket, server_header=False)


def _restore_decorator() -> None:
    """Give FastAPI its decorator `route` back, which MLflow uses and Starlette 1.0 has dropped."""
    try:
        from fastapi import FastAPI  # type: ignore[import-not-found,unused-ignore]
    except ImportError:  # an MLflow that serves by Flask
        return
    if hasattr(FastAPI, "route"):
        return

    def route(self: Any, path: str, **options: Any) -> Callable[[Any], Any]:
        def add(function: Any) -> Any:
            self.add_route(path, function, **options)
            return function

        return add

    FastAPI.route = route


def _adapt_asgi(app: Any, description: bytes) -> Any:
    async def adapted(scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        if path == SWAGGER:
            await _send_asgi(send, 200, [(b"content-type", b"application/json")], description)
        elif path == "/":
            await app({**scope, "path": HEALTH, "raw_path": HEALTH.encode()}, receive, send)
        elif path == SCORE:
            await _score_asgi(app, scope, receive, send)
        else:
            await app(scope, receive, send)

    return adapted


async def _score_asgi(app: Any, scope: Any, receive: Any, send: Any) -> None:
    raw = b""
    while True:
        message = await receive()
        raw += message.get("body", b"")
        if not message.get("more_body"):
            break
    kind = dict(scope["headers"]).get(b"content-type", b"").decode("latin-1")
    raw, is_bare = convert_request(raw, kind)
    others = [pair for pair in scope["headers"] if pair[0] not in (b"content-length", b"content-type")]
    headers = [*others, (b"content-length", b"%d" % len(raw)), (b"content-type", kind.encode() or b"application/json")]
    inner = {**scope, "path": INVOCATIONS, "raw_path": INVOCATIONS.encode(), "headers": headers}
    answer: dict[str, Any] = {"status": 500, "headers": [], "body": b""}

    async def receive_converted() -> Any:
        return {"type": "http.request", "body": raw, "more_body": False}

    async def take(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.update(status=message["status"], headers=message.get("headers", []))
        else:
            answer["body"] += message.get("body", b"")

    await app(inner, receive_converted, take)
    body = convert_answer(answer["body"]) if is_bare and answer["status"] == 200 else answer["body"]
    await _send_asgi(send, answer["status"], answer["headers"], body)


async def _send_asgi(send: Any, status: int, headers: Any, body: bytes) -> None:
    sent = [(name, value) for name, value in headers if name.lower() != b"content-length"]
    sent.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": body})


def _adapt_wsgi(app: Any, description: bytes) -> Any:
    def adapted(environ: Any, start: Callable[..., Any]) -> Any:
        path = environ["PATH_INFO"]
        if path == SWAGGER:
            start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(description)))])
            return [description]
        if path == "/":
            return app({**environ, "PATH_INFO": HEALTH}, start)
        if path != SCORE:
            return app(environ, start)
        raw, is_bare = convert_request(
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)), environ.get("CONTENT_TYPE", "")
        )
        inner = {
            **environ,
            "PATH_INFO": INVOCATIONS,
            "CONTENT_LENGTH": str(len(raw)),
            "CONTENT_TYPE": environ.get("CONTENT_TYPE") or "application/json",
            "wsgi.input": io.BytesIO(raw),
        }
        head: list[Any] = []
        body = b"".join(app(inner, lambda status, headers, failure=None: head.extend((status, headers))))
        if is_bare and head[0].startswith("200"):
            body = convert_answer(body)
        headers = [pair for pair in head[1] if pair[0].lower() != "content-length"]
        start(head[0], [*headers, ("Content-Length", str(len(body)))])
        return [body]

    return adapted


def _serve_wsgi(app: Any, socket: str) -> None:
    from gunicorn.app.base import BaseApplication

    class ModelApplication(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in (("bind", [f"unix:{socket}"]), ("workers", 1), ("threads", 4), ("timeout", 0)):
                self.cfg.set(name, value)
            if "control_socket_disable" in self.cfg.settings:
                self.cfg.set("control_socket_disable", True)

        def load(self) -> Any:
            return app

    ModelApplication().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
