"""smalt's exceptions become those of `azure.core.exceptions` too, so that `except ResourceNotFoundError` holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smalt import exceptions

if TYPE_CHECKING:
    from types import ModuleType

_ALSO = {
    "SmaltError": ("AzureError", None),
    "ValidationException": ("HttpResponseError", 400),
    "NotFound": ("ResourceNotFoundError", 404),
    "Conflict": ("ResourceExistsError", 409),
    "RefusedError": ("HttpResponseError", 403),
    "Unauthorized": ("ClientAuthenticationError", 401),
    "Unavailable": ("ServiceRequestError", None),
}


def add_azure_bases(module: ModuleType) -> None:
    """Give smalt's classes those of `module` (azure.core.exceptions) as further bases.

    `except` looks at the real bases only, and which class is meant is not known before the program imports it.
    """
    for name, (other, status) in _ALSO.items():
        ours, theirs = getattr(exceptions, name), getattr(module, other)
        if not issubclass(ours, theirs):
            kept = tuple(base for base in ours.__bases__ if base is not exceptions._Base)
            ours.__bases__ = (*kept, theirs if status is None else _make_class_with_status(theirs, status))


def _make_class_with_status(theirs: Any, status: int) -> type:
    class Answered(theirs):  # type: ignore[misc]
        def __init__(self, *words: Any, **named: Any) -> None:
            super().__init__(*words, **named)
            self.status_code = status

    return Answered
