"""Schedules: create, list, change, delete, and run now; their next times and last ticks."""

from __future__ import annotations

import time
from typing import Any

from smalt.exceptions import ValidationException
from smalt.service.api.arm.resource_collection import ResourceCollection
from smalt.service.api.request import ApiRequest
from smalt.service.api.router import Handler
from smalt.service.records.resources import ResourceRecord
from smalt.service.records.schedules import Tick
from smalt.service.schedules import actions
from smalt.service.schedules.zones import find_zone, parse_moment
from smalt.wire.jobs.distillation import without_secrets

Body = dict[str, Any]

_NEXT, _LAST = 5, 10
_WATCHED = "smalt.watched-files"


class _ScheduleCollection(ResourceCollection):
    def list_routes(self) -> list[tuple[str, str, Handler]]:
        return [*super().list_routes(), ("POST", f"/{self.segment}/{{name}}/trigger", self.trigger_schedule)]

    async def trigger_schedule(self, request: ApiRequest) -> Body:
        """Make the schedule's job now; the answer names it."""
        found, body = self.find_resource(request), await request.read_object()
        at = _parse_time(body.get("scheduleTime"))
        job = request.server.scheduler.trigger_schedule(request.workspace, found, at, request.principal)
        kind = actions.get_action_type(found.content["properties"])
        return {"submissionId": job, "scheduleActionType": kind}

    def render_alone(self, request: ApiRequest, resource: ResourceRecord) -> Body:
        """Return a schedule; with its next times and last ticks, unless Azure's client asks, which knows neither."""
        shape, scheduler = self.render_resource(request, resource), request.server.scheduler
        if request.azure_release is None:
            shape["properties"]["nextTimes"] = [
                actions.format_time(at) for at in scheduler.list_next_times(resource, _NEXT)
            ]
            shape["properties"]["lastTicks"] = [
                _render_tick(tick) for tick in scheduler.list_last_ticks(resource, _LAST)
            ]
        return shape

    def is_listed(self, request: ApiRequest, resource: ResourceRecord) -> bool:
        """True if the schedule is enabled, or if the request's view includes disabled ones."""
        view = request.get_query("listViewType", "EnabledOnly").lower()
        enabled = bool(resource.content["properties"].get("isEnabled", True))
        return view == "all" or enabled == (view != "disabledonly")

    async def check_properties(self, request: ApiRequest, properties: Body) -> Body:
        """Return the properties; what a watched folder has is looked up, as it is to be stored beside them."""
        request.scope[_WATCHED] = await request.server.scheduler.list_watched_files(request.workspace, properties)
        return properties

    def prepare_properties(self, request: ApiRequest, properties: Body, existed: ResourceRecord | None) -> Body:
        """Return the properties without secrets, after the checks of the job that the schedule makes."""
        action = properties.get("action")
        job = action.get("jobDefinition") if isinstance(action, dict) else None
        if isinstance(action, dict) and isinstance(job, dict):
            properties = {**properties, "action": {**action, "jobDefinition": without_secrets(job)}}
        before = existed.content["properties"] if existed else {}
        if any(properties.get(key) != before.get(key) for key in ("action", "trigger", "properties")):
            files = request.scope.get(_WATCHED)
            request.server.scheduler.check_schedule(request.workspace, request.get_name(), properties, files)
        return properties

    def handle_stored(self, request: ApiRequest, resource: ResourceRecord) -> None:
        request.server.scheduler.put_schedule(request.workspace, resource, request.scope.get(_WATCHED))

    def forget_resource(self, request: ApiRequest, resource: ResourceRecord) -> None:
        request.server.scheduler.remove_schedule(resource)

    def render_properties(self, request: ApiRequest, resource: ResourceRecord, properties: Body) -> Body:
        return {"tags": {}, "properties": {}, "isEnabled": True, **properties}


def _parse_time(given: Any) -> float:
    if given is None:
        return time.time()
    try:
        return parse_moment(str(given), find_zone("UTC")).timestamp()
    except (ValueError, TypeError):
        raise ValidationException("'scheduleTime' must be a time such as '2026-01-31T10:15:00Z'") from None


def _render_tick(tick: Tick) -> Body:
    shape: Body = {"time": actions.format_time(tick.time), "cause": tick.cause, "status": tick.status}
    if tick.last_time is not None and tick.count > 1:
        shape.update(until=actions.format_time(tick.last_time), count=tick.count)
    if tick.job is not None and tick.status == "fired":
        shape["job"] = tick.job
        shape["late"] = round(max(0.0, (tick.settled_at or tick.time) - tick.time), 3)
    if tick.changed:
        shape["changed"] = tick.changed
    if tick.reason:
        shape["reason"] = tick.reason
    return shape


SCHEDULES = _ScheduleCollection("schedules", "schedule", "schedule")
