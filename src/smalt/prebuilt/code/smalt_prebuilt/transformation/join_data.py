"""Join Data."""

from __future__ import annotations

import polars as pl

from ..columns import choose_columns
from ..naming import make_new_name
from ..ports import ComponentPorts, run_component
from ..problems import ComponentError

_TYPES = {"inner": "inner", "left_outer": "left", "full_outer": "full", "left_semi": "semi"}


def join_data(ports: ComponentPorts) -> None:
    """Write the rows of two tables that have equal keys; missing keys are equal to nothing."""
    left, right = ports.read_table("left_dataset"), ports.read_table("right_dataset")
    left_keys = choose_columns(left, ports.get_text("left_key_columns"), "left_key_columns")
    text = ports.get_text("right_key_columns") or ports.get_text("left_key_columns")
    right_keys = choose_columns(right, text, "right_key_columns")
    if not left_keys or len(left_keys) != len(right_keys):
        raise ComponentError(
            f"left_key_columns has {len(left_keys)} columns and right_key_columns {len(right_keys)}; give as many"
        )
    how = _TYPES[ports.get_text("join_type", "inner")]
    renamed: dict[str, str] = {}
    for name in right.columns:
        renamed[name] = make_new_name(name, {*left.columns, *renamed.values()})
    right = right.rename(renamed)
    pairs = [(name, renamed[other]) for name, other in zip(left_keys, right_keys, strict=True)]
    for number, (name, other) in enumerate(pairs):
        second_key = right[other].alias(right_keys[number])
        first, second = _make_keys(left[name], second_key, ports.get_flag("match_case", True))
        left, right = left.with_columns(first.alias(f"\0{number}")), right.with_columns(second.alias(f"\0{number}"))
    keys = [f"\0{number}" for number in range(len(pairs))]
    joined = left.join(right, on=keys, how=how, maintain_order="left_right", coalesce=True)
    joined = joined.drop(keys)
    if how != "semi" and not ports.get_flag("keep_right_key_columns", True):
        if how == "full":
            joined = joined.with_columns(pl.coalesce(name, other).alias(name) for name, other in pairs)
        joined = joined.drop(other for _, other in pairs)
    ports.write_table("results_dataset", joined)


def _make_keys(left: pl.Series, right: pl.Series, match_case: bool) -> tuple[pl.Series, pl.Series]:
    """Return the keys in a common type; texts in one case where that does not matter."""
    plain = [one.cast(pl.String) if one.dtype in (pl.Categorical, pl.Enum) else one for one in (left, right)]
    first, second = plain
    if first.dtype.is_numeric() and second.dtype.is_numeric():
        if first.dtype != second.dtype:
            return first.cast(pl.Float64), second.cast(pl.Float64)
    elif first.dtype != second.dtype:
        raise ComponentError(
            f"the keys '{left.name}' ({left.dtype}) and '{right.name}' ({right.dtype}) are of different types; make "
            "them the same with edit_metadata"
        )
    if first.dtype == pl.String and not match_case:
        return first.str.to_lowercase(), second.str.to_lowercase()
    return first, second


if __name__ == "__main__":
    run_component(join_data)
