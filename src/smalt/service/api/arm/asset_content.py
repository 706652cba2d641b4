"""Content that a version names by the job, run or model that made it: it must exist, and is stored by its location."""

from __future__ import annotations

from smalt.exceptions import ValidationException
from smalt.service.api.request import ApiRequest
from smalt.service.data.job_data.access_modes import explain_missing

_BY_NAME = ("runs:/", "models:/", "mlflow-artifacts:/", "azureml://jobs/", "azureml://runs/")


def resolve_named_content(request: ApiRequest, what: str, uri: str) -> str | None:
    """Return the URI of the current location that `uri` names; None for a path or a URL, which are stored as written.

    Raise ValidationException if nothing has that name: the version would change its meaning once something did.
    """
    if not uri.startswith(_BY_NAME):
        return None
    place = request.server.data.resolve(uri, request.workspace)
    if place.remote is None and not place.exists:
        raise ValidationException(f"{what}: {explain_missing(place)}")
    if place.datastore is not None:
        return f"azureml://datastores/{place.datastore}/paths/{place.relative}"
    return place.path.as_uri() if place.path is not None else place.remote
