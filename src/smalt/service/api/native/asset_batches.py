"""POST /smalt/v1{WS}/assets: everything that a submission needs, in one request and one transaction."""

from __future__ import annotations

from typing import Any

from smalt.exceptions import LocatedProblem, SmaltError, ValidationException
from smalt.service.api.arm.asset_collection import AssetCollection
from smalt.service.api.arm.components import COMPONENTS
from smalt.service.api.arm.data import DATA
from smalt.service.api.arm.environments import ENVIRONMENTS
from smalt.service.api.arm.models import MODELS
from smalt.service.api.request import ApiRequest
from smalt.service.api.rest_shapes import build_resource_id

_COLLECTIONS = {one.segment: one for one in (COMPONENTS, ENVIRONMENTS, DATA, MODELS)}


async def put_assets(request: ApiRequest) -> dict[str, Any]:
    """Store all items or none; the error lists every problem. Repeated requests change nothing."""
    items = (await request.read_object()).get("items")
    if not isinstance(items, list):
        raise ValidationException('"items" must be a list of {"kind", "name", "version", "body"}')
    ready, problems = [], []
    for index, item in enumerate(items):
        try:
            collection, name, version, body = _parse_item(item)
            ready.append((collection, name, version, await collection.prepare_version(request, name, version, body)))
        except ValidationException as error:
            problems += [problem._replace(message=f"items.{index}: {problem.message}") for problem in error.problems]
        except SmaltError as error:
            problems.append(LocatedProblem("", 0, 0, f"items.{index}: {error}"))
    if problems:
        raise ValidationException(problems)
    ids = []
    with request.server.db.transaction():
        for collection, name, version, properties in ready:
            collection.store_version(request, name, version, properties)
            ids.append(f"{build_resource_id(request.workspace, collection.segment, name)}/versions/{version}")
    return {"ids": ids}


def _parse_item(item: Any) -> tuple[AssetCollection, str, str, dict[str, Any]]:
    if not isinstance(item, dict):
        raise ValidationException("must be an object")
    name, version, body = item.get("name"), item.get("version"), item.get("body")
    kind = item.get("kind")
    collection = _COLLECTIONS.get(kind) if isinstance(kind, str) else None
    if collection is None:
        raise ValidationException(f"the kind must be one of {', '.join(_COLLECTIONS)}")
    if not isinstance(name, str) or not isinstance(version, str) or not isinstance(body, dict):
        raise ValidationException('needs "name" and "version", texts, and "body", an object')
    return collection, name, version, body


ROUTES = [("POST", "/assets", put_assets)]
