"""Search spaces: trees of distributions, and the values at their coordinates.

A *coordinate* is the number by which a sampler moves along a distribution: the index of an option, an integer, the
exponent of a log-uniform value, or the quantile of a normal one. Samplers choose coordinates; the space has the values.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from statistics import NormalDist
from typing import Any, NamedTuple

from smalt.entities.jobs.search_space import SweepDistribution

Point = dict[str, Any]
"""The values of a trial, by name of input; what JSON can hold."""

_ARGUMENTS = {
    "choice": {"values"},
    "randint": {"upper"},
    "uniform": {"min_value", "max_value"},
    "loguniform": {"min_value", "max_value"},
    "quniform": {"min_value", "max_value", "q"},
    "qloguniform": {"min_value", "max_value", "q"},
    "normal": {"mu", "sigma"},
    "lognormal": {"mu", "sigma"},
    "qnormal": {"mu", "sigma", "q"},
    "qlognormal": {"mu", "sigma", "q"},
}
_STANDARD = NormalDist()
_EDGE = 2.0**-30
"""The smallest quantile of a normal distribution, 6 standard deviations from the mean; the greatest is as far from 1.
Beyond that a float has too few digits near 1.
"""


class Bounds(NamedTuple):
    """The coordinates of a distribution, both bounds included."""

    low: float
    high: float
    is_integer: bool = False


class Literal(NamedTuple):
    value: Any


class Space(NamedTuple):
    """A mapping that has distributions among its values."""

    entries: dict[str, Node]


class Row(NamedTuple):
    """A list that has distributions among its items."""

    items: tuple[Node, ...]


class Alternatives(NamedTuple):
    """A choice. A coordinate is the index of an option."""

    options: tuple[Node, ...]

    @property
    def bounds(self) -> Bounds:
        return Bounds(0, len(self.options) - 1, True)

    def get_coordinate(self, unit: float) -> int:
        return int(unit * len(self.options))


class Integers(NamedTuple):
    """The integers from 0, with `upper` left out."""

    upper: int

    @property
    def bounds(self) -> Bounds:
        return Bounds(0, self.upper - 1, True)

    def get_coordinate(self, unit: float) -> int:
        return int(unit * self.upper)

    def make_value(self, coordinate: float) -> int:
        return int(coordinate)

    def find_coordinate(self, value: float) -> float | None:
        return value if value == int(value) and 0 <= value < self.upper else None


class Interval(NamedTuple):
    """A uniform distribution of a number, or of its exponent to a base. A coordinate is that number or exponent."""

    low: float
    high: float
    base: float | None = None
    q: float | None = None

    @property
    def bounds(self) -> Bounds:
        if self.q is not None and self.base is None:  # a sampler that learns does better with the steps themselves
            return Bounds(round(self.low / self.q), round(self.high / self.q), True)
        return Bounds(self.low, self.high)

    def get_coordinate(self, unit: float) -> float:
        coordinate = min(self.low + (self.high - self.low) * unit, self.high)
        return round(coordinate / self.q) if self.q is not None and self.base is None else coordinate

    def make_value(self, coordinate: float) -> float:
        if self.q is None:
            return _raise_base(self.base, coordinate)
        steps = coordinate if self.base is None else _raise_base(self.base, coordinate) / self.q
        return _multiply_steps(round(steps), self.q)

    def find_coordinate(self, value: float) -> float | None:
        """Return None if the distribution does not have the value."""
        found = value if self.base is None else _take_logarithm(self.base, value)
        if self.q is not None:
            coordinate = _clamp_value(round(value / self.q) if self.base is None else found, self.bounds)
            return coordinate if math.isclose(self.make_value(coordinate), value, rel_tol=1e-9) else None
        coordinate = _clamp_value(found, self.bounds)
        return coordinate if math.isclose(coordinate, found, rel_tol=1e-9, abs_tol=1e-9) else None


class BellCurve(NamedTuple):
    """A normal distribution of a number, or of its exponent to a base. A coordinate is a quantile."""

    mu: float
    sigma: float
    base: float | None = None
    q: float | None = None

    @property
    def bounds(self) -> Bounds:
        return Bounds(_EDGE, 1 - _EDGE)

    def get_coordinate(self, unit: float) -> float:
        return _clamp_value(unit, self.bounds)

    def make_value(self, coordinate: float) -> float:
        value = _raise_base(self.base, self.mu + self.sigma * _STANDARD.inv_cdf(_clamp_value(coordinate, self.bounds)))
        return value if self.q is None else _multiply_steps(round(value / self.q), self.q)

    def find_coordinate(self, value: float) -> float | None:
        """Return None if the distribution does not have the value."""
        if self.q is not None and not math.isclose(_multiply_steps(round(value / self.q), self.q), value, rel_tol=1e-9):
            return None
        if self.base is not None and value < 0:
            return None
        found = value if self.base is None else _take_logarithm(self.base, value)
        return _clamp_value(_STANDARD.cdf((found - self.mu) / self.sigma) if self.sigma else 0.5, self.bounds)


Parameter = Alternatives | Integers | Interval | BellCurve
Node = Parameter | Space | Row | Literal


class PlacedParameter(NamedTuple):
    path: str
    parameter: Parameter
    when: tuple[str, int] | None
    """The path of a choice and the index of the option that the parameter belongs to; None if each point has it."""


Choose = Callable[[str, Parameter], float]
"""Returns the coordinate of a parameter, given its path in the space: `model`, `model/1/learning_rate`."""


def read_space(space: Mapping[str, Any], logbase: Any = None) -> Space:
    """Read distributions by name of input, as entities or as in YAML. ValueError has a sentence for the user."""
    base = read_base(logbase)
    return Space({name: _read_node(value, name, base) for name, value in space.items()})


def read_base(logbase: Any) -> float:
    """Return the base of exponents: `e` if none is given."""
    if logbase is None or str(logbase).strip().lower() == "e":
        return math.e
    try:
        base = float(logbase)
    except (TypeError, ValueError):
        base = math.nan
    if isinstance(logbase, bool) or not 0 < base < math.inf or base == 1:
        raise ValueError(f"'logbase' must be 'e' or a positive number other than 1, not {logbase!r}")
    return base


def make_point(space: Space, choose: Choose) -> Point:
    """Return the values at the coordinates, which are asked for from the root to the leaves."""
    return {name: _make_value(node, name, choose) for name, node in space.entries.items()}


def find_coordinates(space: Space, point: Mapping[str, Any]) -> dict[str, float]:
    """Return the coordinates of a point by path. Of two options that give the same value, it is the first."""
    found: dict[str, float] = {}
    if point.keys() != space.entries.keys() or not all(
        _find_coordinates(node, name, point[name], found) for name, node in space.entries.items()
    ):
        raise ValueError(f"the point {json.dumps(dict(point))} is not in the search space")
    return found


def list_parameters(space: Space) -> Iterator[PlacedParameter]:
    """List the parameters of all branches as they are written, each after the choice that it depends on."""
    for name, node in space.entries.items():
        yield from _list_parameters(node, name, None)


def make_inputs(point: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values as a trial gets them: mappings and lists are JSON text on one line."""
    return {
        name: json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value
        for name, value in point.items()
    }


