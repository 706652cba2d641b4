"""A request as handlers see it: its server, workspace, principal, and a validated body."""

from __future__ import annotations

import json
import math
import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, NoReturn

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from smalt.exceptions import LocatedProblem, RefusedError, ValidationException
from smalt.service.api.errors import BodyTooLarge
from smalt.service.api.repeated_keys import RepeatedKeys
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace

if TYPE_CHECKING:
    from smalt.service.api.server_context import ServerContext

_MOST_DIGITS = 1000
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_AZURE = re.compile(r"\bazure-ai-ml/1\.(\d{1,4})\.")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class ApiRequest(Request):
    """A request that the middleware has authenticated."""

    @property
    def server(self) -> ServerContext:
        service: ServerContext = self.scope["smalt.service"]
        return service

    @property
    def workspace(self) -> Workspace:
        workspace: Workspace = self.scope["smalt.workspace"]
        return workspace

    @property
    def principal(self) -> str:
        return str(self.scope["smalt.principal"])

    @property
    def job(self) -> Job | None:
        """The job whose token the request carries, or None."""
        job: Job | None = self.scope["smalt.job"]
        return job

    @property
    def is_local(self) -> bool:
        """True if the request came over the Unix socket: the caller sees the same files as the server."""
        return bool(self.scope["smalt.local"])

    @property
    def server_url(self) -> str:
        """The address by which the caller reaches this server; never stored."""
        return str(self.scope["smalt.base"])

    @property
    def azure_release(self) -> int | None:
        """The minor release of azure-ai-ml (35 for 1.35.2); None for all other clients."""
        found = _AZURE.search(self.headers.get("user-agent", ""))
        return int(found[1]) if found else None

    def get_name(self, parameter: str = "name") -> str:
        """Return a parameter of the path without the `azureml:` prefix.

        Azure's client leaves it there where a program names `azureml:NAME@LABEL`.
        """
        return str(self.path_params[parameter]).removeprefix("azureml:")

    def get_query(self, parameter: str, default: str = "") -> str:
        return self.query_params.get(parameter, default)

    def get_flag(self, parameter: str) -> bool:
        return self.get_query(parameter).lower() in ("true", "1", "yes")

    def get_number(self, parameter: str, default: int) -> int:
        text = self.get_query(parameter, str(default))
        if not text.isdecimal() or len(text) > 15:
            raise ValidationException(f"'{parameter}' must be a whole number, not '{text}'")
        return int(text)

    def get_real(self, parameter: str, default: float) -> float:
        """Return a parameter of the query that is a finite number."""
        text = self.get_query(parameter)
        if not text:
            return default
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ValidationException(f"'{parameter}' must be a number, not '{text[:100]}'")
        return value

    async def read_object(self) -> dict[str, Any]:
        """Read the body, a JSON object; an empty body is an empty object."""
        limit = int(self.server.settings.max_body_mb * 1024 * 1024)
        return parse_object(b"".join(await self.read_parts(limit, "body", "send less, or raise 'max-body-mb'")))

    async def read_parts(self, limit: int, noun: str, advice: str = "") -> list[bytes]:
        """Return the body as it came; raise BodyTooLarge, with what to do, beyond so many bytes."""
        parts, size = list[bytes](), 0
        async for part in self.read_chunks():
            size += len(part)
            if size > limit:
                raise BodyTooLarge(f"the {noun} is larger than {limit} bytes" + (f"; {advice}" if advice else ""))
            parts.append(part)
        return parts

    async def read_chunks(self) -> AsyncIterator[bytes]:
        try:
            async for part in self.stream():
                yield part
        except ClientDisconnect:
            raise RefusedError("the body ended early") from None


class ApiResponse(Response):
    """A JSON answer."""

    media_type = "application/json"

    def __init__(self, content: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        super().__init__(content, status, headers)

    @staticmethod
    def from_answer(answer: Any) -> Any:
        """Return a handler's answer as a response."""
        return answer if callable(answer) else ApiResponse(answer)

    def render(self, content: Any) -> bytes:
        if self.status_code == 204:
            return b""  # one with a body ends the connection
        return json.dumps(content, separators=(",", ":"), allow_nan=False).encode()


def parse_object(raw: bytes) -> dict[str, Any]:
    """Parse JSON that can be stored and sent again: an object, finite numbers, Unicode texts without NUL."""
    if not raw.strip():
        return {}
    if b"\\u0000" in raw and _NUL.search(raw):
        raise ValidationException("the body has a NUL character in a text; remove it")
    try:
        repeated = RepeatedKeys()
        text = raw.decode(json.detect_encoding(raw))  # given bytes, json.loads lets half a character through
        loaded = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_parse_float,
            parse_int=_parse_int,
            object_pairs_hook=repeated.build_object,
        )
        if b"\\u" in raw and _SURROGATE.search(raw):
            json.dumps(loaded, ensure_ascii=False).encode()
    except UnicodeError:
        raise ValidationException("the body is not Unicode text (UTF-8)") from None
    except ValueError as error:
        raise ValidationException(f"the body is not JSON: {error}") from None
    if not isinstance(loaded, dict):
        raise ValidationException("the body must be a JSON object")
    faults = repeated.list_faults(loaded)
    if faults:
        raise ValidationException([LocatedProblem("", 0, 0, fault) for fault in faults])
    return loaded


def _parse_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:40]} is too large a number")
    return number


def _parse_int(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(text.lstrip('-'))} digits is too large; a text may have as many")
    return int(text)


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number that JSON has")
