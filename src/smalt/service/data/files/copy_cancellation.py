"""Cancellation of copies: a copy for a job ends when the job is canceled, between two files or two pieces of a
large one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from smalt.exceptions import SmaltError

_asked: ContextVar[Callable[[], bool] | None] = ContextVar("asked", default=None)


class CopyStopped(SmaltError):
    """A copy was stopped because its result is no longer needed."""


@contextmanager
def stop_when(asked: Callable[[], bool]) -> Iterator[None]:
    """Make copies inside the block, in this thread, raise CopyStopped as soon as `asked` returns True."""
    token = _asked.set(asked)
    try:
        yield
    finally:
        _asked.reset(token)


def check_stop() -> None:
    """Raise CopyStopped if the copy's result is no longer needed."""
    asked = _asked.get()
    if asked is not None and asked():
        raise CopyStopped("the job was canceled")
