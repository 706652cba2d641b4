"""Programs of the standard library are the same, started warm, in everything that they can see."""

from __future__ import annotations

import pytest

from tests.warm.program import Program, read_programs
from tests.warm.rig import WarmRig


@pytest.mark.parametrize("program", read_programs("light_programs.txt"), ids=lambda program: program.name)
def test_a_program_is_the_same_warm(warm_rig: WarmRig, program: Program) -> None:
    """Output, exit code, signal and files are those of a cold start."""
    cold, warm = warm_rig.run_cold(program), warm_rig.run_warm(program)
    assert warm.how.startswith(program.starts), warm.how
    assert (warm.code, warm.signal) == (cold.code, cold.signal), warm.log
    assert warm.log.splitlines() == cold.log.splitlines()
    assert warm.files == cold.files
