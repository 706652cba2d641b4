"""GET /smalt/v1{WS}/documents/step-fields: the keys of steps, of which the designer makes forms.

The answer is {"value": {TYPE: {KEY: FIELD}}}. A FIELD has the "kind" of its value ("text", "integer", "number",
"boolean", "choice", "list", "map", "group" or "any") and, where they apply, "doc", "required", "choices", "min", "max",
the "fields" of a group, its "variants" by their `type`, and the "item" of a map. Any value may be an expression.
"""

from __future__ import annotations

import asyncio
import functools
from typing import Any

from smalt.entities.schema.form_fields import describe_steps
from smalt.service.api.request import ApiRequest


async def list_step_fields(request: ApiRequest) -> dict[str, Any]:
    return {"value": await asyncio.to_thread(_describe_once)}


_describe_once = functools.cache(describe_steps)

ROUTES = [("GET", "/documents/step-fields", list_step_fields)]
