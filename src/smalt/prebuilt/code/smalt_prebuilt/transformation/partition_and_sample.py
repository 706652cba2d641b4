"""Partition and Sample."""

from __future__ import annotations

import random

import polars as pl

from ..columns import find_column
from ..ports import ComponentPorts, run_component
from ..problems import ComponentError

FOLD = "Fold"
"""The column that assign_to_folds adds; folds count from 1."""
_OWN = {
    "sampling": ("rate_of_sampling", "random_seed"),
    "head": ("number_of_rows",),
    "assign_to_folds": ("number_of_folds", "random_seed"),
    "pick_fold": ("fold", "pick_complement"),
}
_DEFAULTS = {
    **{"rate_of_sampling": "0.1", "number_of_rows": "10", "number_of_folds": "5", "fold": "1"},
    **{"pick_complement": "false", "random_seed": "0"},
}


def partition_and_sample(ports: ComponentPorts) -> None:
    frame, mode = ports.read_table("dataset"), ports.get_text("mode", "sampling")
    others = {name: default for name, default in _DEFAULTS.items() if name not in _OWN[mode]}
    stratification = () if "random_seed" in _OWN[mode] else ("stratification_column",)
    ports.report_unused(f"with mode {mode}", *stratification, **others)
    if mode == "head":
        made = frame.head(ports.get_whole_number("number_of_rows", 10))
    elif mode == "pick_fold":
        made = pick_fold(frame, ports)
    elif mode == "assign_to_folds":
        made = assign_folds(frame, ports)
    else:
        made = draw_sample(frame, ports)
    ports.write_table("results_dataset", made)


def draw_sample(frame: pl.DataFrame, ports: ComponentPorts) -> pl.DataFrame:
    """Return a part of the rows, or of each group, in the order of the table."""
    rate = ports.get_number("rate_of_sampling", 0.1)
    if not 0 <= rate <= 1:
        raise ComponentError(f"rate_of_sampling is {rate:g}; give a number from 0 to 1")
    taken = [row for rows in shuffle_groups(frame, ports) for row in rows[: round(len(rows) * rate)]]
    return frame[sorted(taken)]


def assign_folds(frame: pl.DataFrame, ports: ComponentPorts) -> pl.DataFrame:
    """Return the table with the number of each row's fold; groups go on where the one before ended."""
    count = ports.get_whole_number("number_of_folds", 5)
    if not 2 <= count <= max(2, frame.height):
        raise ComponentError(
            f"number_of_folds is {count}; give a number from 2 to the {frame.height} rows of the table"
        )
    if FOLD in frame.columns:
        raise ComponentError(f"dataset has a column '{FOLD}' already; rename it or leave it out")
    order = [row for rows in shuffle_groups(frame, ports) for row in rows]
    folds = [0] * frame.height
    for place, row in enumerate(order):
        folds[row] = place % count + 1
    return frame.with_columns(pl.Series(FOLD, folds, dtype=pl.Int64))


def pick_fold(frame: pl.DataFrame, ports: ComponentPorts) -> pl.DataFrame:
    """Return the rows of one fold, or all others, without the column that has the folds."""
    if FOLD not in frame.columns:
        raise ComponentError(
            f"dataset has no column '{FOLD}'; connect the output of partition_and_sample with mode assign_to_folds"
        )
    fold = ports.get_whole_number("fold", 1)
    folds = frame[FOLD].cast(pl.Int64, strict=False)
    if not isinstance(last := folds.max(), int) or folds.null_count() > frame[FOLD].null_count():
        raise ComponentError(f"the column '{FOLD}' of dataset holds no numbers of folds")
    if not 1 <= fold <= last:
        raise ComponentError(f"fold is {fold}, and the table has the folds 1 to {last}")
    is_chosen = pl.col(FOLD) != fold if ports.get_flag("pick_complement") else pl.col(FOLD) == fold
    return frame.filter(is_chosen).drop(FOLD)


def shuffle_groups(frame: pl.DataFrame, ports: ComponentPorts) -> list[list[int]]:
    """Return the rows in an order of the seed; of a stratification, those of each value together."""
    groups: dict[object, list[int]] = {}
    values: list[object] = [None] * frame.height
    if stratification := ports.get_text("stratification_column"):
        values = frame[find_column(frame, stratification, "stratification_column")].to_list()
    for row, value in enumerate(values):
        groups.setdefault(value, []).append(row)
    generator = random.Random(ports.get_whole_number("random_seed", 0))
    for rows in groups.values():
        generator.shuffle(rows)
    return [*groups.values()]


if __name__ == "__main__":
    run_component(partition_and_sample)
