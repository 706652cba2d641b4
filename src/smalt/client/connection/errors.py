"""The server's error bodies, in the ARM shape, turned into exceptions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from smalt.exceptions import (
    Conflict,
    LocatedProblem,
    NotFound,
    RefusedError,
    SmaltError,
    Unauthorized,
    Unavailable,
    ValidationException,
)

_BY_CODE: dict[str, type[SmaltError]] = {
    kind.code: kind for kind in (NotFound, Conflict, RefusedError, Unauthorized, Unavailable, ValidationException)
}
_AWAY = (502, 503, 504)
"""The answers of a server that is ending, and of a proxy whose server is away."""
_BY_STATUS: dict[int, type[SmaltError]] = {
    400: RefusedError,
    401: Unauthorized,
    403: RefusedError,
    404: NotFound,
    409: Conflict,
    422: RefusedError,
    507: Unavailable,
}


class ServerUnreachable(Unavailable):
    """The server cannot be reached now, or is stopping; it may come back."""


def from_response(
    status: int, body: bytes, what: str, complete_commands: Callable[[str], str] | None = None
) -> SmaltError:
    """Return the exception for a status of 400 or more; `what` names the request if the body has no message.

    `complete_commands` adds the reader's workspace to the commands in a sentence.
    """
    error = _parse_error(body)
    message = error.get("message")
    if not isinstance(message, str) or not message:
        message = f"the server answered {status} to {what} without a message"
    say = complete_commands or str
    if status in _AWAY:
        return ServerUnreachable(say(message))
    kind = _BY_CODE.get(str(error.get("code"))) or _BY_STATUS.get(status) or SmaltError
    if kind is ValidationException:
        found = [one._replace(message=say(one.message)) for one in _parse_problems(error.get("details"))]
        return ValidationException(found or say(message))
    return kind(say(message))


def _parse_error(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    error = document.get("error") if isinstance(document, dict) else None
    return error if isinstance(error, dict) else {}


def _parse_problems(details: object) -> list[LocatedProblem]:
    if not isinstance(details, list):
        return []
    return [_parse_problem(detail) for detail in details if isinstance(detail, dict) and detail.get("message")]


def _parse_problem(detail: dict[str, Any]) -> LocatedProblem:
    return LocatedProblem(str(detail.get("target") or ""), 0, 0, str(detail["message"]))
