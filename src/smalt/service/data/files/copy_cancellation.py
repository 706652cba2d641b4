"""Copying for a job ends when that job is canceled: between two files, and between two pieces of a large one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from smalt.exceptions import SmaltError

_asked: ContextVar[Callable[[], bool] | None] = ContextVar("asked", default=None)


class Stopped(SmaltError):
    """A copy was given up, as nobody wants it any more."""


@contextmanager
def stopped_by(asked: Callable[[], bool]) -> Iterator[None]:
    """Have what is copied inside the block, in this thread, raise Stopped as soon as `asked` says so."""
    token = _asked.set(asked)
    try:
        yield
    finally:
        _asked.reset(token)


def check_stop() -> None:
    """Raise Stopped where whoever asked for this copy does not want it any more."""
    asked = _asked.get()
    if asked is not None and asked():
        raise Stopped("the job was canceled")
