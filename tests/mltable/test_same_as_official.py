"""Every table gives what Azure's mltable 1.7 gave for it; what is otherwise is so on purpose."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.mltable.cases import Case, all_cases

pytest.importorskip("polars", reason="MLTable runs where polars is")
pytest.importorskip("pandas", reason="MLTable runs where pandas is")

EXPECTED = json.loads(Path(__file__).with_name("expected.json").read_text(encoding="utf-8"))
CASES = all_cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_table_is_as_the_official_package_reads_it(case: Case) -> None:
    """What comes out, in types and values, is what came out of Azure's package; a mistake is one sentence."""
    import smalt.mltable as mltable

    expected = EXPECTED["smalt" if case.differs else "official"][case.name]
    found = case.run(mltable)
    sentence, kind = found.pop("sentence", ""), found.pop("kind", None)
    assert found == expected, sentence
    if kind is not None:
        assert kind in ("UserErrorException", "RuntimeError")
        assert sentence
        assert "\n" not in sentence.strip() or "filter" in sentence


def test_no_two_cases_have_one_name() -> None:
    """Each expected result belongs to one case, and each case has one."""
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    assert set(EXPECTED["official"]) == set(names)


def test_what_is_otherwise_really_is() -> None:
    """A case that is said to differ from the official package does."""
    said = {case.name for case in CASES if case.differs}
    assert said == set(EXPECTED["smalt"])
    assert all(EXPECTED["official"][name] != EXPECTED["smalt"][name] for name in said)
    assert sys.modules["smalt.mltable"].__all__
