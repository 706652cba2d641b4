"""`ml_client.schedules`"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smalt.client.collections.collection import Collection
from smalt.client.collections.pollers import CompletedPoller
from smalt.client.connection.notices import print_notice

if TYPE_CHECKING:
    from smalt.entities.schedules.schedule import Schedule


class ScheduleOperations(Collection):
    """Schedules, which are stored, changed and listed; smalt does not run them yet."""

    kind = "schedule"
    segment = "schedules"

    def begin_create_or_update(self, schedule: Schedule, **kwargs: Any) -> CompletedPoller[Schedule]:
        """Store the schedule; it stays enabled or disabled unless it says otherwise."""
        print_notice("schedules are stored; smalt does not run them yet")
        return CompletedPoller(self._put_entity(schedule))

    def get(self, name: str, **kwargs: Any) -> Schedule:
        found: Schedule = self._parse_entity(self._connection.get(self._build_path(name)))
        return found

    def list(self, *, list_view_type: str = "EnabledOnly", **kwargs: Any) -> Iterator[Schedule]:
        """Yield the enabled schedules; `DisabledOnly` and `All` select others."""
        return self._list_entities(
            self._build_path(), listViewType=str(getattr(list_view_type, "value", list_view_type))
        )

    def begin_enable(self, name: str, **kwargs: Any) -> CompletedPoller[Schedule]:
        return self._set_enabled(name, True)

    def begin_disable(self, name: str, **kwargs: Any) -> CompletedPoller[Schedule]:
        return self._set_enabled(name, False)

    def begin_delete(self, name: str, **kwargs: Any) -> CompletedPoller[None]:
        return self._delete_existing(self._build_path(name))

    def trigger(self, name: str, **kwargs: Any) -> Any:
        """Raise the server's refusal: smalt runs no schedules yet."""
        return self._connection.post(f"{self._build_path(name)}/trigger", {})

    def _set_enabled(self, name: str, on: bool) -> CompletedPoller[Schedule]:
        body = self._connection.get(self._build_path(name))
        body["properties"]["isEnabled"] = on
        return CompletedPoller(self._parse_entity(self._connection.put(self._build_path(name), body)))
