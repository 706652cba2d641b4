"""`ml_client.schedules`"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from smalt.client.collections.collection import Collection
from smalt.client.collections.pollers import CompletedPoller
from smalt.client.connection.notices import print_notice
from smalt.exceptions import LocatedProblem, ValidationException

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
        with _locate_problems(schedule):
            stored = self._put_entity(schedule)
        if stored.create_monitor is not None:
            print_notice(f"schedule '{stored.name}' is kept; smalt runs no monitors, so it has no ticks")
        elif stored.is_enabled is not False and not stored.next_times and getattr(stored.trigger, "end_time", None):
            print_notice(f"schedule '{stored.name}' has no time to come: its end_time is past")
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


@contextmanager
def _locate_problems(schedule: Schedule) -> Iterator[None]:
    """Add to each problem that the server finds its line: in the schedule's file, or in that of its job or import."""
    from smalt.client.jobs.validation import add_places

    try:
        yield
    except ValidationException as error:
        located: list[LocatedProblem] = []
        for problem in error.problems:
            noun, message = _find_origin(schedule, problem.message)
            located += add_places(noun, [problem._replace(message=message)])
        raise ValidationException(located) from None


def _find_origin(schedule: Schedule, message: str) -> tuple[Any, str]:
    """Return the entity that a problem is about, and the problem as one of that entity."""
    for key in ("create_job", "import_data"):
        inner = getattr(schedule, key)
        inner = getattr(inner, "job", inner)
        is_own = not isinstance(inner, (str, type(None))) and (
            schedule.source_path is None or inner.source_path not in (None, schedule.source_path)
        )
        if is_own and message.startswith(f"{key}."):
            return inner, message.removeprefix(f"{key}.")
    return schedule, message
