"""The space that a home takes, counted beside the requests.

GET /smalt/v1/disk/last: {"items": [{"workspace", "kind", "bytes"}] or null before the first count has ended, workspace
    null for what all workspaces share; "counted": when, in seconds since 1970; "took": seconds; "counting": true while
    a count is under way; "disk": {"free", "size", "full"}}. An answer never waits. It starts a count if the last one
    is older than five minutes, or with `refresh=true` than ten seconds; never two at once, and never so often that
    counting takes more than a tenth of the time. `GET /smalt/v1/disk` counts at once, as long as that takes.
"""

from __future__ import annotations

from typing import Any

from smalt.service.api.native.costs import list_home_sizes
from smalt.service.api.native.status import get_disk
from smalt.service.api.request import ApiRequest
from smalt.service.records import workspaces

_OLD, _FRESH = 300.0, 10.0


async def get_last_count(request: ApiRequest) -> dict[str, Any]:
    root, count = request.server.home.root, request.server.disk_count
    named = {one.folder: one.name for one in workspaces.list_workspaces(request.server.db)}
    count.start_if_older(_FRESH if request.get_flag("refresh") else _OLD, lambda: list_home_sizes(root, named))
    return {
        "items": count.items,
        "counted": count.counted,
        "took": round(count.took, 3),
        "counting": count.is_counting,
        "disk": get_disk(root),
    }


GLOBAL_ROUTES = [("GET", "/smalt/v1/disk/last", get_last_count)]
