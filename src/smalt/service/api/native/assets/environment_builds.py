"""The packages that are installed for an environment.

GET /smalt/v1{WS}/environments/{name}/versions/{version}/build: {"state": "built", "building" or "not built"}; of one
    that is built also "hash", "python": its version, "image", "packages": ["name==version"], and, but for `host`,
    "size": bytes, "built", "last_used": seconds since 1970, "seconds": how long the build took, "relaxed": [sentences],
    "first_job": the job that it was built for.

Nothing is built by asking. `host` is the machine's own Python, with the packages that it has now.
"""

from __future__ import annotations

import asyncio
from typing import Any

from smalt.service.api.arm.environments import ENVIRONMENTS
from smalt.service.api.request import ApiRequest
from smalt.service.engine.submission.lookup import find_environment
from smalt.service.records import environments as uses


async def get_build(request: ApiRequest) -> dict[str, Any]:
    version = ENVIRONMENTS.find_version(request, request.get_name("version"), None)
    context = request.server.engine.context
    asset = find_environment(context, request.workspace, f"azureml:{version.name}:{version.version}")
    built, is_building = await context.environments.find_build(asset)
    if built is None:
        return {"state": "building" if is_building else "not built"}
    first = {use.declared_hash: use.job for use in reversed(uses.list_uses(request.server.db))}
    stored = await asyncio.to_thread(context.environments.list_stored)
    kept = next((one for one in stored if one.hash == built.declared_hash), None)
    packages = await asyncio.to_thread(context.environments.list_packages, built)
    shape: dict[str, Any] = {
        "state": "built",
        "hash": built.declared_hash,
        "python": built.version,
        "image": built.container.id if built.container else None,
        "packages": [] if built.container else [one for one in packages if not one.startswith("python==")],
    }
    if kept is not None:
        shape.update(
            size=kept.size,
            built=kept.record.built,
            seconds=round(kept.record.seconds, 1),
            last_used=kept.last_used,
            relaxed=kept.record.relaxed,
            first_job=first.get(kept.hash),
        )
    return shape


ROUTES = [("GET", "/environments/{name}/versions/{version}/build", get_build)]
