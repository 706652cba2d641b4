"""One sequence: make it from its seed and number, play it, and where it differs from the oracle make it smaller."""

from __future__ import annotations

import re
from collections.abc import Set
from random import Random
from typing import NamedTuple

from tests.model.driver import Rig
from tests.model.features import NEED_MLFLOW
from tests.model.shrink import Script, show, shrink
from tests.model.world import make_script

SEED = 12
"""The tests' own; the bench takes others."""
NOT_YET: frozenset[str] = frozenset()
"""Features (see `features.FEATURES`) that scripts do without, as smalt is not right there yet."""


class Report(NamedTuple):
    kind: str
    text: str


def examine(
    rig: Rig,
    seed: int,
    number: int,
    without: Set[str] = NOT_YET,
    always: Set[str] = frozenset(),
    seconds: float = 20,
) -> Report | None:
    """Return what is wrong with sequence `number` of a seed, None where nothing is."""
    without = without if rig.has_mlflow else without | NEED_MLFLOW
    script = make_script(Random(f"{seed}/{number}"), without, always)
    problems = rig.play(script)
    if not problems:
        return None
    wanted = kind_of(problems[0])
    last = problems

    def fails(candidate: Script) -> bool:
        nonlocal last
        for _ in range(3 if "during" in str(candidate) else 1):  # what happens at a moment may not happen again at once
            found = rig.play(candidate)
            if wanted in map(kind_of, found):
                last = found
                return True
        return False

    small = shrink(script, fails, seconds)
    return Report(wanted, "\n".join([*last, show(small)]))


def kind_of(problem: str) -> str:
    """Return a problem without names, numbers and texts: by this, problems are the same."""
    text = re.sub(r"^at \d+: ", "", problem)
    text = re.sub(r"^\w+(/\w+)*/?:? ", "JOB ", text)
    text = re.sub(r"\{.*?\}", "{…}", text)
    text = re.sub(r"/\S+|\w*\.yml\S*", "PATH", text)
    return re.sub(r"'[^']*'|\d+|\b(final|made|single|node|crowd)\b", "·", text)[:150]
