"""Apply SQL Transformation."""

from __future__ import annotations

import sqlite3

import polars as pl

from ..ports import ComponentPorts, run_component
from ..problems import ComponentError, join_names

_TABLES = ("t1", "t2", "t3")


def apply_sql_transformation(ports: ComponentPorts) -> None:
    """Write the rows of a query of SQLite over the tables t1, t2 and t3."""
    query = ports.get_text("sql_query")
    with sqlite3.connect(":memory:") as database:
        for name in _TABLES:
            if ports.has_input(name):
                fill_table(database, name, ports.read_table(name))
        try:
            found = database.execute(query)
            rows = found.fetchall()
        except (sqlite3.Error, sqlite3.Warning) as error:
            there = join_names(name for name in _TABLES if ports.has_input(name))
            raise ComponentError(f"sql_query: {error}; the tables are {there}") from None
    if found.description is None:
        raise ComponentError("sql_query gives no rows; write a SELECT")
    names = [column[0] for column in found.description]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ComponentError(f"sql_query: two columns are called {join_names(repeated)}; name one with AS")
    values = [[row[index] for row in rows] for index in range(len(names))]
    columns = [make_column(name, column) for name, column in zip(names, values, strict=True)]
    ports.write_table("results_dataset", pl.DataFrame(columns))


def fill_table(database: sqlite3.Connection, name: str, frame: pl.DataFrame) -> None:
    """Make a table of SQLite: whole numbers (and booleans), numbers and texts (and times)."""
    kinds = []
    for type in frame.schema.values():
        is_whole = type.is_integer() or type == pl.Boolean
        kinds.append("INTEGER" if is_whole else "REAL" if type.is_numeric() else "TEXT")
    quoted = ['"' + column.replace('"', '""') + '"' for column in frame.columns]
    columns = ", ".join(f"{column} {kind}" for column, kind in zip(quoted, kinds, strict=True))
    database.execute(f'CREATE TABLE "{name}" ({columns})')
    plain = [
        frame[column].cast({"INTEGER": pl.Int64, "REAL": pl.Float64, "TEXT": pl.String}[kind])
        for column, kind in zip(frame.columns, kinds, strict=True)
    ]
    marks = ", ".join("?" * frame.width)
    database.executemany(f'INSERT INTO "{name}" VALUES ({marks})', pl.DataFrame(plain).iter_rows())


def make_column(name: str, values: list[object]) -> pl.Series:
    """Return a column of one type: SQLite may mix them."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int}:
        return pl.Series(name, values, dtype=pl.Int64)
    if kinds <= {int, float}:
        return pl.Series(name, values, dtype=pl.Float64, strict=False)
    texts = [None if value is None else str(value) for value in values]
    return pl.Series(name, texts, dtype=pl.String)


if __name__ == "__main__":
    run_component(apply_sql_transformation)
