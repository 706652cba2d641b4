"""`python mlflow_pages.py URI`: MLflow's own pages for a tracking server that requires a token.

It runs by path in a Python with the full mlflow package, and imports nothing of smalt. The pages, and the few routes
that only MLflow's own server has (GraphQL, showing a file), are MLflow's own code, a client of the tracking server. All
other calls of the pages are forwarded to that server. A browser must open the printed address, whose key becomes a
cookie. The program ends when its standard input does.
"""

from __future__ import annotations

import contextlib
import hmac
import http.client
import os
import re
import secrets
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from http.cookies import SimpleCookie
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import parse_qs, urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_OWN = re.compile(
    r"/|/static-files/.*|/graphql|/get-artifact|/model-versions/get-artifact"
    r"|/ajax-api/2\.0/mlflow/logged-models/[\w-]+/artifacts/files"
)
_PASSED_ON = ("CONTENT_TYPE", "HTTP_ACCEPT")
_PASSED_BACK = ("content-type", "content-length", "content-disposition")
_BLOCK = 1 << 16
_VARIABLES = {
    "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE": "true",  # Host, Origin and the key are checked here
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


class MlflowPages:
    """A WSGI application that checks the key, and serves MLflow's pages or forwards the request."""

    def __init__(self, uri: str, token: str, own: WsgiApp) -> None:
        self.key = secrets.token_urlsafe(24)
        self.port = 0
        self._uri = urlsplit(uri)
        self._token = token
        self._own = own

    @property
    def _cookie(self) -> str:
        return f"smalt-pages-{self.port}"  # cookies do not know ports

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        own = f"127.0.0.1:{self.port}"
        if environ.get("HTTP_HOST") != own or environ.get("HTTP_ORIGIN", f"http://{own}") != f"http://{own}":
            return _send_sentence(start, "403 Forbidden", "requests of other pages are not answered")
        given = parse_qs(environ.get("QUERY_STRING", "")).get("key", [""])[0]
        if environ["PATH_INFO"] == "/" and hmac.compare_digest(given.encode(), self.key.encode()):
            cookie = f"{self._cookie}={self.key}; HttpOnly; SameSite=Strict; Path=/"
            start("303 See Other", [("Location", "/"), ("Set-Cookie", cookie)])
            return []
        found = SimpleCookie(environ.get("HTTP_COOKIE", "")).get(self._cookie)
        if found is None or not hmac.compare_digest(found.value.encode(), self.key.encode()):
            return _send_sentence(start, "403 Forbidden", "open the address that 'smalt mlflow ui' has printed")
        if _OWN.fullmatch(environ["PATH_INFO"]):
            return self._own(environ, start)
        if environ["PATH_INFO"].startswith("/ajax-api/"):
            return self._forward_request(environ, start)
        return _send_sentence(start, "404 Not Found", "there is no such page")

    def _forward_request(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        kind = http.client.HTTPSConnection if self._uri.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._uri.hostname or "", self._uri.port, timeout=120)
        path = environ.get("RAW_PATH") or environ["PATH_INFO"]
        query = f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
        headers = {_format_header(name): environ[name] for name in _PASSED_ON if environ.get(name)}
        headers["Authorization"] = f"Bearer {self._token}"
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            connection.request(environ["REQUEST_METHOD"], f"{self._uri.path}{path}{query}", body or None, headers)
            answer = connection.getresponse()
        except OSError as error:
            return _send_sentence(start, "502 Bad Gateway", f"the smalt server does not answer: {error}")
        start(
            f"{answer.status} {answer.reason}", [pair for pair in answer.getheaders() if _is_forwarded_header(pair[0])]
        )
        return _read_blocks(connection, answer)


class _PagesServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _PagesHandler(WSGIRequestHandler):
    def get_environ(self) -> dict[str, Any]:
        return {**super().get_environ(), "RAW_PATH": self.path.partition("?")[0]}

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def _format_header(name: str) -> str:
    return name.removeprefix("HTTP_").replace("_", "-").title()


def _is_forwarded_header(name: str) -> bool:
    return name.lower() in _PASSED_BACK


def _read_blocks(connection: http.client.HTTPConnection, answer: http.client.HTTPResponse) -> Iterator[bytes]:
    with contextlib.closing(connection):
        while block := answer.read(_BLOCK):
            yield block


def _send_sentence(start: Callable[..., Any], status: str, sentence: str) -> Iterable[bytes]:
    start(status, [("Content-Type", "text/plain; charset=utf-8")])
    return [sentence.encode()]


def build_mlflow_app(uri: str, token: str) -> WsgiApp:
    """Return MLflow's server, whose stores are clients of the tracking server."""
    os.environ.update(_VARIABLES)
    import mlflow.server
    from mlflow.server import handlers
    from mlflow.store.model_registry.rest_store import RestStore as Registry
    from mlflow.store.tracking.rest_store import RestStore as Tracking
    from mlflow.utils.rest_utils import MlflowHostCreds

    def credentials() -> Any:
        return MlflowHostCreds(uri, token=token)

    tracking, registry = Tracking(credentials), Registry(credentials)
    mlflow.set_tracking_uri(uri)
    handlers._get_tracking_store = lambda *_: tracking
    handlers._get_model_registry_store = lambda *_: registry
    application: WsgiApp = mlflow.server.app.wsgi_app
    return application


def main(uri: str) -> None:
    printed = os.dup(1)
    os.dup2(2, 1)
    token = os.environ["MLFLOW_TRACKING_TOKEN"]
    pages = MlflowPages(uri, token, build_mlflow_app(uri, token))
    server = make_server("127.0.0.1", 0, pages, _PagesServer, _PagesHandler)
    pages.port = server.server_port
    os.write(printed, f"http://127.0.0.1:{pages.port}/?key={pages.key}\n".encode())
    os.close(printed)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        while os.read(0, 4096):
            pass


if __name__ == "__main__":
    main(sys.argv[1])
