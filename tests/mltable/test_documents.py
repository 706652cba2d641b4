"""An MLTable file is checked whole; every mistake is told at its line and column."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from smalt.client.collections.data import DataOperations
from smalt.exceptions import ValidationException
from smalt.mltable import document

_BROKEN = """\
paths:
  - fil: ./a.csv
  - ./b.csv
transformations:
  - read_delimited:
      delimiter: ","
      heder: no_header
      encoding: utf9
  - tke: 5
  - filter: "a in [1, 2]"
  - take: x
  - convert_column_types:
      - columns: a
        column_type: datetime
  - extract_columns_from_partition_format:
      partition_format: "/{d:MM}/"
colour: red
"""


def test_every_mistake_has_its_place() -> None:
    """All problems come at once, each as FILE:LINE:COLUMN and a sentence."""
    problems = document.find_text_problems(_BROKEN, "t/MLTable")
    places = [problem.split(" ", 1)[0] for problem in problems]
    assert places == [
        "t/MLTable:17:1:", "t/MLTable:2:5:", "t/MLTable:3:5:", "t/MLTable:7:7:", "t/MLTable:8:17:", "t/MLTable:9:5:",
        "t/MLTable:10:13:", "t/MLTable:11:11:", "t/MLTable:14:22:", "t/MLTable:16:25:",
    ]  # fmt: skip
    assert "did you mean 'file'?" in problems[1]
    assert "did you mean 'header'?" in problems[3]
    assert "did you mean 'take'?" in problems[5]


def test_what_is_no_yaml_has_its_place() -> None:
    """A file that cannot be parsed is told where it breaks."""
    assert document.find_text_problems("paths: [", "MLTable")[0].startswith("MLTable:1:9: the file is not YAML: ")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("file: ../x.csv", "MLTable:2:11: '../x.csv' is outside of the folder"),
        ("pattern: ./a/../../*.csv", "MLTable:2:14: './a/../../*.csv' is outside of the folder"),
        ("file: /etc/hostname", "MLTable:2:11: '/etc/hostname' is an absolute path, and only the folder becomes"),
        ("folder: /etc", "MLTable:2:13: '/etc' is an absolute path"),
        ("pattern: /etc/*.conf", "MLTable:2:14: '/etc/*.conf' is an absolute path"),
        ("file: file:///etc/hostname", "MLTable:2:11: 'file:///etc/hostname' is an absolute path"),
        ("file: ./x.csv", "MLTable:2:11: there is no file"),
        ("folder: ./x", "MLTable:2:13: there is no folder"),
        ("fil: ./x", "MLTable:2:5: a path has no 'fil'"),
    ],
)
def test_data_that_is_registered_is_checked(tmp_path: Path, path: str, words: str) -> None:
    """`smalt data create` of a table refuses what no job could read, before anything is sent."""
    from smalt.entities import Data

    (tmp_path / "MLTable").write_text(f"paths:\n  - {path}\n")
    operations = DataOperations.__new__(DataOperations)
    with pytest.raises(ValidationException, match="MLTable") as caught:
        operations.create_or_update(Data(name="t", path=str(tmp_path), type="mltable"))
    assert words in str(caught.value)


def test_an_absolute_path_into_the_folder_is_refused_with_what_to_write(tmp_path: Path) -> None:
    """The version would go on reading the folder that it was made from, whatever becomes of that."""
    (tmp_path / "a.csv").write_text("a\n1\n")
    (tmp_path / "MLTable").write_text(f"paths:\n  - file: {tmp_path}/a.csv\n  - pattern: {tmp_path}/*.csv\n")
    one, other = document.find_folder_problems(str(tmp_path))
    assert one.startswith(f"{tmp_path}/MLTable:2:11: ")
    assert one.endswith("; write './a.csv'")
    assert other.endswith("; write './*.csv'")


def test_a_sound_table_has_no_problems(tmp_path: Path) -> None:
    """Patterns may match later, and URIs are looked up when a job starts."""
    (tmp_path / "a.csv").write_text("a\n1\n")
    (tmp_path / "MLTable").write_text(
        "$schema: x\ntype: mltable\nmetadata: {a: 1}\npaths:\n  - file: ./a.csv\n  - pattern: ./*.tsv\n"
        "  - file: azureml://datastores/d/paths/x.csv\ntransformations:\n  - read_delimited\n  - drop_columns: [a]\n"
    )
    assert document.find_folder_problems(str(tmp_path)) == []


def test_the_package_needs_nothing_but_yaml_until_it_reads() -> None:
    """Checking a table imports neither polars nor pandas."""
    code = "import smalt.mltable.document, sys; print({'polars', 'pandas', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
