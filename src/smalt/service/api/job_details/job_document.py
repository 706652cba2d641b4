"""GET /smalt/v1{WS}/jobs/{name}/document: {"yaml"}, the file by which the job can be submitted again.

Code, components and environments are named by their versions in this workspace; `smalt job export` writes them out.
"""

from __future__ import annotations

from typing import Any

from smalt import wire
from smalt.service.api.arm.jobs import find_job
from smalt.service.api.request import ApiRequest
from smalt.service.records import jobs
from smalt.yaml.dumping import dump_plain
from smalt.yaml.submitted_documents import describe_submission


async def get_document(request: ApiRequest) -> dict[str, Any]:
    properties = jobs.read_properties(request.server.db, find_job(request).id)
    return {"yaml": dump_plain(describe_submission(wire.from_rest({"properties": properties}, "job", is_answer=True)))}


ROUTES = [("GET", "/jobs/{name}/document", get_document)]