def _read_node(value: Any, path: str, base: float) -> Node:
    if isinstance(value, SweepDistribution):
        name = str(getattr(value, "type", ""))
        return _read_distribution(name, {each: getattr(value, each) for each in _ARGUMENTS[name]}, path, base)
    if isinstance(value, Mapping):
        kind = value.get("type")
        if isinstance(kind, str) and kind in _ARGUMENTS:
            fields = {str(name): each for name, each in value.items() if name != "type"}
            return _read_distribution(kind, fields, path, base)
        entries = {str(name): _read_node(each, f"{path}/{name}", base) for name, each in value.items()}
        if all(isinstance(node, Literal) for node in entries.values()):
            return Literal(dict(value))
        return Space(entries)
    if isinstance(value, (list, tuple, range)):
        items = tuple(_read_node(each, f"{path}/{place}", base) for place, each in enumerate(value))
        return Literal(list(value)) if all(isinstance(node, Literal) for node in items) else Row(items)
    return Literal(value)


def _read_distribution(kind: str, fields: Mapping[str, Any], path: str, base: float) -> Parameter:
    if fields.keys() != _ARGUMENTS[kind]:
        wanted = " and ".join(f"'{name}'" for name in sorted(_ARGUMENTS[kind]))
        raise ValueError(f"the {kind} distribution of '{path}' takes {wanted}")
    if kind == "choice":
        return _read_choice(fields["values"], path, base)
    numbers = {name: _read_number(each, name, kind, path) for name, each in fields.items()}
    if kind == "randint":
        if numbers["upper"] < 1 or numbers["upper"] % 1:
            raise ValueError(f"'upper' of '{path}' must be an integer of at least 1")
        return Integers(int(numbers["upper"]))
    exponent = base if "log" in kind else None
    q = numbers.get("q")
    if q is not None and q <= 0:
        raise ValueError(f"'q' of '{path}' must be above 0")
    if kind.endswith("normal"):
        if numbers["sigma"] < 0:
            raise ValueError(f"'sigma' of '{path}' must not be below 0")
        curve = BellCurve(numbers["mu"], numbers["sigma"], exponent)
        if any(math.isinf(curve.make_value(bound)) for bound in curve.bounds[:2]):
            raise ValueError(f"'mu' and 'sigma' of '{path}' are those of an exponent, and give too large numbers")
        return curve._replace(q=q)
    low, high = numbers["min_value"], numbers["max_value"]
    if low > high:
        raise ValueError(f"'max_value' of '{path}' must not be below 'min_value', which is {low:g}")
    for name, bound in (("min_value", low), ("max_value", high)):
        if exponent is not None and math.isinf(_raise_base(exponent, bound)):
            raise ValueError(f"{exponent:.4g} to the power of '{name}' of '{path}' ({bound:g}) is too large a number")
    return Interval(low, high, exponent, q)


