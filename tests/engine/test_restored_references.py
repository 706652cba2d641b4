"""References of a job as they were written, where one version was named in several ways."""

from __future__ import annotations

import pytest

from smalt.entities.syntax.references import parse_reference
from smalt.service.engine.submission.pins import Pins
from smalt.service.engine.submission.resubmission import check_references_unmoved
from smalt.service.records import jobs, pins
from tests.engine.bench import workbench

ID = "/subscriptions/sub/resourceGroups/group/providers/Microsoft.MachineLearningServices/workspaces/default"


@pytest.mark.parametrize("is_first", [True, False], ids=["label-first", "version-first"])
async def test_a_version_that_was_written_stays_beside_a_label_of_it(is_first: bool) -> None:
    """Both ways are told; neither step is moved to the label, and the version counts as unmoved."""
    label = "azureml:does@latest"
    async with workbench() as bench:
        bench.register("does", {"command": "true", "environment": "azureml:host"})
        version = f"{ID}/components/does/versions/1"
        written = [label, version] if is_first else [version, label]
        steps = {f"s{number}": {"type": "command", "component": text} for number, text in enumerate(written)}
        job = bench.submit("p", {"type": "pipeline", "jobs": steps})
        found = Pins(pins.get_job_pins(bench.db, job))
        body, unclear = found.restore_written(jobs.read_properties(bench.db, job.id))
        references = [parse_reference(step["componentId"]) for step in body["jobs"].values()]
        assert [(one.name, one.version, one.label) for one in references if one] == [("does", "1", None)] * 2
        (ways,) = unclear.values()
        assert sorted(ways) == sorted([label, found.get_reference("components", label)])
        check_references_unmoved(bench.engine.context, bench.workspace, job)


async def test_a_label_alone_is_restored() -> None:
    """A version of another component beside it changes nothing."""
    async with workbench() as bench:
        for name in ("does", "other"):
            bench.register(name, {"command": "true", "environment": "azureml:host"})
        texts = {"a": "azureml:does@latest", "b": f"{ID}/components/other/versions/1"}
        steps = {name: {"type": "command", "component": text} for name, text in texts.items()}
        job = bench.submit("p", {"type": "pipeline", "jobs": steps})
        body, unclear = Pins(pins.get_job_pins(bench.db, job)).restore_written(jobs.read_properties(bench.db, job.id))
        assert {name: step["componentId"] for name, step in body["jobs"].items()} == texts
        assert not unclear
