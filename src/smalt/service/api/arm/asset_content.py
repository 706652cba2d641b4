"""Content that a version names by the job, run or model that made it: it must exist, and is stored by its location."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from smalt.exceptions import SmaltError, ValidationException
from smalt.service.api.request import ApiRequest
from smalt.service.data.content_types import explain_unfit
from smalt.service.data.job_data.access_modes import explain_missing, is_empty

WARNING = "smalt.warning"
"""The property of a version that says what is odd about it."""
_BY_NAME = ("runs:/", "models:/", "mlflow-artifacts:/", "azureml://jobs/", "azureml://runs/")


class Keys(NamedTuple):
    """The properties of a kind that say where its content is, and what."""

    uri: str
    type: str
    default_type: str


async def refuse_unfit_content(request: ApiRequest, what: str, properties: dict[str, Any], keys: Keys) -> None:
    """Raise ValidationException if the content of a new version is on this machine and not of its type: every job that
    names the version would be refused.
    """
    try:
        place = request.server.data.resolve(properties[keys.uri], request.workspace)
    except SmaltError:  # stored as written, since what it names may come later
        return
    type = str(properties.get(keys.type) or keys.default_type)
    if place.path is not None and (why := await asyncio.to_thread(explain_unfit, place.path, type)):
        raise ValidationException(f"{what} was not registered: {why}")


async def fix_named_content(request: ApiRequest, what: str, properties: dict[str, Any], keys: Keys) -> bool:
    """Replace a URI by which a job, run or model names its content with that of its location; return True if it was
    one. A path or a URL is stored as written.

    Raise ValidationException if nothing has that name, as the version would change its meaning once something did.
    """
    uri = properties[keys.uri]
    if not uri.startswith(_BY_NAME):
        return False
    place = request.server.data.resolve(uri, request.workspace)
    if place.remote is None and not place.exists:
        raise ValidationException(f"{what}: {explain_missing(place)}")
    if place.path is not None and await asyncio.to_thread(is_empty, place.path):
        noted = {**(properties.get("properties") or {}), WARNING: f"it is empty: nothing was written to {uri}"}
        properties["properties"] = noted
    if place.datastore is not None:
        properties[keys.uri] = f"azureml://datastores/{place.datastore}/paths/{place.relative}"
    else:
        properties[keys.uri] = place.path.as_uri() if place.path is not None else place.remote or uri
    return True
