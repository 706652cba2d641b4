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
    from smalt.entities.responses import VmSize


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
        """Yield this machine and the cloud's sizes that smalt knows by name."""
        base = f"/subscriptions/{self._session.subscription_id}/providers/{PROVIDER}/locations/{location or 'local'}"
        wanted = (compute_type or "").lower()
        for item in self._connection.get(f"{base}/vmSizes")["value"]:
            if not wanted or wanted in map(str.lower, item.get("supportedComputeTypes") or ()):
                yield _parse_size(item)

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


def _parse_size(facts: dict[str, Any]) -> VmSize:
    from smalt.entities.responses import VmSize

    size = VmSize(
        name=facts["name"],
        family=facts.get("family"),
        v_cp_us=facts.get("vCPUs"),
        gpus=facts.get("gpus"),
        memory_gb=facts.get("memoryGB"),
        os_vhd_size_mb=facts.get("osVhdSizeMB"),
        max_resource_volume_mb=facts.get("maxResourceVolumeMB"),
        low_priority_capable=facts.get("lowPriorityCapable"),
        premium_io=facts.get("premiumIO"),
    )
    types = ",".join(facts.get("supportedComputeTypes") or ())  # azure.ai.ml has a text there, too
    size.supported_compute_types = types  # type: ignore[assignment]
    return size
