"""`ml_client.compute`"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from smalt import wire
from smalt.client.collections.collection import Collection
from smalt.client.collections.pollers import CompletedPoller
from smalt.client.transfers.local_assets import LocalAssets
from smalt.exceptions import RefusedError
from smalt.wire.encoding.ids import PROVIDER

if TYPE_CHECKING:
    from smalt.entities.computes.compute import Compute


class ComputeOperations(Collection):
    """Computes, which are names for this machine; with the setting `compute: any` every name is one."""

    kind = "compute"
    segment = "computes"

    def begin_create_or_update(self, compute: Compute) -> CompletedPoller[Compute]:
        body = wire.to_rest(compute, LocalAssets(self._session))
        body.setdefault("location", "local")
        return CompletedPoller(
            self._parse_entity(self._connection.put(self._build_path(str(compute.name or "")), body))
        )

    def begin_update(self, compute: Compute) -> CompletedPoller[Compute]:
        return self.begin_create_or_update(compute)

    def begin_attach(self, compute: Compute, **kwargs: Any) -> CompletedPoller[Compute]:
        return self.begin_create_or_update(compute)

    def get(self, name: str) -> Compute:
        found: Compute = self._parse_entity(self._connection.get(self._build_path(name)))
        return found

    def list(self, *, compute_type: str | None = None) -> Iterator[Compute]:
        found = self._list_entities(self._build_path())
        return (each for each in found if compute_type is None or compute_type.lower() == str(each.type).lower())

    def list_nodes(self, name: str) -> Iterator[Any]:
        """Return the machines of a cluster: none, as its jobs run on this machine."""
        self.get(name)
        return iter(())

    def list_sizes(self, *, location: str | None = None, compute_type: str | None = None) -> Sizes:
        """Return this machine and the cloud's sizes that smalt knows by name."""
        base = f"/subscriptions/{self._session.subscription_id}/providers/{PROVIDER}/locations/{location or 'local'}"
        found = [VmSize(item) for item in self._connection.get(f"{base}/vmSizes")["value"]]
        wanted = (compute_type or "").lower()
        return (each for each in found if not wanted or wanted in each.supported_compute_types.lower().split(","))

    def list_usage(self, *, location: str | None = None) -> Iterator[Any]:
        """Return the usage of quotas: none, as there are no quotas."""
        return iter(())

    def enable_sso(self, *, name: str, enable_sso: bool = True, **kwargs: Any) -> NoReturn:
        """Raise Refused: nobody logs in to a compute here."""
        self.get(name)
        raise RefusedError(f"compute '{name}' is this machine, which needs no sign-on; remove the call")

    def begin_delete(self, name: str, *, action: str = "Delete") -> CompletedPoller[None]:
        self._connection.request("DELETE", self._build_path(name), query={"underlyingResourceAction": action})
        return CompletedPoller(None)

    def begin_start(self, name: str) -> CompletedPoller[None]:
        return self._run_action(name, "start")

    def begin_stop(self, name: str) -> CompletedPoller[None]:
        return self._run_action(name, "stop")

    def begin_restart(self, name: str) -> CompletedPoller[None]:
        return self._run_action(name, "restart")

    def _run_action(self, name: str, action: str) -> CompletedPoller[None]:
        self._connection.post(f"{self._build_path(name)}/{action}")
        return CompletedPoller(None)


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
