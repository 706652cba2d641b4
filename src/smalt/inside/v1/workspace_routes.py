"""Requests to smalt's own routes for the job's workspace, by the job's token."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import time
import urllib.error
import urllib.request
from urllib.parse import quote, urlencode

from .errors import make_user_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO, Any, TypeVar

    T = TypeVar("T")

SCOPE = {"subscription": "SUBSCRIPTION", "resource_group": "RESOURCEGROUP", "workspace_name": "WORKSPACE_NAME"}
"""Words for a workspace, and the ends of the variables that say the job's."""
NATIVE, ARM = "/smalt/v1", ""
"""The prefixes of the routes of smalt's own, and of those of Azure ML."""
_TIMEOUT = 120.0
_PATIENCE = 90.0
"""Seconds of trying until the server counts as gone; a restart of it takes a few."""
_TRY_AGAIN = (502, 503, 504)


class _ServerAway(Exception):
    """Nobody answers, or only to try again."""


def can_ask_workspace() -> bool:
    """Return True if the job may ask the server for the data of its workspace."""
    return bool(os.environ.get("SMALT_URL"))


def get_json(route: str, prefix: str = NATIVE) -> Any:
    return _call_patiently(lambda: json.loads(_send_request("GET", route, prefix=prefix).read()))


def resolve_uri(uri: str) -> tuple[str, str]:
    """Return the datastore of a URI, and the path there."""
    body = json.dumps({"uri": uri}).encode()
    found = _call_patiently(lambda: json.loads(_send_request("POST", "/resolve", body).read()))
    return found["datastore"], found["path"].strip("/")


def list_store(store: str, path: str, *, recursive: bool) -> Iterator[dict[str, Any]]:
    """Yield what is at and below a path, each with `path`, `size`, `is_dir`; FileNotFoundError if nothing is there."""
    base = "/datastores/" + quote(store) + "/list?"
    target = base + urlencode({"path": path, "recursive": str(recursive).lower()})
    while target:
        page = get_json(target)
        yield from page["value"]
        following = page.get("nextLink", "")
        target = base + following.partition("?")[2] if following else ""


def fetch_store_file(store: str, path: str, file: IO[bytes]) -> None:
    """Write the content of a datastore's file into an empty file."""

    def copy_content() -> None:
        file.seek(0)
        file.truncate()
        with _send_request("GET", _get_file_route(store, path)) as answer:
            shutil.copyfileobj(answer, file, 1 << 20)
            if file.tell() != int(answer.headers.get("Content-Length", file.tell())):
                raise _ServerAway(f"the server ended before all of {path} was here")

    _call_patiently(copy_content)


def put_store_file(store: str, path: str, file: IO[bytes], size: int) -> None:
    """Store a file in a datastore, whole or not at all."""

    def send_content() -> None:
        file.seek(0)
        _send_request("PUT", _get_file_route(store, path), file, {"Content-Length": str(size)}).close()

    _call_patiently(send_content)


def _get_file_route(store: str, path: str) -> str:
    return "/datastores/" + quote(store) + "/files/" + quote(path)


def _send_request(
    method: str, route: str, body: Any = None, headers: dict[str, str] | None = None, prefix: str = NATIVE
) -> Any:
    """Return an answer to be read; FileNotFoundError for what is not there."""
    subscription, group, name = (quote(os.environ["AZUREML_ARM_" + key]) for key in SCOPE.values())
    url = (
        f"{os.environ['SMALT_URL']}{prefix}/subscriptions/{subscription}/resourceGroups/{group}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{name}{route}"
    )
    sent = {"Authorization": "Bearer " + os.environ.get("SMALT_TOKEN", ""), **(headers or {})}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        return opener.open(urllib.request.Request(url, data=body, headers=sent, method=method), timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        with error:
            told = _read_sentence(error)
        if error.code in _TRY_AGAIN:
            raise _ServerAway(told) from None
        raise FileNotFoundError(told) if error.code == 404 else make_user_error(told) from None
    except urllib.error.URLError as error:
        raise _ServerAway(f"the server cannot be reached: {error.reason}") from None


def _read_sentence(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read() or b"{}")["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return str(error)


def _call_patiently(ask: Callable[[], T]) -> T:
    """Ask again, for a while, where the server is away."""
    deadline, pause = time.monotonic() + _PATIENCE, 0.05
    while True:
        try:
            return ask()
        except (_ServerAway, ConnectionError, TimeoutError, http.client.HTTPException) as problem:
            if time.monotonic() + pause > deadline:
                raise make_user_error(str(problem)) from None
            time.sleep(pause)
            pause = min(pause * 2, 5.0)
