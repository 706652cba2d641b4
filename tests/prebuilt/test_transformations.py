"""Components that change values, compared with what polars or SQLite gives when it is called directly."""

from __future__ import annotations

import math
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from smalt_prebuilt.problems import ComponentError

from tests.prebuilt.runs import run

CARS = pl.DataFrame(
    {
        "make": ["audi", None, "vw", "audi"],
        "size": [1.0, float("nan"), 2.0, None],
        "doors": [2, None, 4, 4],
        "price": [10, 20, 30, 41],
    }
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"cleaning_mode": "replace_with_mean", "columns": "@numeric"}, {"size": [1, 1.5, 2, 1.5]}),
        ({"cleaning_mode": "replace_with_mean", "columns": "@numeric"}, {"doors": [2, 10 / 3, 4, 4]}),
        ({"cleaning_mode": "replace_with_median", "columns": "size, doors"}, {"doors": [2, 4, 4, 4]}),
        ({"cleaning_mode": "replace_with_mode"}, {"make": ["audi", "audi", "vw", "audi"], "doors": [2, 4, 4, 4]}),
        ({"replacement_value": "7", "columns": "doors"}, {"doors": [2, 7, 4, 4], "size": [1, math.nan, 2, None]}),
        ({"replacement_value": "x", "columns": "make"}, {"make": ["audi", "x", "vw", "audi"]}),
        ({"cleaning_mode": "remove_entire_row"}, {"price": [10, 30]}),
        ({"cleaning_mode": "remove_entire_row", "maximum_missing_value_ratio": 0.3}, {"price": [10, 30, 41]}),
    ],
)  # fmt: skip
def test_missing_values_are_cleaned(tmp_path: Path, given: dict[str, Any], expected: dict[str, list[Any]]) -> None:
    """NaN is missing, too; and the same is done to another table by the transformation."""
    ran = run("clean_missing_data", tmp_path, dataset=CARS, **given)
    cleaned = ran.read_table("cleaned_dataset")
    for name, values in expected.items():
        assert cleaned[name].to_list() == pytest.approx(values, nan_ok=True), name
    again = run("apply_transformation", tmp_path, dataset=CARS, transformation=ran.folder / "cleaning_transformation")
    assert again.read_table("transformed_dataset").equals(cleaned)


def test_columns_with_missing_values_are_removed_or_marked(tmp_path: Path) -> None:
    removed = run("clean_missing_data", tmp_path, dataset=CARS, cleaning_mode="remove_entire_column")
    assert removed.read_table("cleaned_dataset").columns == ["price"]
    marked = run(
        "clean_missing_data", tmp_path, dataset=CARS, columns="doors", generate_missing_value_indicator_column=True
    )
    assert marked.read_table("cleaned_dataset")["doors_IsMissing"].to_list() == [False, True, False, False]
    with pytest.raises(ComponentError, match="replace_with_mean needs numbers, and column 'make' is of type String"):
        run("clean_missing_data", tmp_path, dataset=CARS, cleaning_mode="replace_with_mean")


def test_metadata_is_edited(tmp_path: Path) -> None:
    frame = pl.DataFrame({"n": ["1", " 2 ", None], "t": ["31.12.2020", "1.2.2021", None], "b": ["Yes", "no", None]})
    whole = run("edit_metadata", tmp_path, dataset=frame, columns="n", data_type="integer", new_column_names="number")
    assert whole.read_table("results_dataset")["number"].to_list() == [1, 2, None]
    times = run(
        "edit_metadata", tmp_path, dataset=frame, columns="t", data_type="date_time", date_time_format="%d.%m.%Y"
    )
    assert times.read_table("results_dataset")["t"].to_list() == [datetime(2020, 12, 31), datetime(2021, 2, 1), None]
    flags = run("edit_metadata", tmp_path, dataset=frame, columns="b", data_type="boolean")
    assert flags.read_table("results_dataset")["b"].to_list() == [True, False, None]
    kinds = run("edit_metadata", tmp_path, dataset=frame, columns="b", categorical="make_categorical")
    assert kinds.read_table("results_dataset").schema["b"] == pl.Categorical
    plain = run(
        "edit_metadata",
        tmp_path,
        dataset=kinds.folder / "results_dataset",
        columns="b",
        categorical="make_noncategorical",
    )
    assert plain.read_table("results_dataset").equals(frame)


