"""The start and stop schedules of a compute instance, which is this machine: a tick changes the state that is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from smalt.entities.schedules.triggers import CronTrigger, RecurrenceTrigger, Trigger
from smalt.exceptions import LocatedProblem, ValidationException
from smalt.service.records import resources
from smalt.service.records.database import Database
from smalt.service.records.resources import ResourceRecord
from smalt.service.schedules.actions import format_time
from smalt.wire.encoding.casing import fold_case
from smalt.wire.workspaces.schedules import read_trigger

COMPUTES = "computes"
STATES = {"start": "Running", "restart": "Running", "stop": "Stopped"}
"""The state of a compute instance after each operation."""

Body = dict[str, Any]


class StartStop(NamedTuple):
    action: str
    is_on: bool
    trigger: Trigger


def list_start_stops(properties: Mapping[str, Any]) -> list[StartStop]:
    """Return the schedules in a compute's REST properties; raise ValidationException with all that is wrong."""
    found: list[StartStop] = []
    problems: list[LocatedProblem] = []
    for number, item in enumerate(_find_items(properties)):
        where = f"schedules.compute_start_stop.{number}"
        try:
            found.append(_read_item(item))
        except ValidationException as error:
            problems += [one._replace(message=f"{where}.{one.message}") for one in error.problems]
    if problems:
        raise ValidationException(problems)
    return found


def set_state(
    db: Database, workspace_id: int, compute: ResourceRecord, action: str, at: float, cause: str, principal: str
) -> None:
    """Record the state of a compute instance after an operation, unless a later one was recorded before.

    `cause` is `User` or `Schedule`. A schedule's operation may be told late, after those of other schedules.
    """
    if (compute.content.get("lastOperation") or {}).get("operationTime", "") > format_time(at):
        return
    operation = {
        "operationName": action.capitalize(),
        "operationTime": format_time(at),
        "operationStatus": "Succeeded",
        "operationTrigger": cause,
    }
    body = {**compute.content, "state": STATES[action], "lastOperation": operation}
    resources.put_resource(db, workspace_id, COMPUTES, compute.name, body, principal)


def _find_items(properties: Mapping[str, Any]) -> list[Any]:
    inner = properties.get("properties")
    schedules = inner.get("schedules") if isinstance(inner, Mapping) else None
    values = {fold_case(str(key)): value for key, value in schedules.items()} if isinstance(schedules, Mapping) else {}
    items = values.get("computestartstop") or []
    return items if isinstance(items, list) else [items]


def _read_item(item: Any) -> StartStop:
    values = {fold_case(str(key)): value for key, value in item.items()} if isinstance(item, Mapping) else {}
    action = str(values.get("action") or "").lower()
    if action not in ("start", "stop"):
        raise ValidationException(f"action: it is '{values.get('action')}', and may be start or stop")
    is_on = str(values.get("status", values.get("state")) or "enabled").lower() == "enabled"
    given = values.get("trigger")
    if isinstance(given, Mapping) and "type" in given:
        kind: type[Trigger] = CronTrigger if str(given["type"]).lower() == "cron" else RecurrenceTrigger
        try:
            return StartStop(action, is_on, kind.from_dict(given))
        except ValidationException as error:
            problems = [one._replace(message=f"trigger.{one.message}") for one in error.problems]
            raise ValidationException(problems) from None
    type = values.get("triggertype")
    inner = values.get(fold_case(str(type)))
    body = {**inner, "triggerType": type} if isinstance(inner, Mapping) else None
    return StartStop(action, is_on, read_trigger(body))
