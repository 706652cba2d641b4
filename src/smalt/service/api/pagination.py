"""Lists, page after page: {"value": […], "nextLink": an absolute URL or absent}."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from smalt.service.api.request import Call

Item = TypeVar("Item")

_PAGE = 500
_LARGEST_PAGE = 5000


def window(call: Call) -> tuple[int, int]:
    """How many to skip, and how many to give at most."""
    size = call.number("$top", call.number("count", _PAGE))
    return call.number("$skip", 0), max(1, min(size, _LARGEST_PAGE))


def page(call: Call, items: Sequence[Item], shape: Callable[[Item], dict[str, Any]]) -> dict[str, Any]:
    """The window of `items` that the call asks for."""
    skip, size = window(call)
    return answer(call, [shape(item) for item in items[skip : skip + size]], skip + size < len(items))


def answer(call: Call, value: list[dict[str, Any]], more: bool) -> dict[str, Any]:
    if not more:
        return {"value": value}
    skip, _ = window(call)
    query = {**call.query_params, "$skip": str(skip + len(value))}
    path = call.scope["smalt.path"]
    return {"value": value, "nextLink": f"{call.base}{path}?{urlencode(query)}"}
