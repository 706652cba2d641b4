"""POST /smalt/v1{WS}/jobs/{name}/debug: a step made again, for a shell of whoever asks."""

from __future__ import annotations

from typing import Any

from smalt.exceptions import Refused
from smalt.service.api.arm.jobs import find_job
from smalt.service.api.request import ApiRequest
from smalt.service.engine import kinds


async def debug_job(request: ApiRequest) -> dict[str, Any]:
    """Of a user of this machine only: the answer has its folders, and the job's own variables."""
    if not request.is_local:
        raise Refused("a step can be debugged only on the machine that runs the server; log in there")
    return await kinds.lay_out_copy(request.server.engine.rooms, find_job(request))


OWN_ROUTES = [("POST", "/jobs/{name}/debug", debug_job)]
