"""`ml_client.schedules`"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from smalt.client.collections.collection import Collection
from smalt.client.collections.pollers import CompletedPoller
from smalt.client.connection.notices import print_notice

if TYPE_CHECKING:
    from smalt.entities.responses import ScheduleTriggerResult
    from smalt.entities.schedules.schedule import Schedule


class ScheduleOperations(Collection):
    """Schedules, which the server runs at their times."""

    kind = "schedule"
    segment = "schedules"

    def begin_create_or_update(self, schedule: Schedule, **kwargs: Any) -> CompletedPoller[Schedule]:
        """Store the schedule, and enable it unless it says otherwise.

        Raises ValidationException with what is wrong with its trigger or with its job.
        """
        from smalt.client.jobs.validation import locate_problems

        with locate_problems(_find_job(schedule) or schedule):
            stored = self._put_entity(schedule)
        if stored.create_monitor is not None:
            print_notice(f"schedule '{stored.name}' is kept; smalt runs no monitors, so it has no ticks")
        return CompletedPoller(stored)

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

    def trigger(self, name: str, **kwargs: Any) -> ScheduleTriggerResult:
        """Make the job of the schedule now, whether or not it is enabled."""
        from smalt.entities.responses import ScheduleTriggerResult

        asked = kwargs.get("schedule_time") or datetime.now(timezone.utc).isoformat()
        answer = self._connection.post(f"{self._build_path(name)}/trigger", {"scheduleTime": asked})
        return ScheduleTriggerResult(job_name=answer["submissionId"], schedule_action_type=answer["scheduleActionType"])

    def _set_enabled(self, name: str, on: bool) -> CompletedPoller[Schedule]:
        body = self._connection.get(self._build_path(name))
        body["properties"]["isEnabled"] = on
        return CompletedPoller(self._parse_entity(self._connection.put(self._build_path(name), body)))


def _find_job(schedule: Schedule) -> Any:
    """Return the job that a schedule makes, if it has the file or program line that problems are told at."""
    job = schedule.create_job
    inner = getattr(job, "job", None)
    found = job if inner is None or isinstance(inner, str) else inner
    return None if found is None or isinstance(found, str) else found
