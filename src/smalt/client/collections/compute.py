"""`ml_client.compute`"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from smalt import wire
from smalt.client.collections.collection import Collection
from smalt.client.collections.pollers import Done
from smalt.client.transfers.local_assets import Assets
from smalt.exceptions import Refused
from smalt.wire.encoding.ids import PROVIDER

if TYPE_CHECKING:
    from smalt.entities.computes.compute import Compute


class ComputeOperations(Collection):
    """Computes are names for this machine; with the setting `compute: any` every name is one."""

    kind = "compute"
    segment = "computes"

    def begin_create_or_update(self, compute: Compute) -> Done[Compute]:
        body = wire.to_rest(compute, Assets(self._session))
        body.setdefault("location", "local")
        return Done(self._entity(self._connection.put(self._path(str(compute.name or "")), body)))

    def begin_update(self, compute: Compute) -> Done[Compute]:
        return self.begin_create_or_update(compute)

    def begin_attach(self, compute: Compute, **kwargs: Any) -> Done[Compute]:
        return self.begin_create_or_update(compute)

    def get(self, name: str) -> Compute:
        found: Compute = self._entity(self._connection.get(self._path(name)))
        return found

    def list(self, *, compute_type: str | None = None) -> Iterator[Compute]:
        found = self._pages(self._path())
        return (each for each in found if compute_type is None or compute_type.lower() == str(each.type).lower())

    def list_nodes(self, name: str) -> Iterator[Any]:
        """The machines of a cluster: none of its own, as its jobs run on this one."""
        self.get(name)
        return iter(())

    def list_sizes(self, *, location: str | None = None, compute_type: str | None = None) -> Sizes:
        """This machine, and the sizes of the cloud that are known here by name."""
        base = f"/subscriptions/{self._session.subscription_id}/providers/{PROVIDER}/locations/{location or 'local'}"
        found = [VmSize(item) for item in self._connection.get(f"{base}/vmSizes")["value"]]
        wanted = (compute_type or "").lower()
        return (each for each in found if not wanted or wanted in each.supported_compute_types.lower().split(","))

    def list_usage(self, *, location: str | None = None) -> Iterator[Any]:
        """What is used of the quota: there is none."""
        return iter(())

    def enable_sso(self, *, name: str, enable_sso: bool = True, **kwargs: Any) -> NoReturn:
        """Refused: nobody logs in to a compute here."""
        self.get(name)
        raise Refused(f"compute '{name}' is a name for this machine, and nobody logs in to it; leave the call out")

    def begin_delete(self, name: str, *, action: str = "Delete") -> Done[None]:
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


Sizes = Iterator["VmSize"]


class VmSize:
    """A size of machine, with the names that the service's client has."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.name: str = facts["name"]
        self.family: str | None = facts.get("family")
        self.v_cp_us: int | None = facts.get("vCPUs")
        self.gpus: int | None = facts.get("gpus")
        self.memory_gb: float | None = facts.get("memoryGB")
        self.os_vhd_size_mb: int | None = facts.get("osVhdSizeMB")
        self.max_resource_volume_mb: int | None = facts.get("maxResourceVolumeMB")
        self.low_priority_capable: bool | None = facts.get("lowPriorityCapable")
        self.premium_io: bool | None = facts.get("premiumIO")
        self.supported_compute_types: str = ",".join(facts.get("supportedComputeTypes") or ())

    def __repr__(self) -> str:
        return f"VmSize(name='{self.name}', v_cp_us={self.v_cp_us}, gpus={self.gpus}, memory_gb={self.memory_gb})"
