"""POST /smalt/v1{WS}/assets: all that a submission needs, in one request and one transaction."""

from __future__ import annotations

from typing import Any

from smalt.exceptions import Located, SmaltError, ValidationException
from smalt.service.api.arm.asset_collection import Collection
from smalt.service.api.arm.components import COMPONENTS
from smalt.service.api.arm.data import DATA
from smalt.service.api.arm.environments import ENVIRONMENTS
from smalt.service.api.arm.models import MODELS
from smalt.service.api.request import Call
from smalt.service.api.rest_shapes import resource_id

_COLLECTIONS = {one.segment: one for one in (COMPONENTS, ENVIRONMENTS, DATA, MODELS)}


async def put_assets(call: Call) -> dict[str, Any]:
    """Idempotent; either all are kept or, with every problem told, none."""
    items = (await call.object()).get("items")
    if not isinstance(items, list):
        raise ValidationException('"items" must be a list of {"kind", "name", "version", "body"}')
    ready, problems = [], []
    for index, item in enumerate(items):
        try:
            collection, name, version, body = _item(item)
            ready.append((collection, name, version, await collection.prepared(call, name, version, body)))
        except ValidationException as error:
            problems += [problem._replace(message=f"items.{index}: {problem.message}") for problem in error.problems]
        except SmaltError as error:
            problems.append(Located("", 0, 0, f"items.{index}: {error}"))
    if problems:
        raise ValidationException(problems)
    ids = []
    with call.service.db.transaction():
        for collection, name, version, properties in ready:
            collection.store(call, name, version, properties)
            ids.append(f"{resource_id(call.workspace, collection.segment, name)}/versions/{version}")
    return {"ids": ids}


def _item(item: Any) -> tuple[Collection, str, str, dict[str, Any]]:
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