@pytest.mark.parametrize("values", [["1", "x"], ["1.5", "2"], [1.5, 2.0]])
def test_a_value_that_does_not_fit_a_type_is_an_error(tmp_path: Path, values: list[Any]) -> None:
    """No value is lost in silence."""
    with pytest.raises(ComponentError, match=r"column 'n' has values that are no integer: '(x|1.5)'"):
        run("edit_metadata", tmp_path, dataset=pl.DataFrame({"n": values}), columns="n", data_type="integer")


def test_names_are_one_for_each_column(tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match="has 1 names, and 2 columns are chosen"):
        run("edit_metadata", tmp_path, dataset=CARS, columns="make, size", new_column_names="a")
    with pytest.raises(ComponentError, match="two columns would be called 'price'"):
        run("edit_metadata", tmp_path, dataset=CARS, columns="make", new_column_names="price")


LEFT = pl.DataFrame({"id": [1, 2, 2, None], "name": ["A", "b", "c", "d"]})
RIGHT = pl.DataFrame({"id": [2, 3, None], "name": ["B", "C", "D"], "x": [0.5, 1.5, 2.5]})


@pytest.mark.parametrize(
    ("type", "rows"),
    [
        ("inner", [(2, "b", 2, "B", 0.5), (2, "c", 2, "B", 0.5)]),
        (
            "left_outer",
            [(1, "A", None, None, None), (2, "b", 2, "B", 0.5), (2, "c", 2, "B", 0.5), (None, "d", None, None, None)],
        ),
        ("left_semi", [(2, "b"), (2, "c")]),
    ],
)
def test_tables_are_joined(tmp_path: Path, type: str, rows: list[Any]) -> None:
    ran = run("join_data", tmp_path, left_dataset=LEFT, right_dataset=RIGHT, left_key_columns="id", join_type=type)
    joined = ran.read_table("results_dataset")
    assert joined.rows() == rows
    assert joined.columns[2:4] in ([], ["id (2)", "name (2)"])


def test_joins_of_all_rows_and_of_texts(tmp_path: Path) -> None:
    """One key column has all keys if that of the right is left out; case matters unless it is said not to."""
    given = {"left_dataset": LEFT, "right_dataset": RIGHT, "left_key_columns": "id", "join_type": "full_outer"}
    whole = run("join_data", tmp_path, **given, keep_right_key_columns=False).read_table("results_dataset")
    assert sorted(whole["id"].to_list(), key=str) == [1, 2, 2, 3, None, None]
    assert whole.columns == ["id", "name", "name (2)", "x"]
    for match_case, count in ((True, 0), (False, 3)):
        given = {"left_dataset": LEFT, "right_dataset": RIGHT, "left_key_columns": "name", "match_case": match_case}
        assert run("join_data", tmp_path, **given).read_table("results_dataset").height == count
    with pytest.raises(ComponentError, match=r"the keys 'id' \(Int64\) and 'name' \(String\) are of different types"):
        run("join_data", tmp_path, **{**given, "left_key_columns": "id", "right_key_columns": "name"})


def test_rows_and_columns_are_added(tmp_path: Path) -> None:
    """Rows go by the names of columns; columns of the same name get a number."""
    more = pl.DataFrame({"name": ["e"], "id": [5.5]})
    ran = run("add_rows", tmp_path, dataset1=LEFT, dataset2=more)
    assert ran.read_table("results_dataset").rows()[-2:] == [(None, "d"), (5.5, "e")]
    with pytest.raises(ComponentError, match="only one of them has 'x'"):
        run("add_rows", tmp_path, dataset1=LEFT, dataset2=RIGHT)
    with pytest.raises(ComponentError, match="column 'id' is of type Int64 in dataset1 and String in dataset2"):
        run("add_rows", tmp_path, dataset1=LEFT, dataset2=pl.DataFrame({"name": ["e"], "id": ["x"]}))
    wide = run("add_columns", tmp_path, left_dataset=LEFT, right_dataset=RIGHT).read_table("results_dataset")
    assert wide.columns == ["id", "name", "id (2)", "name (2)", "x"]
    assert wide.rows()[2:] == [(2, "c", None, "D", 2.5), (None, "d", None, None, None)]


@pytest.mark.parametrize(
    ("keys", "first", "names"), [("id", True, "Abd"), ("id", False, "Acd"), ("@all", True, "Abcd")]
)
def test_duplicates_are_removed(tmp_path: Path, keys: str, first: bool, names: str) -> None:
    ran = run("remove_duplicate_rows", tmp_path, dataset=LEFT, key_columns=keys, retain_first_duplicate_row=first)
    assert "".join(ran.read_table("results_dataset")["name"]) == names


