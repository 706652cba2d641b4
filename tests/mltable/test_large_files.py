"""The first rows of a large file: only its start is looked at, and the types are those of all that was looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

polars = pytest.importorskip("polars", reason="MLTable runs where polars is")
pytest.importorskip("pandas", reason="MLTable runs where pandas is")

ROWS = 90_000


def _plain(row: int) -> str:
    return f"{row},{row / 7:.3f},name {row % 50}\n"


def _quoted(row: int) -> str:
    return f'{row},{row / 7:.3f},"name, {row % 50}"\n'


def _load(folder: Path, content: bytes) -> Any:
    import smalt.mltable as mltable

    (folder / "a.csv").write_bytes(content)
    (folder / "MLTable").write_text(
        "paths:\n  - file: ./a.csv\ntransformations:\n  - read_delimited:\n      delimiter: ','\n"
    )
    return mltable.load(str(folder))


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Each source that polars reads."""
    read, found = polars.read_csv, []

    def read_csv(source: Any, **options: Any) -> Any:
        found.append(source)
        return read(source, **options)

    monkeypatch.setattr(polars, "read_csv", read_csv)
    return found


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("write", [_plain, _quoted])
def test_the_first_rows_cost_the_start_of_the_file(
    write: Callable[[int], str], mark: bytes, tmp_path: Path, sources: list[Any]
) -> None:
    """Neither the types nor the first rows need the whole file; the rest of it is the same table."""
    content = mark + ("a,b,c\n" + "".join(map(write, range(ROWS)))).encode()
    table = _load(tmp_path, content)
    first = table.take(5).to_pandas_dataframe()
    assert sources
    assert all(isinstance(source, bytes) and len(source) <= 1 << 20 for source in sources)
    whole = table.to_pandas_dataframe()
    assert isinstance(sources[-1], str)
    assert len(whole) == ROWS
    assert whole.head(5).equals(first)
    assert [str(type) for type in whole.dtypes][:2] == ["int64", "float64"]
    assert whole["a"].tolist() == list(range(ROWS))


def test_more_rows_than_the_start_has_are_read_from_the_file(tmp_path: Path, sources: list[Any]) -> None:
    """As many rows as were asked for come, however far they reach."""
    table = _load(tmp_path, ("a,b,c\n" + "".join(map(_plain, range(ROWS)))).encode())
    assert table.take(ROWS - 1).to_pandas_dataframe()["a"].tolist() == list(range(ROWS - 1))
    assert isinstance(sources[-1], str)


def test_a_row_that_is_longer_than_the_start_is_read(tmp_path: Path) -> None:
    """A cut row is none: the sample is then that of the file."""
    table = _load(tmp_path, b"a,b,c\n1,2," + b"z" * 3_000_000 + b"\n3,4,u\n")
    assert table.take(1).to_pandas_dataframe()["c"].str.len().tolist() == [3_000_000]
    assert table.to_pandas_dataframe()["a"].tolist() == [1, 3]
