"""Grid sampling: each combination of a space of choices once, the last parameter changing fastest."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from smalt.service.sweeps.space import Alternatives, Literal, Node, Point, Row, Space
from smalt.service.sweeps.trials import Running, Told


class GridSampler:
    """The combinations in the order in which nested loops over the choices, as they are written, would make them."""

    is_slow = False

    def __init__(self, space: Space) -> None:
        self._space = space
        self._count = _count_values(space, "")

    def count_points(self) -> int:
        return self._count

    def propose(self, number: int, told: Sequence[Told], running: Sequence[Running]) -> Point:
        if not 0 <= number < self._count:
            raise ValueError(f"the grid has {self._count} points, and no number {number}")
        point: Point = _get_value(self._space, number)
        return point


def _count_values(node: Node, path: str) -> int:
    if isinstance(node, Literal):
        return 1
    if isinstance(node, Alternatives):
        return sum(_count_values(option, f"{path}/{index}") for index, option in enumerate(node.options))
    if isinstance(node, Space):
        return prod(_count_values(each, f"{path}/{name}" if path else name) for name, each in node.entries.items())
    if isinstance(node, Row):
        return prod(_count_values(each, f"{path}/{place}") for place, each in enumerate(node.items))
    raise ValueError(f"grid sampling needs a choice of values, and '{path}' is another distribution")


def _get_value(node: Node, number: int) -> Any:
    """Return the value of this number among all that the node has."""
    if isinstance(node, Alternatives):
        for option in node.options:
            count = _count_values(option, "")
            if number < count:
                return _get_value(option, number)
            number -= count
    if isinstance(node, Space):
        return dict(zip(node.entries, _get_values(list(node.entries.values()), number), strict=True))
    if isinstance(node, Row):
        return _get_values(node.items, number)
    assert isinstance(node, Literal)
    return node.value


def _get_values(nodes: Sequence[Node], number: int) -> list[Any]:
    found: list[Any] = []
    for node in reversed(nodes):
        number, place = divmod(number, _count_values(node, ""))
        found.append(_get_value(node, place))
    return found[::-1]
