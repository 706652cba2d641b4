"""Errors as the service sends them: {"error": {"code", "message", "target", "details"}}.

A user's error is never a 5xx, which Azure's clients would retry. If the server cannot store something (a full disk,
a read-only home) the status is 507, which they do not retry. A fault of smalt itself is a 500 with an id, under which
the server's log has the traceback.
"""

from __future__ import annotations

import errno
import logging
import secrets
from typing import Any

from starlette.exceptions import HTTPException

from smalt.exceptions import (
    Conflict,
    NotFound,
    RefusedError,
    SmaltError,
    Unauthorized,
    Unavailable,
    ValidationException,
)
from smalt.service.endpoints.online.errors import ScoringError
from smalt.service.tracking.child_connection import ChildInterrupted
from smalt.service.tracking.policy import NoRoute

logger = logging.getLogger("smalt")

_HTTP_CODES = {404: "NotFound", 405: "MethodNotAllowed"}
_MLFLOW_CODES = {
    401: "CUSTOMER_UNAUTHORIZED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    405: "ENDPOINT_NOT_FOUND",
    409: "RESOURCE_ALREADY_EXISTS",
    500: "INTERNAL_ERROR",
    503: "TEMPORARILY_UNAVAILABLE",
    507: "INTERNAL_ERROR",
}
"""Status → MLflow's code; mlflow 1.30 crashes on codes that it does not know."""
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


class BodyTooLarge(SmaltError):
    """The body of a request exceeds the limit."""

    code = "BodyTooLarge"


class ServerStopping(SmaltError):
    """The server is ending; the same request to the next server is safe."""

    code = "ServerStopping"


_STATUS: tuple[tuple[type[SmaltError], int], ...] = (
    (NotFound, 404),
    (Conflict, 409),
    (Unauthorized, 401),
    (RefusedError, 403),
    (BodyTooLarge, 413),
    (ServerStopping, 503),
    (ChildInterrupted, 503),
    (Unavailable, 507),
    (SmaltError, 400),
)


def render_error(error: Exception) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Return status, body and headers for `error`; unexpected errors are logged."""
    status, body = _render_body(error)
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="smalt"'
    return status, body, headers


def convert_for_mlflow(status: int, body: dict[str, Any]) -> dict[str, Any]:
    """Return the error body that MLflow's clients parse."""
    code, message = body["error"]["code"], body["error"]["message"]
    named = "ENDPOINT_NOT_FOUND" if code == NoRoute.code else _MLFLOW_CODES.get(status, "INVALID_PARAMETER_VALUE")
    return {"error_code": named, "message": message}


def _render_body(error: Exception) -> tuple[int, dict[str, Any]]:
    if isinstance(error, ValidationException):
        return 400, _render_validation(error)
    if isinstance(error, ScoringError):
        return error.status, _build_body(error.code, str(error))
    if isinstance(error, SmaltError):
        status = next(status for kind, status in _STATUS if isinstance(error, kind))
        return status, _build_body(error.code, str(error))
    if isinstance(error, HTTPException):
        code = _HTTP_CODES.get(error.status_code, "BadRequest")
        return error.status_code, _build_body(code, error.detail)
    if isinstance(error, RecursionError):
        return 400, _build_body("ValidationError", "the body is nested too deeply; flatten it")
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        where = f" {error.filename}" if error.filename else " to smalt's home"
        text = f"cannot write{where}: {error.strerror}; nothing was lost, make room and send it again"
        return 507, _build_body(Unavailable.code, text)
    return _handle_fault(error)


def _render_validation(error: ValidationException) -> dict[str, Any]:
    details = [
        {"code": error.code, "message": problem.message, "target": problem.file or None} for problem in error.problems
    ]
    return _build_body(error.code, str(error), details=details)


def _handle_fault(error: Exception) -> tuple[int, dict[str, Any]]:
    id = secrets.token_hex(6)
    logger.error("fault %s", id, exc_info=error)
    return 500, _build_body("InternalError", f"smalt itself failed here; its server.log tells more under {id}")


def _build_body(code: str, message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, **more}}
