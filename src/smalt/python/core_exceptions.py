"""`azure.core.exceptions`, where azure-core is not installed: the classes that programs catch."""

from __future__ import annotations

from typing import Any


class AzureError(Exception):
    def __init__(self, message: object = "", *args: Any, **_: Any) -> None:
        self.message = str(message)
        super().__init__(self.message, *args)


class ServiceRequestError(AzureError):
    """The request never reached the service."""


class ServiceResponseError(AzureError):
    """The answer could not be understood."""


class HttpResponseError(AzureError):
    status_code: int | None = None
    reason: str | None = None

    def __init__(self, message: object = None, response: Any = None, **rest: Any) -> None:
        self.response = response
        self.reason = getattr(response, "reason", None)
        if response is not None:
            self.status_code = getattr(response, "status_code", None)
        super().__init__(message or "Operation returned an invalid status", **rest)


class DecodeError(HttpResponseError): ...


class ResourceExistsError(HttpResponseError): ...


class ResourceNotFoundError(HttpResponseError): ...


class ClientAuthenticationError(HttpResponseError): ...


class ResourceModifiedError(HttpResponseError): ...


class ResourceNotModifiedError(HttpResponseError): ...


class TooManyRedirectsError(HttpResponseError): ...


class SerializationError(ValueError): ...


class DeserializationError(ValueError): ...
