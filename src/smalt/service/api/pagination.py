"""Pages of lists: {"value": […], "nextLink": an absolute URL or absent}."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from smalt.service.api.request import ApiRequest

Item = TypeVar("Item")

_PAGE = 500
_LARGEST_PAGE = 5000


def get_window(request: ApiRequest) -> tuple[int, int]:
    """Return the number of items to skip and the maximum number to return."""
    size = request.get_number("$top", request.get_number("count", _PAGE))
    return request.get_number("$skip", 0), max(1, min(size, _LARGEST_PAGE))


def build_page(request: ApiRequest, items: Sequence[Item], shape: Callable[[Item], dict[str, Any]]) -> dict[str, Any]:
    """Return the page of `items` that the request asks for."""
    skip, size = get_window(request)
    return wrap_page(request, [shape(item) for item in items[skip : skip + size]], skip + size < len(items))


def wrap_page(request: ApiRequest, value: list[dict[str, Any]], more: bool) -> dict[str, Any]:
    if not more:
        return {"value": value}
    skip, _ = get_window(request)
    query = {**request.query_params, "$skip": str(skip + len(value))}
    path = request.scope["smalt.path"]
    return {"value": value, "nextLink": f"{request.server_url}{path}?{urlencode(query)}"}
