"""Names of a pipeline's children: readable, and never another job's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smalt.service.records import jobs
from tests.engine.bench import workbench


def step(word: str) -> dict[str, Any]:
    return {"type": "command", "command": f"echo {word}", "environment": "azureml:host"}


@pytest.mark.parametrize("first", ["a command", "a pipeline's step", "a pipeline"])
async def test_a_step_whose_name_another_job_has_gets_another(first: str) -> None:
    """The pipeline completes beside a job that is called as its step would be, and so does whatever comes after it."""
    async with workbench() as bench:
        if first == "a command":
            before = bench.submit("exp-train", step("other"))
        elif first == "a pipeline":
            before = bench.submit("exp-train", {"jobs": {"s": step("other")}})
        else:
            before = bench.submit("exp", {"jobs": {"train": step("other")}})
        assert (await bench.over(before)).status == "Completed"
        name = "exp-train" if first == "a pipeline's step" else "exp"
        if first == "a pipeline's step":
            name = "exp-t"
            inner = await bench.over(bench.submit("exp-t-rain", step("third")))
            assert inner.status == "Completed"
        nodes = {"train": step("own"), "train-2": step("second"), "rain": step("rain")}
        job = await bench.over(bench.submit(name, {"jobs": nodes}))
        assert job.status == "Completed", job.error
        words = {child.node: bench.log(child) for child in jobs.list_children(bench.db, job.id)}
        assert words == {"train": "own\n", "train-2": "second\n", "rain": "rain\n"}
        assert (await bench.over(bench.submit("innocent", step("x")))).status == "Completed"


async def test_a_step_and_a_nested_step_of_one_name() -> None:
    """The step `a-b` and the step `b` of the nested pipeline `a` are two jobs, and both run."""
    async with workbench() as bench:
        bench.register("inner", {"type": "pipeline", "name": "inner", "jobs": {"b": step("nested")}})
        nested = {"type": "pipeline", "component": "azureml:inner@latest"}
        job = await bench.over(bench.submit("p", {"jobs": {"a": nested, "a-b": step("plain")}}))
        assert job.status == "Completed", job.error
        tree = [one for one in jobs.list_tree(bench.db, job.id) if one.type == "command"]
        assert sorted(bench.log(one) for one in tree) == ["nested\n", "plain\n"]


@pytest.mark.parametrize(("text", "last"), [("false", "Canceled"), ("true", "Completed")])
async def test_a_setting_that_is_sent_as_text(tmp_path: Path, text: str, last: str) -> None:
    """`continue_on_step_failure` as text, as a client may send it, means what it says."""
    async with workbench() as bench:
        fails = {**step("x"), "command": "exit 1"}
        waits = {**step("y"), "command": f"until [ -e {tmp_path}/go ]; do sleep 0.01; done"}
        settings = {"continue_on_step_failure": text}
        job = bench.submit("p", {"settings": settings, "jobs": {"a": fails, "b": waits}})
        await bench.until(job, lambda _: bench.states(job).get("a") == "Failed")
        if text == "true":
            (tmp_path / "go").touch()
        job = await bench.over(job)
        assert job.status == "Failed"
        assert bench.states(job)["b"] == last
