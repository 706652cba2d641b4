"""POST /smalt/v1{WS}/jobs/{name}/debug: a step's folder and environment, laid out for a shell."""

from __future__ import annotations

from typing import Any

from smalt.exceptions import RefusedError
from smalt.service.api.arm.jobs import find_job
from smalt.service.api.request import ApiRequest
from smalt.service.engine import kinds


async def debug_job(request: ApiRequest) -> dict[str, Any]:
    """Lay out a step for the caller's shell; local callers only, as the answer has folders and the job's variables."""
    if not request.is_local:
        raise RefusedError("a step can be debugged only on the machine that runs the server; log in there")
    return await kinds.lay_out_copy(request.server.engine.context, find_job(request))


OWN_ROUTES = [("POST", "/jobs/{name}/debug", debug_job)]
