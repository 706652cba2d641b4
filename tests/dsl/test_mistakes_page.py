"""docs/mistakes.md: what it says that smalt says is what smalt says."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def test_each_mistake_is_told_as_the_page_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence, with the line of the program; those of the official SDK are from when the page was made."""
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    bench: Any = import_module("mistakes")
    page = (ROOT / "docs" / "mistakes.md").read_text()
    told = bench.told(sys.executable, "smalt", bench.PROGRAMS)
    assert len(told) == 25
    for name, (_, _, words) in told.items():
        said = bench.without_folder(words)
        assert said.startswith("program.py:"), name
        assert "\n" not in said, name
        section = page[page.index(f". {name[0].upper()}{name[1:]}\n") :]
        assert f"```text\n{said}\n```" in section.split("\n## ")[0]
