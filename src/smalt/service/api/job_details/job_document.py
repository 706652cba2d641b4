"""GET /smalt/v1{WS}/jobs/{name}/document: {"yaml"}, the file by which the job can be submitted again.

Code, components and environments are named by their versions in this workspace; `smalt job export` writes them out.
With `as_written=true` a reference is what was submitted (`azureml:cars@latest`, not the version that it meant). Where
that cannot be told, as one version was named in two ways, the version stays and a comment at the top says the ways.
Numbers and booleans are written as such; the text of an input that a component declares as a string stays text.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from smalt import wire
from smalt.entities.schema.problems import join_words
from smalt.entities.syntax.references import parse_reference
from smalt.exceptions import SmaltError
from smalt.service.api.arm.jobs import find_job
from smalt.service.api.request import ApiRequest
from smalt.service.engine.submission import lookup
from smalt.service.engine.submission.pins import Pins
from smalt.service.records import jobs, pins
from smalt.yaml.dumping import dump_plain
from smalt.yaml.submitted_documents import describe_submission


async def get_document(request: ApiRequest) -> dict[str, Any]:
    db, job = request.server.db, find_job(request)
    properties = jobs.read_properties(db, job.id)
    unclear: dict[str, list[str]] = {}
    if request.get_flag("as_written"):
        properties, unclear = Pins(pins.get_job_pins(db, job)).restore_written(properties)
    entity = wire.from_rest({"properties": properties}, "job", is_answer=True)
    comments = [_describe_ways(reference, ways) for reference, ways in unclear.items()]
    types = cache(partial(_find_input_types, request))  # many steps may be of one component
    return {"yaml": "".join(comments) + dump_plain(describe_submission(entity, types))}


def _find_input_types(request: ApiRequest, component: str) -> dict[str, str | None]:
    """Return the declared types of a component's inputs; none if it is not there any more."""
    context = request.server.engine.context
    try:
        properties = lookup.read_component(context, request.server.db, request.workspace, component)
    except SmaltError:
        return {}
    declared = (properties.get("componentSpec") or {}).get("inputs") or {}
    return {name: form.get("type") for name, form in declared.items() if isinstance(form, dict)}


def _describe_ways(reference: str, ways: list[str]) -> str:
    return f"# {_shorten_reference(reference)} was written as {join_words([_shorten_reference(way) for way in ways])}\n"


def _shorten_reference(reference: str) -> str:
    """Return a reference with a version of this workspace in its short form, any other as it is."""
    found = parse_reference(reference)
    is_own = found is not None and found.version and not found.registry
    return f"azureml:{found.name}:{found.version}" if found is not None and is_own else reference


ROUTES = [("GET", "/jobs/{name}/document", get_document)]
