"""What all collections share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from smalt import wire
from smalt.wire.ids import asset_id, resource_id

if TYPE_CHECKING:
    from smalt.client.client import MLClient
    from smalt.client.connection import Connection

T = TypeVar("T")


class Collection:
    """The operations on one kind of resource of a workspace."""

    kind = ""
    """The entities' word for it: "job", "data", …"""
    segment = ""
    """The path's: "jobs", "data", …"""

    def __init__(self, client: MLClient) -> None:
        self._client = client

    @property
    def _connection(self) -> Connection:
        return self._client.connection

    @property
    def _workspace(self) -> str:
        return self._client.workspace_id

    def _path(self, name: str = "", version: str | None = None) -> str:
        if not name:
            return f"{self._workspace}/{self.segment}"
        if version is None:
            return resource_id(self._workspace, self.segment, name)
        return asset_id(self._workspace, self.segment, name, version)

    def _entity(self, body: dict[str, Any]) -> Any:
        return wire.from_rest(body, self.kind)

    def _pages(self, path: str, **query: object) -> Iterator[Any]:
        return (self._entity(body) for body in self._connection.pages(path, **query))


class Poller(Generic[T]):
    """An operation that may still go on at the server; named as the service's client has it."""

    def __init__(self, done: Callable[[], bool], result: Callable[[], T]) -> None:
        self._done = done
        self._result = result

    def done(self) -> bool:
        return self._done()

    def status(self) -> str:
        return "Succeeded" if self._done() else "InProgress"

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it is done, at most `timeout` seconds."""
        import time

        until = None if timeout is None else time.monotonic() + timeout
        pause = 0.01
        while not self._done() and (until is None or time.monotonic() < until):
            time.sleep(pause)
            pause = min(pause * 1.5, 0.5)

    def result(self, timeout: float | None = None) -> T:
        self.wait(timeout)
        return self._result()


class Done(Poller[T]):
    """An operation that was over when the server answered; what it answered is also had by name."""

    def __init__(self, value: T) -> None:
        super().__init__(lambda: True, lambda: value)
        self._value = value

    def __getattr__(self, name: str) -> Any:
        return getattr(self._value, name)
