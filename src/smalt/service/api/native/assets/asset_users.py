"""The users of a component or an environment.

GET /smalt/v1{WS}/{kind}/{name}/versions/{version}/users: {"jobs": [{"name", "display_name", "experiment", "status",
    "created"}], the newest first, "assets": [{"kind", "name", "version"}], "searched": how many of the newest jobs were
    searched, "more": true if there are others}; `kind` is components or environments. A pipeline is listed once, for
    all of its steps.

The bodies of the newest jobs are searched, 5,000 at most, so that the cost does not grow with the workspace.
"""

from __future__ import annotations

import asyncio
from typing import Any

from smalt.service.api.arm.asset_collection import AssetCollection
from smalt.service.api.arm.components import COMPONENTS
from smalt.service.api.arm.environments import ENVIRONMENTS
from smalt.service.api.request import ApiRequest
from smalt.service.api.router import Handler
from smalt.service.records.asset_users import find_asset_users, find_job_users

_SEARCHED = 5000
_MOST = 50


def _make_route(collection: AssetCollection) -> tuple[str, str, Handler]:
    async def list_users(request: ApiRequest) -> dict[str, Any]:
        version = collection.find_version(request, request.get_name("version"), None)
        workspace, kind = request.workspace.id, collection.segment

        def find_users() -> dict[str, Any]:
            with request.server.db.open_reader() as db:
                jobs, searched = find_job_users(
                    db, workspace, kind, version.name, version.version, searched=_SEARCHED, limit=_MOST + 1
                )
                assets = find_asset_users(db, workspace, kind, version.name, version.version, limit=_MOST + 1)
            return {
                "jobs": [job._asdict() for job in jobs[:_MOST]],
                "assets": [asset._asdict() for asset in assets[:_MOST]],
                "searched": searched,
                "more": len(jobs) > _MOST or len(assets) > _MOST,
            }

        return await asyncio.to_thread(find_users)

    return "GET", f"/{collection.segment}/{{name}}/versions/{{version}}/users", list_users


ROUTES = [_make_route(COMPONENTS), _make_route(ENVIRONMENTS)]
