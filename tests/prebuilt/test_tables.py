"""Tables in the forms in which users have them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from smalt_prebuilt import tables
from smalt_prebuilt.problems import ComponentError

from tests.prebuilt.runs import run

CARS = pl.DataFrame({"make": ["audi", "bmw", "vw, old"], "price": [100, None, 50], "rpm": [5.5, 6.0, 7.25]})


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet", "json", "jsonl", "csv.gz"])
def test_a_file_is_read_by_its_ending(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"cars.{ending}"
    writers = {
        "csv": lambda: CARS.write_csv(path),
        "tsv": lambda: CARS.write_csv(path, separator="\t"),
        "parquet": lambda: CARS.write_parquet(path),
        "json": lambda: CARS.write_json(path),
        "jsonl": lambda: CARS.write_ndjson(path),
        "csv.gz": lambda: CARS.write_csv(path, compression="gzip"),
    }
    writers[ending]()
    assert tables.read_table(path, "dataset").equals(CARS)
    selected = run("select_columns_in_dataset", tmp_path, dataset=path, columns="make, price")
    assert selected.read_table("results_dataset").equals(CARS.select("make", "price"))


def test_files_of_a_folder_are_one_table(tmp_path: Path) -> None:
    """In the order of their names, by the columns of the first, without hidden files; others' columns are an error."""
    for name, part in (("b.csv", CARS[1:].select("rpm", "price", "make")), ("a.csv", CARS[:1]), (".c.csv", CARS)):
        part.write_csv(tmp_path / name)
    assert tables.read_table(tmp_path, "dataset").equals(CARS)
    pl.DataFrame({"make": ["kia"]}).write_csv(tmp_path / "c.csv")
    with pytest.raises(ComponentError, match=r"dataset: c.csv and a.csv differ in their columns: 'price', 'rpm'"):
        tables.read_table(tmp_path, "dataset")


def test_what_is_no_table_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_text("x")
    with pytest.raises(ComponentError, match=r"a.docx is not known to be a table; its name must end in .csv, .tsv"):
        tables.read_table(tmp_path / "a.docx", "dataset")
    with pytest.raises(ComponentError, match="has no file that is a table"):
        tables.read_table(tmp_path, "dataset")
    (tmp_path / "a.parquet").write_text("x")
    with pytest.raises(ComponentError, match=r"dataset: a.parquet cannot be read as a table"):
        tables.read_table(tmp_path, "dataset")


def test_types_are_those_of_all_rows(tmp_path: Path) -> None:
    """A number that comes late makes no text of the others, and a text does; nothing is lost."""
    (tmp_path / "a.csv").write_text("n,t\n" + "1,1\n" * 5000 + "1.5,x\n")
    frame = tables.read_table(tmp_path / "a.csv", "dataset")
    assert (frame["n"].dtype, frame["t"].dtype) == (pl.Float64, pl.String)
    assert (frame["n"].sum(), frame["t"][-1]) == (5001.5, "x")
