"""Filter expressions: a small subset of Python's, read by Python's parser and never run."""

from __future__ import annotations

import ast
import datetime
from typing import Any

from .errors import UserErrorException

_KNOWN = (
    "a filter knows columns (by name or col('name')), numbers, texts, True, False, None, datetime(…), "
    "== != < <= > >=, + - * / // % **, and, or, not, and startswith"
)
_COMPARISONS = {ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge"}
_ARITHMETIC = {
    ast.Add: "__add__",
    ast.Sub: "__sub__",
    ast.Mult: "__mul__",
    ast.Div: "__truediv__",
    ast.FloorDiv: "__floordiv__",
    ast.Mod: "__mod__",
    ast.Pow: "__pow__",
}


def parse_expression(expression: str) -> ast.expr:
    """Parse a filter expression; raise UserErrorException if a part of it is not supported."""
    try:
        tree = ast.parse(f"({expression.strip()}\n)", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise UserErrorException(
            f"filter \"{expression}\" is not an expression; a column whose name has spaces is written col('the name')"
        ) from None
    _check_node(tree, expression)
    return tree


def compile_expression(expression: str, schema: Any) -> Any:
    """Return the filter for a frame of that schema (names to polars types)."""
    made, kind = _Compiler(expression, schema).compile(parse_expression(expression))
    if kind not in ("bool", "null"):
        raise UserErrorException(f'filter "{expression}" is not a condition; compare it, as in "{expression} > 0"')
    return made


def _check_node(node: ast.AST, expression: str) -> None:
    if isinstance(node, ast.Compare):
        if len(node.ops) > 1:
            raise UserErrorException(f'filter "{expression}" compares in a chain; write "a < b and b < c"')
        known = type(node.ops[0]) in _COMPARISONS
        below: list[ast.AST] = [node.left, *node.comparators]
    elif isinstance(node, ast.BoolOp):
        known, below = True, list(node.values)
    elif isinstance(node, ast.BinOp):
        known, below = type(node.op) in _ARITHMETIC, [node.left, node.right]
    elif isinstance(node, ast.UnaryOp):
        known, below = isinstance(node.op, (ast.Not, ast.USub, ast.UAdd)), [node.operand]
    elif isinstance(node, ast.Call):
        known, below = _is_known_call(node), list(node.args)
        if isinstance(node.func, ast.Attribute):
            below.append(node.func.value)
    else:
        simple = isinstance(node, ast.Constant) and isinstance(node.value, (bool, int, float, str, type(None)))
        known, below = simple or isinstance(node, ast.Name), []
    if not known:
        part = ast.get_source_segment(f"({expression.strip()}\n)", node) or expression
        raise UserErrorException(f'filter "{expression}": "{part}" is not known; {_KNOWN}')
    for each in below:
        _check_node(each, expression)


def _is_known_call(node: ast.Call) -> bool:
    if node.keywords:
        return False
    texts = [isinstance(each, ast.Constant) and isinstance(each.value, str) for each in node.args]
    if isinstance(node.func, ast.Attribute):
        return node.func.attr == "startswith" and texts == [True]
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name == "col":
        return texts == [True]
    if name == "startswith":
        return len(texts) == 2 and texts[1]
    whole = all(isinstance(each, ast.Constant) and type(each.value) is int for each in node.args)
    return name == "datetime" and 1 <= len(node.args) <= 7 and whole


class _Compiler:
    """A compiler of each part to a polars expression and its kind: number, text, bool, datetime, null or other."""

    def __init__(self, expression: str, schema: Any) -> None:
        import polars

        self.pl: Any = polars
        self.expression = expression
        self.schema = schema

    def compile(self, node: ast.AST) -> tuple[Any, str]:
        made: tuple[Any, str] = getattr(self, "_" + type(node).__name__)(node)
        return made

    def refuse(self, why: str) -> UserErrorException:
        return UserErrorException(f'filter "{self.expression}": {why}')

    def _Constant(self, node: ast.Constant) -> tuple[Any, str]:
        value = node.value
        kinds: dict[type, str] = {bool: "bool", str: "text", int: "number", float: "number"}
        return self.pl.lit(value), kinds.get(type(value), "null")

    def _Name(self, node: ast.Name) -> tuple[Any, str]:
        return self._column(node.id)

    def _column(self, name: str) -> tuple[Any, str]:
        if name not in self.schema:
            meant = {"true": "; write True", "false": "; write False", "null": "; write None"}.get(name, "")
            raise self.refuse(f"there is no column '{name}'{meant}; the columns are {', '.join(self.schema)}")
        type, pl = self.schema[name], self.pl
        if type.is_numeric():
            return pl.col(name), "number"
        if type == pl.Datetime and type.time_zone:
            return pl.col(name).dt.convert_time_zone("UTC").dt.replace_time_zone(None), "datetime"
        if type == pl.Date:
            return pl.col(name).cast(pl.Datetime("us")), "datetime"
        kinds = {pl.String: "text", pl.Boolean: "bool", pl.Datetime: "datetime", pl.Null: "null"}
        return pl.col(name), next((kind for known, kind in kinds.items() if type == known), "other")

    def _Call(self, node: ast.Call) -> tuple[Any, str]:
        values: list[Any] = [each.value for each in node.args if isinstance(each, ast.Constant)]
        if isinstance(node.func, ast.Attribute):
            return self._startswith(node.func.value, values[0])
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name == "col":
            return self._column(values[0])
        if name == "startswith":
            return self._startswith(node.args[0], values[-1])
        parts = [*values, *(1 for _ in range(3 - len(values)))]
        try:
            return self.pl.lit(datetime.datetime(*parts)), "datetime"
        except (ValueError, OverflowError) as error:
            raise self.refuse(f"datetime{tuple(values)} is not a date: {error}") from None

    def _startswith(self, node: ast.AST, start: str) -> tuple[Any, str]:
        value, kind = self.compile(node)
        if kind not in ("text", "null"):
            raise self.refuse(f"startswith is for texts, and this is a {kind}")
        return value.str.starts_with(start), "bool"

    def _UnaryOp(self, node: ast.UnaryOp) -> tuple[Any, str]:
        value, kind = self.compile(node.operand)
        wanted = "bool" if isinstance(node.op, ast.Not) else "number"
        if kind not in (wanted, "null"):
            raise self.refuse(f"{'not' if wanted == 'bool' else 'a sign'} is for a {wanted}, and this is a {kind}")
        if isinstance(node.op, ast.Not):
            return ~value, "bool"
        return (-value if isinstance(node.op, ast.USub) else value), "number"

    def _BoolOp(self, node: ast.BoolOp) -> tuple[Any, str]:
        made: Any = None
        for each in node.values:
            value, kind = self.compile(each)
            if kind not in ("bool", "null"):
                raise self.refuse(f"and, or and not join conditions, and a part of them is a {kind}")
            made = value if made is None else (made & value if isinstance(node.op, ast.And) else made | value)
        return made, "bool"

    def _BinOp(self, node: ast.BinOp) -> tuple[Any, str]:
        left, one = self.compile(node.left)
        right, two = self.compile(node.right)
        joined = one == two == "text" and isinstance(node.op, ast.Add)
        if not joined and not {one, two} <= {"number", "null"}:
            raise self.refuse(f"a {one} and a {two} cannot be reckoned with")
        return getattr(left, _ARITHMETIC[type(node.op)])(right), "text" if joined else "number"

    def _Compare(self, node: ast.Compare) -> tuple[Any, str]:
        left, one = self.compile(node.left)
        right, two = self.compile(node.comparators[0])
        operator = _COMPARISONS[type(node.ops[0])]
        if "null" in (one, two):
            return self.pl.lit(None, dtype=self.pl.Boolean), "bool"
        if one == two and one != "other":
            return getattr(left, operator)(right), "bool"
        if operator in ("eq", "ne"):  # of two kinds: never equal, and nothing is said of what is empty
            known = left.is_not_null() & right.is_not_null()
            return (known & (operator == "ne")), "bool"
        hint = "; write it as datetime(2020, 12, 31)" if {one, two} == {"datetime", "text"} else ""
        raise self.refuse(f"a {one} is neither more nor less than a {two}{hint}")
