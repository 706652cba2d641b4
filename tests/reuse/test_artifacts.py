"""What an earlier step left besides its outputs: its artifacts and logs, which a reused step has as well."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smalt.service.reuse.explanation import explain_step
from tests.engine.bench import workbench
from tests.reuse.test_reused import HOST, origins, run

LEAVES = {"command": "echo here; mkdir outputs/deep; echo 1 > outputs/deep/art.txt; echo 2 > logs/own.log",
          "environment": HOST}  # fmt: skip


def _rewrite(path: Path) -> None:
    path.write_text("another\n")


HAPPENS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "outputs removed": (lambda left: shutil.rmtree(left / "outputs"), "artifacts"),
    "a file removed": (lambda left: (left / "outputs" / "deep" / "art.txt").unlink(), "artifacts"),
    "a file changed": (lambda left: _rewrite(left / "outputs" / "deep" / "art.txt"), "artifacts"),
    "logs of its own changed": (lambda left: _rewrite(left / "logs" / "own.log"), "artifacts"),
    "all removed": (shutil.rmtree, "artifacts"),
    "its log removed": (lambda left: (left / "user_logs" / "std_log.txt").unlink(), "logs"),
}


@pytest.mark.parametrize("happens", HAPPENS)
async def test_artifacts_that_are_gone_or_changed(happens: str) -> None:
    """A step whose artifacts or logs are no more as it left them serves nobody; the next one runs and says why."""
    act, what = HAPPENS[happens]

    async with workbench() as bench:
        await run(bench, "one", {"jobs": {"a": LEAVES}})
        two = await run(bench, "two", {"jobs": {"a": LEAVES}})
        assert origins(bench, two) == {"a": "one-a"}
        act(bench.artifacts("one-a"))
        three = await run(bench, "three", {"jobs": {"a": LEAVES}})
        assert origins(bench, three) == {"a": None}
        assert (bench.artifacts("three-a") / "outputs" / "deep" / "art.txt").exists()
        told = await explain_step(bench.engine.step_reuse.reuse, bench.child(three, "a"))
        assert f"the {what} of job one-a (identical code, inputs, environment) were" in told["reason"]
        assert origins(bench, await run(bench, "four", {"jobs": {"a": LEAVES}})) == {"a": "three-a"}
