"""Pollers of the `begin_…` methods, with the names and methods of those of the service's client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class LROPoller(Generic[T]):
    """An operation that may still run at the server."""

    def __init__(self, done: Callable[[], bool], result: Callable[[], T]) -> None:
        self._done = done
        self._result = result
        self._callbacks: list[Callable[[LROPoller[T]], Any]] = []

    def done(self) -> bool:
        return self._done()

    def status(self) -> str:
        return "Succeeded" if self._done() else "InProgress"

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the operation has ended, at most `timeout` seconds."""
        import time

        until = None if timeout is None else time.monotonic() + timeout
        pause = 0.01
        while not self._done():
            if until is not None and time.monotonic() >= until:
                return
            time.sleep(pause)
            pause = min(pause * 1.5, 0.5)
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self)

    def result(self, timeout: float | None = None) -> T:
        self.wait(timeout)
        return self._result()

    def add_done_callback(self, func: Callable[[LROPoller[T]], Any]) -> None:
        """Call `func` once a `wait` or `result` sees the end; immediately if the operation has ended."""
        if self._done():
            func(self)
        else:
            self._callbacks.append(func)

    def remove_done_callback(self, func: Callable[[LROPoller[T]], Any]) -> None:
        self._callbacks = [each for each in self._callbacks if each is not func]


class CompletedPoller(LROPoller[T]):
    """An operation that had ended when the server answered; it has the attributes of its result too."""

    def __init__(self, value: T) -> None:
        super().__init__(lambda: True, lambda: value)
        self._value = value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._value, name)
