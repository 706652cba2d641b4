"""`ml_client.compute`"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from smalt import wire
from smalt.client.assets import Assets
from smalt.client.collection import Collection, Done


class ComputeOperations(Collection):
    kind = "compute"
    segment = "computes"

    def begin_create_or_update(self, compute: Any, **_: object) -> Done[Any]:
        body = wire.to_rest(compute, Assets(self._client))
        body.setdefault("location", "local")
        return Done(self._entity(self._connection.put(self._path(compute.name), body)))

    begin_update = begin_create_or_update
    begin_attach = begin_create_or_update

    def get(self, name: str) -> Any:
        return self._entity(self._connection.get(self._path(name)))

    def list(self, *, compute_type: str | None = None, **_: object) -> Iterator[Any]:
        found = self._pages(self._path())
        return (each for each in found if compute_type in (None, each.type))

    def begin_delete(self, name: str, *, action: str = "Delete", **_: object) -> Done[None]:
        self._connection.request("DELETE", self._path(name), query={"underlyingResourceAction": action})
        return Done(None)

    def begin_start(self, name: str) -> Done[None]:
        return self._do(name, "start")

    def begin_stop(self, name: str) -> Done[None]:
        return self._do(name, "stop")

    def begin_restart(self, name: str) -> Done[None]:
        return self._do(name, "restart")

    def _do(self, name: str, action: str) -> Done[None]:
        self._connection.post(f"{self._path(name)}/{action}")
        return Done(None)
