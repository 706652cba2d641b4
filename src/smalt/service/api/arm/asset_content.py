"""The content of a version that is named by what made it: it must be there, and is kept as its place."""

from __future__ import annotations

from smalt.exceptions import ValidationException
from smalt.service.api.request import ApiRequest
from smalt.service.data.job_data.access_modes import missing

_BY_NAME = ("runs:/", "models:/", "mlflow-artifacts:/", "azureml://jobs/", "azureml://runs/")


def resolve_named_content(request: ApiRequest, what: str, uri: str) -> str | None:
    """Return as a URI where that is now which `what` names; None for a path or a URL, which stay as written.

    Refused where nothing has the name: a version would mean what somebody calls so one day.
    """
    if not uri.startswith(_BY_NAME):
        return None
    place = request.server.data.resolve(uri, request.workspace)
    if place.remote is None and not place.exists:
        raise ValidationException(f"{what}: {missing(place)}")
    if place.datastore is not None:
        return f"azureml://datastores/{place.datastore}/paths/{place.relative}"
    return place.path.as_uri() if place.path is not None else place.remote
