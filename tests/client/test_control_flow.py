from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smalt import Input, MLClient, load_component, load_job
from smalt.client.jobs.step_selection import select_steps
from smalt.dsl import condition, do_while, pipeline
from smalt.dsl._parallel_for import parallel_for
from smalt.exceptions import SmaltError, ValidationException
from tests.dsl.programs import train


def test_a_loop_over_items_runs(client: MLClient, tmp_path: Path) -> None:
    """Made by `parallel_for`, with local data in an item; its gathered output can be downloaded."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "word").write_text("one\n")
    part = load_component({
        "type": "command", "name": "copy", "environment": "azureml:host", "inputs": {"data": {"type": "uri_folder"}},
        "outputs": {"out": {"type": "uri_folder"}}, "command": "cp ${{inputs.data}}/word ${{outputs.out}}/word",
    })  # fmt: skip

    @pipeline
    def whole(more: Any) -> Any:
        one = part()
        data = Input(type="uri_folder", path=str(tmp_path / "data"))
        each = parallel_for(body=one, items={"a": {"data": data}, "b": {"data": more}}, max_concurrency=1)
        return {"all": each.outputs.out}

    job = client.jobs.create_or_update(whole(more=Input(type="uri_folder", path=str(tmp_path / "data"))))
    client.jobs.stream(job.name)
    assert client.jobs.get(job.name).status == "Completed"
    below = [one.display_name for one in client.jobs.list(parent_job_name=f"{job.name}-each")]
    assert sorted(below) == ["one, item a", "one, item b"]
    client.jobs.download(job.name, output_name="all", download_path=str(tmp_path / "got"))
    found = sorted(str(one.relative_to(tmp_path / "got")) for one in (tmp_path / "got").rglob("*") if one.is_file())
    assert [one.rpartition("all/")[2] for one in found] == ["MLTable", "a/word", "b/word"]


def test_bad_items_are_refused_when_they_are_submitted(client: MLClient) -> None:
    """In one sentence that names the item, also where only the server knows the component."""

    @pipeline
    def whole() -> None:
        one = train()()
        each = parallel_for(body=one, items=[{"data": "azureml:none_such:1"}])
        assert each

    with pytest.raises(SmaltError) as caught:
        client.jobs.create_or_update(whole())
    assert "none_such" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_loop_and_a_choice_run(client: MLClient) -> None:
    """Made by `condition` and `do_while`, sent as the official client sends them; the steps below tell what ran."""
    count = load_component({
        "type": "command", "name": "count", "environment": "azureml:host",
        "inputs": {"n": {"type": "integer"}},
        "outputs": {"n": {"type": "integer"}, "more": {"type": "boolean"}},
        "command": "n=$((${{inputs.n}} + 1)); mkdir -p ${{outputs.n}} ${{outputs.more}}; "
        "echo $n > ${{outputs.n}}/output; [ $n -lt 2 ] && m=true || m=false; echo $m > ${{outputs.more}}/output",
    })  # fmt: skip

    @pipeline
    def whole() -> None:
        one = count(n=0)
        again = do_while(one, {one.outputs.n: one.inputs.n}, 5, one.outputs.more)
        yes, no = count(n=one.outputs.n), count(n=10)
        choice = condition(one.outputs.more, true_block=no, false_block=yes)
        assert again
        assert choice

    job = client.jobs.create_or_update(whole())
    client.jobs.stream(job.name)
    assert client.jobs.get(job.name).status == "Completed"
    children = {one.display_name: one.status for one in client.jobs.list(parent_job_name=job.name)}
    assert children == {"again": "Completed", "choice": "Completed"}
    below = [one.display_name for one in client.jobs.list(parent_job_name=f"{job.name}-again")]
    assert sorted(below) == ["one, iteration 1", "one, iteration 2"]


@pytest.mark.parametrize(
    ("only", "since", "named"),
    [(["decide"], [], "'decide' (if_else)"), ([], ["improve"], "'loop' (do_while)"), (["publish"], [], "'loop' (do")],
)
def test_selected_steps_leave_out_conditions_and_loops(only: list[str], since: list[str], named: str) -> None:
    """One sentence says so before anything is looked up."""
    job = load_job(Path(__file__).parents[2] / "examples/improve-until-good/pipeline.yml")
    session: Any = None
    with pytest.raises(ValidationException) as raised:
        select_steps(session, job, only, since, None)
    assert f"the step {named}" in str(raised.value)
    assert "run the whole pipeline" in str(raised.value)
