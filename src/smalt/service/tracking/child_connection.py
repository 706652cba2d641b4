"""Requests to MLflow's process: held while it starts, and sent again after it died if that does no harm."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from smalt.exceptions import Conflict, NotFound, RefusedError, SmaltError, Unavailable, ValidationException
from smalt.machine.home import Home
from smalt.service.records.workspaces import Workspace
from smalt.service.tracking import request_parsing
from smalt.service.tracking.http_client import ChildResponse, Headers
from smalt.service.tracking.process import MlflowProcess

WHOLE = 1024 * 1024
"""Bytes up to which an answer is read before any of it goes on: one that breaks off half-way no client sends again."""

_PATIENCE = 60.0
"""Seconds that a request is held while the child is down; MLflow's clients wait for 120."""
_PAUSE = 0.05


class ChildInterrupted(SmaltError):
    """MLflow's process died over a request that must not be sent twice; only the client can decide to repeat it."""

    code = "Interrupted"


class ChildAnswer(NamedTuple):
    """An answer of MLflow's process."""

    response: ChildResponse
    whole: bytes | None
    """The body; None if it is long and has to be streamed."""


class ChildConnection:
    """Sends requests to MLflow's process."""

    def __init__(self, home: Home, child: MlflowProcess) -> None:
        self._workspaces = home.path("workspaces")
        self._child = child
        self._provided: set[str] = set()

    async def send_request(
        self,
        workspace: Workspace,
        method: str,
        target: str,
        headers: Headers,
        body: bytes | AsyncIterator[bytes] = b"",
        *,
        again: bool,
    ) -> ChildAnswer:
        """Send a request and return the answer. `again`: sending the same request twice does no harm."""
        self._ensure_folder(workspace)
        sent = [(b"x-smalt-workspace", workspace.folder.encode()), *headers]
        deadline = time.monotonic() + _PATIENCE
        while True:
            await self._child.wait_until_ready()
            try:
                response = await self._child.pool.send_request(method, target.encode("ascii"), sent, body)
                if response.length is None or response.length > WHOLE:
                    return ChildAnswer(response, None)
                return ChildAnswer(response, await response.read())
            except ConnectionRefusedError:  # nothing was sent
                if time.monotonic() > deadline:
                    raise ChildInterrupted("MLflow does not start again; the server's log says why") from None
            except ConnectionError:
                if not again or not isinstance(body, bytes) or time.monotonic() > deadline:
                    raise ChildInterrupted("MLflow died while it handled this request; it is being restarted") from None
            await asyncio.sleep(_PAUSE)

    def _ensure_folder(self, workspace: Workspace) -> None:
        """Make the workspace's folder, which exists only once something is stored in it."""
        if workspace.folder not in self._provided:
            (self._workspaces / workspace.folder).mkdir(parents=True, exist_ok=True)
            self._provided.add(workspace.folder)

    async def call_json(self, workspace: Workspace, method: str, path: str, body: Any = None) -> Any:
        """Send one of smalt's own requests and return the parsed answer; raise the error that MLflow reports."""
        content = b"" if body is None else request_parsing.dump_json(body)
        again = method == "GET" or path.startswith("/smalt/")
        answer = await self.send_request(
            workspace, method, path, [(b"content-type", b"application/json")], content, again=again
        )
        whole = await answer.response.read() if answer.whole is None else answer.whole
        try:
            reply = json.loads(whole or b"{}")
        except ValueError:
            reply = {}
        if answer.response.status >= 400:
            raise _make_error(answer.response.status, reply if isinstance(reply, dict) else {})
        return reply


_KINDS: dict[str, type[NotFound] | type[Conflict] | type[RefusedError] | type[ValidationException]] = {
    "RESOURCE_DOES_NOT_EXIST": NotFound,
    "RESOURCE_ALREADY_EXISTS": Conflict,
    "PERMISSION_DENIED": RefusedError,
    "INVALID_PARAMETER_VALUE": ValidationException,
    "BAD_REQUEST": ValidationException,
    "INVALID_STATE": ValidationException,
}


def _make_error(status: int, reply: dict[str, Any]) -> SmaltError:
    message = str(reply.get("message") or f"MLflow answered with status {status}")
    kind = _KINDS.get(str(reply.get("error_code")))
    if kind is None and status >= 500:
        return Unavailable(message)
    return (kind or ValidationException)(message)
