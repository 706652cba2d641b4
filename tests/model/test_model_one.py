"""Random sequences of runs and edits give what an oracle computes from scratch; more of them in bench/model.py."""

from __future__ import annotations

import pytest

from tests.model.driver import Rig
from tests.model.play import SEED, examine


@pytest.mark.parametrize("number", range(15))
def test_every_output_and_version_is_what_the_oracle_says(rig: Rig, number: int) -> None:
    """States, outputs, registered versions and downloads of a sequence; a difference is shown as a smaller script."""
    report = examine(rig, SEED, number)
    assert report is None, report and report.text
