"""`ml_client.schedules`"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smalt.client.collections.collection import Collection
from smalt.client.collections.pollers import Done
from smalt.client.connection.notices import print_notice

if TYPE_CHECKING:
    from smalt.entities.schedules.schedule import Schedule


class ScheduleOperations(Collection):
    """Schedules are kept, changed and listed; none happens yet."""

    kind = "schedule"
    segment = "schedules"

    def begin_create_or_update(self, schedule: Schedule, **kwargs: Any) -> Done[Schedule]:
        """Keep the schedule; one that was on or off stays so unless it says otherwise."""
        print_notice("schedules are kept, but smalt runs none yet")
        return Done(self._put(schedule))

    def get(self, name: str, **kwargs: Any) -> Schedule:
        found: Schedule = self._entity(self._connection.get(self._path(name)))
        return found

    def list(self, *, list_view_type: str = "EnabledOnly", **kwargs: Any) -> Iterator[Schedule]:
        """Those that are on; `DisabledOnly` and `All` ask for others."""
        return self._pages(self._path(), listViewType=str(getattr(list_view_type, "value", list_view_type)))

    def begin_enable(self, name: str, **kwargs: Any) -> Done[Schedule]:
        return self._switch(name, True)

    def begin_disable(self, name: str, **kwargs: Any) -> Done[Schedule]:
        return self._switch(name, False)

    def begin_delete(self, name: str, **kwargs: Any) -> Done[None]:
        return self._remove(self._path(name))

    def trigger(self, name: str, **kwargs: Any) -> Any:
        """Refused: nothing happens at a schedule's time yet, so it cannot happen now."""
        return self._connection.post(f"{self._path(name)}/trigger", {})

    def _switch(self, name: str, on: bool) -> Done[Schedule]:
        body = self._connection.get(self._path(name))
        body["properties"]["isEnabled"] = on
        return Done(self._entity(self._connection.put(self._path(name), body)))
