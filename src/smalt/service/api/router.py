"""Routes by method and path: a tree of segments, so that building a hundred routes takes no noticeable time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from starlette.exceptions import HTTPException

from smalt.service.api.request import ApiRequest

Handler = Callable[[ApiRequest], Awaitable[Any]]
RouteTable = Iterable[tuple[str, str, Handler]]
"""Method, path template, handler. `{name}` is one segment, `{name:path}` all that follow.

Other segments compare without case, as in the service.
"""


class _RouteNode:
    __slots__ = ("handlers", "literals", "names", "one", "rest")

    def __init__(self) -> None:
        self.literals: dict[str, _RouteNode] = {}
        self.one: _RouteNode | None = None
        self.rest: _RouteNode | None = None
        self.handlers: dict[str, tuple[Handler, str]] = {}
        self.names: list[str] = []


class Router:
    def __init__(self, tables: Iterable[RouteTable]) -> None:
        self._root = _RouteNode()
        for table in tables:
            for method, template, handler in table:
                self._add_route(method, template, handler)

    def find_route(self, method: str, path: str) -> tuple[Handler, dict[str, str], str]:
        """Return handler, named segments and template; a literal segment has precedence over a named one."""
        segments = path.split("/")[1:]
        node, values = self._root, []
        for index, segment in enumerate(segments):
            found = node.literals.get(segment.lower()) or (node.one if segment else None)
            if found is None and node.rest is not None:
                node = node.rest
                values.append("/".join(segments[index:]))
                break
            if found is None:
                raise _make_not_found(path)
            if found is node.one:
                values.append(segment)
            node = found
        if not node.handlers:
            raise _make_not_found(path)
        found_here = node.handlers.get("GET" if method == "HEAD" else method)
        if found_here is None:
            allowed = ", ".join(node.handlers)
            raise HTTPException(405, f"{method[:20]} is not possible here, only {allowed}", {"Allow": allowed})
        handler, template = found_here
        return handler, dict(zip(node.names, values, strict=True)), template

    def _add_route(self, method: str, template: str, handler: Handler) -> None:
        node, names = self._root, []
        for segment in template.split("/")[1:]:
            if not segment.startswith("{"):
                node = node.literals.setdefault(segment.lower(), _RouteNode())
                continue
            name, _, kind = segment[1:-1].partition(":")
            names.append(name)
            if kind == "path":
                node.rest = node.rest or _RouteNode()
                node = node.rest
            else:
                node.one = node.one or _RouteNode()
                node = node.one
        node.handlers[method] = handler, template
        node.names = names


def _make_not_found(path: str) -> HTTPException:
    return HTTPException(404, f"there is nothing at {path[:200]}")