def _read_choice(values: Any, path: str, base: float) -> Alternatives:
    if isinstance(values, (str, Mapping)) or not isinstance(values, (Sequence, range)) or not len(values):
        raise ValueError(f"the choice of '{path}' needs a list of at least one value")
    return Alternatives(tuple(_read_node(each, f"{path}/{place}", base) for place, each in enumerate(values)))


def _read_number(value: Any, name: str, kind: str, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"'{name}' of the {kind} distribution of '{path}' must be a number, not {value!r}")
    return value


def _make_value(node: Node, path: str, choose: Choose) -> Any:
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Space):
        return {name: _make_value(each, f"{path}/{name}", choose) for name, each in node.entries.items()}
    if isinstance(node, Row):
        return [_make_value(each, f"{path}/{place}", choose) for place, each in enumerate(node.items)]
    coordinate = choose(path, node)
    if isinstance(node, Alternatives):
        return _make_value(node.options[int(coordinate)], f"{path}/{int(coordinate)}", choose)
    return node.make_value(coordinate)


def _find_coordinates(node: Node, path: str, value: Any, found: dict[str, float]) -> bool:
    """Add the coordinates of a value to `found`; return False if the node does not have it."""
    if isinstance(node, Literal):
        return type(node.value) is type(value) and bool(node.value == value)
    if isinstance(node, Space):
        return isinstance(value, Mapping) and value.keys() == node.entries.keys() and all(
            _find_coordinates(each, f"{path}/{name}", value[name], found) for name, each in node.entries.items()
        )  # fmt: skip
    if isinstance(node, Row):
        return isinstance(value, list) and len(value) == len(node.items) and all(
            _find_coordinates(each, f"{path}/{place}", value[place], found) for place, each in enumerate(node.items)
        )  # fmt: skip
    if isinstance(node, Alternatives):
        for index, option in enumerate(node.options):
            inner: dict[str, float] = {}
            if _find_coordinates(option, f"{path}/{index}", value, inner):
                found.update({path: index, **inner})
                return True
        return False
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    coordinate = node.find_coordinate(value)
    if coordinate is None:
        return False
    found[path] = coordinate
    return True


def _list_parameters(node: Node, path: str, when: tuple[str, int] | None) -> Iterator[PlacedParameter]:
    if isinstance(node, Literal):
        return
    if isinstance(node, Space):
        for name, each in node.entries.items():
            yield from _list_parameters(each, f"{path}/{name}", when)
    elif isinstance(node, Row):
        for place, each in enumerate(node.items):
            yield from _list_parameters(each, f"{path}/{place}", when)
    else:
        yield PlacedParameter(path, node, when)
        if isinstance(node, Alternatives):
            for index, each in enumerate(node.options):
                yield from _list_parameters(each, f"{path}/{index}", (path, index))


def _raise_base(base: float | None, exponent: float) -> float:
    if base is None:
        return exponent
    try:
        return math.exp(exponent) if base == math.e else math.pow(base, exponent)
    except OverflowError:
        return math.inf


def _take_logarithm(base: float, value: float) -> float:
    """Return the exponent; a value that was rounded down to 0 has the lowest."""
    if value <= 0:
        return -math.inf if base > 1 else math.inf
    return math.log(value) if base == math.e else math.log(value) / math.log(base)


def _multiply_steps(steps: int, q: float) -> float:
    """Return `steps` times `q` without the noise of binary fractions: an integer if `q` is one."""
    if q % 1 == 0:
        return steps * int(q)
    return float(Decimal(repr(q)) * steps)


def _clamp_value(value: float, bounds: Bounds) -> float:
    return min(max(value, bounds.low), bounds.high)