def test_sql_gives_what_sqlite_gives(tmp_path: Path) -> None:
    query = (
        'SELECT t1.name AS n, t2."x" * 2 AS x, t1.id IS NULL AS gap FROM t1 LEFT JOIN t2 ON t1.id = t2.id ORDER BY n'
    )
    ran = run("apply_sql_transformation", tmp_path, t1=LEFT, t2=RIGHT, sql_query=query)
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE TABLE t1 (id INTEGER, name TEXT)")
        database.execute("CREATE TABLE t2 (id INTEGER, name TEXT, x REAL)")
        database.executemany("INSERT INTO t1 VALUES (?, ?)", LEFT.rows())
        database.executemany("INSERT INTO t2 VALUES (?, ?, ?)", RIGHT.rows())
        expected = database.execute(query).fetchall()
    database.close()
    table = ran.read_table("results_dataset")
    assert table.rows() == expected
    assert table.schema == {"n": pl.String, "x": pl.Float64, "gap": pl.Int64}
    for text, said in (
        ("SELECT * FROM t3", "no such table: t3; the tables are 't1', 't2'"),
        ("DROP TABLE t1", "SELECT"),
    ):
        with pytest.raises(ComponentError, match=said):
            run("apply_sql_transformation", tmp_path, t1=LEFT, t2=RIGHT, sql_query=text)


def test_numbers_are_calculated_with(tmp_path: Path) -> None:
    for operation, operand, expected in (
        ("sqrt", None, CARS["price"].sqrt()),
        ("round", None, CARS["price"].cast(pl.Float64)),
        ("divide", "4", CARS["price"] / 4),
        ("subtract", "doors", (CARS["price"] - CARS["doors"]).cast(pl.Float64)),
        ("greater_than", "20", CARS["price"] > 20),
    ):
        given = {"operand": operand} if operand else {}
        ran = run(
            "apply_math_operation",
            tmp_path,
            dataset=CARS,
            columns="price",
            operation=operation,
            output_mode="result_only",
            **given,
        )
        assert ran.read_table("results_dataset")["price"].to_list() == expected.to_list(), operation
    appended = run("apply_math_operation", tmp_path, dataset=CARS, columns="price", operation="abs")
    assert appended.read_table("results_dataset").columns[-1] == "abs(price)"
    with pytest.raises(ComponentError, match="operand is needed with add"):
        run("apply_math_operation", tmp_path, dataset=CARS, columns="price", operation="add")
    with pytest.raises(ComponentError, match="operand: there is no column 'door'"):
        run("apply_math_operation", tmp_path, dataset=CARS, columns="price", operation="add", operand="door")


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet", "jsonl"])
def test_a_table_goes_out_and_comes_in(tmp_path: Path, kind: str) -> None:
    frame = CARS.with_columns(pl.col("size").fill_nan(None))
    exported = run("export_data", tmp_path, dataset=frame, file_format=kind, file_name="cars")
    imported = run("import_data", tmp_path, source=exported.folder / f"exported/cars.{kind}")
    assert imported.read_table("dataset").equals(frame)
    with pytest.raises(ComponentError, match=r"file_name is '\.\./x'"):
        run("export_data", tmp_path, dataset=frame, file_name="../x")


def test_texts_that_stand_for_missing_values(tmp_path: Path) -> None:
    """They spoil no type; separators and names of columns are as they are said to be."""
    (tmp_path / "a.txt").write_text("1;?\nNA;x\n")
    given = {"source": tmp_path / "a.txt", "separator": ";", "has_header": False, "missing_values": "?, NA"}
    imported = run("import_data", tmp_path, **given).read_table("dataset")
    assert imported.to_dict(as_series=False) == {"Col1": [1, None], "Col2": [None, "x"]}
    texts = pl.DataFrame({"a": ["?", "b"], "n": [1, 2]})
    made = run("convert_to_dataset", tmp_path, dataset=texts, missing_values="?").read_table("results_dataset")
    assert made["a"].to_list() == [None, "b"]
    written = run("convert_to_csv", tmp_path, dataset=texts)
    assert (written.folder / "results_dataset/data.csv").read_text() == "a,n\n?,1\nb,2\n"
