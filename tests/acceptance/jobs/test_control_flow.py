"""Conditions and loops on the command line: streams, lists, reasons, exports, debugging, deletion."""

from __future__ import annotations

import json

import pytest

import yaml
from tests.acceptance.conftest import Desk

STEP = "environment: azureml:host, type: command"
FLOW = f"""
type: pipeline
jobs:
  check:
    {{{STEP}, command: 'echo yes > ${{{{outputs.good}}}}/output', outputs: {{good: {{type: boolean}}}}}}
  publish:
    {{{STEP}, command: 'echo ${{{{inputs.good}}}}', inputs: {{good: '${{{{parent.jobs.check.outputs.good}}}}'}}}}
  report:
    {{{STEP}, command: 'echo bad > ${{{{outputs.o}}}}/f', outputs: {{o: {{type: uri_folder}}}}}}
  decide:
    type: if_else
    condition: ${{{{parent.jobs.check.outputs.good}}}}
    true_block: ${{{{parent.jobs.publish}}}}
    false_block: ${{{{parent.jobs.report}}}}
  read:
    {{{STEP}, command: 'cat ${{{{inputs.i}}}}/f', inputs: {{i: '${{{{parent.jobs.report.outputs.o}}}}'}}}}
  train:
    {{{STEP}, command: 'echo MARK', outputs: {{o: {{type: uri_folder}}}}}}
  improve: {{type: do_while, body: '${{{{parent.jobs.train}}}}', mapping: {{}}, limits: {{max_iteration_count: 2}}}}
"""
SKIPPED = "it reads the output 'o' of step 'report', which 'decide' did not run"


def run(desk: Desk, name: str, mark: str = "one") -> str:
    """Run the pipeline, and return what its stream says on standard error."""
    ran = desk.job(FLOW.replace("MARK", mark), f"--name {name}")
    assert ran.code == 0, ran.err
    return ran.err


def test_a_skipped_step_says_why(desk: Desk) -> None:
    """In the stream, in the steps of `job show` and in `explain-reuse`; smalt's own bookkeeping is not shown."""
    assert f"read: Canceled ({SKIPPED})" in run(desk, "says")
    steps = {step["step"]: step for step in desk.smalt("job show says -o json").json["steps"]}
    assert steps["read"]["error"] == {"code": "Skipped", "message": SKIPPED}
    assert f"read: Canceled: it never started: {SKIPPED}" in desk.smalt("job explain-reuse says").out
    for name in ("says-decide", "says-improve", "says-read"):
        shown = desk.smalt(f"job show {name} -o json").json
        assert not [key for key in shown["properties"] if key.startswith("smalt.") and key != "smalt.error"]


def test_the_steps_are_listed_with_their_parents(desk: Desk) -> None:
    """Of a pipeline its control jobs, of a control job the steps that it ran; the top list has none of them."""
    run(desk, "listed")
    children = {job["name"] for job in desk.smalt("job list -p listed -o json").json}
    assert children == {f"listed-{step}" for step in ("check", "decide", "read", "improve")}
    assert [job["name"] for job in desk.smalt("job list -p listed-decide -o json").json] == ["listed-decide-publish"]
    iterations = {job["name"] for job in desk.smalt("job list -p listed-improve -o json").json}
    assert iterations == {"listed-improve-train-1", "listed-improve-train-2"}
    assert not {job["name"] for job in desk.smalt("job list -o json").json} & (children | iterations)


@pytest.mark.parametrize("node", ["improve/train.2", "train.2", "explained-improve-train-2"])
def test_debug_and_explain_reuse_name_steps_alike(desk: Desk, node: str) -> None:
    """An iteration has its path, its own name where no other step has it, and the name of its job."""
    run(desk, "explained")
    explained = desk.smalt(f"job explain-reuse explained --node {node}")
    assert (explained.code, explained.out.startswith("improve/train.2: ")) == (0, True), explained.err
    debugged = desk.smalt(f"job debug explained --node {node} -- echo in the step")
    assert debugged.code == 0, debugged.err
    for verb, rest in (("explain-reuse", ""), ("debug", " -- true")):
        refused = desk.smalt(f"job {verb} explained --node nothing{rest}")
        assert refused.code != 0
        assert "its steps are " in refused.err
        assert "decide/publish" in refused.err
        assert "improve/train.1" in refused.err


def test_iterations_are_reused_and_compared(desk: Desk) -> None:
    """A second run reuses each iteration; one with another command does not, and both runs stand side by side."""
    run(desk, "first", "compared")
    assert "improve/train.2: Completed, reused" in run(desk, "second", "compared")
    assert "reused: it reuses the outputs of job first-improve-train-" in desk.smalt("job explain-reuse second").out
    assert "reused" not in [line for line in run(desk, "third", "otherwise").splitlines() if "train.2" in line][-1]
    compared = desk.smalt("job compare first third")
    assert compared.code == 0, compared.err
    assert "improve" in compared.out


@pytest.mark.parametrize("name", ["decide", "decide-publish", "improve", "improve-train-2"])
def test_an_exported_part_runs_by_itself(desk: Desk, name: str) -> None:
    """A value that an earlier step wrote stands in the file, and the job that is made from it completes."""
    run(desk, "exported")
    exported = desk.smalt(f"job export exported-{name} --folder {name}")
    assert exported.code == 0, exported.err
    document = yaml.safe_load((desk.folder / name / "job.yml").read_text())
    if name == "decide":
        assert document["inputs"] == {"condition": True}
    again = desk.smalt(f"job create --file {name}/job.yml --stream")
    assert again.code == 0, again.err


def test_an_export_keeps_own_properties_and_services(desk: Desk) -> None:
    """Those that the job's file has; not those by which smalt and git describe a run."""
    desk.write(
        "job.yml",
        "command: 'true'\nenvironment: azureml:host\nproperties: {owner: me, smalt.retries: '1'}\n"
        "services: {notes: {type: jupyter_lab}}\n",
    )
    assert desk.smalt("job create --file job.yml --name kept --stream").code == 0
    assert desk.smalt("job show kept -o json").json["services"]["notes"]["type"] == "jupyter_lab"
    assert desk.smalt("job export kept --folder moved").code == 0
    document = yaml.safe_load((desk.folder / "moved/job.yml").read_text())
    assert document["properties"] == {"owner": "me", "smalt.retries": "1"}
    assert document["services"] == {"notes": {"type": "jupyter_lab"}}


def test_a_deleted_pipeline_takes_its_iterations_along(desk: Desk) -> None:
    """Nothing of the control jobs or of the steps below them is left, and the name is free again."""
    run(desk, "gone", "deleted")
    store = desk.server.home.path("workspaces", "default", "datastores", "workspaceblobstore", "azureml")
    assert list(store.glob("gone-improve-train-*"))
    deleted = desk.smalt("job delete gone --yes")
    assert deleted.code == 0, deleted.err
    assert not list(store.glob("gone*"))
    assert desk.smalt("job show gone-improve-train-1").code != 0
    assert desk.smalt("job show gone-decide").code != 0
    run(desk, "gone", "deleted")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (
            "{d: {type: uri_folder, path: .}}",
            "is a boolean, and the pipeline's input 'd' is data (uri_folder)",
        ),
        ("{d: maybe}", "is true or false, and the pipeline's input 'd' is 'maybe'"),
        ("{d: '1'}", ""),
        ("{d: 0}", "is true or false, and the pipeline's input 'd' is the number 0"),
        ("{d: on}", ""),
    ],
)
def test_an_input_that_is_a_condition_is_a_boolean(desk: Desk, given: str, why: str) -> None:
    """Data and other values are refused at the line of the condition; '1' means true, as 'yes' does."""
    text = f"""\
        type: pipeline
        inputs: {given}
        jobs:
          a: {{{STEP}, command: echo a}}
          decide:
            type: if_else
            condition: ${{{{parent.inputs.d}}}}
            true_block: ${{{{parent.jobs.a}}}}
        """
    desk.write("job.yml", text)
    ran = desk.smalt("job validate --file job.yml -o none")
    if why:
        assert (ran.code, ran.err.strip()) == (2, f"job.yml:7:16: the condition {why}")
    else:
        assert ran.code == 0, ran.err


INLINE = """
type: pipeline
jobs:
  list:
    command: |-
      echo '{late}' > ${{{{outputs.items}}}}/items.json
    environment: azureml:host
    outputs: {{items: {{type: uri_folder}}}}
  say:
    command: echo ${{{{inputs.own}}}} ${{{{inputs.k}}}} ${{{{inputs.w}}}}
    environment: azureml:host
    inputs: {{own: {own}}}
  each:
    type: parallel_for
    body: ${{{{parent.jobs.say}}}}
    items: {items}
"""


@pytest.mark.parametrize(
    ("own", "items"),
    [("early", "[{k: 1, w: a}, {k: 2.5, w: b}]"), ("late", "${{parent.jobs.list.outputs.items}}")],
)
def test_a_command_in_place_reads_what_only_the_items_give(desk: Desk, own: str, items: str) -> None:
    """Whether the items are written in the file, or are known only once a step has written them."""
    late = json.dumps([{"k": 1, "w": "a"}, {"k": 2.5, "w": "b"}])
    ran = desk.job(INLINE.format(own=own, items=items, late=late))
    assert ran.code == 0, ran.out + ran.err
    assert f"{own} 1 a" in ran.out
    assert f"{own} 2.5 b" in ran.out


def test_a_name_that_late_items_do_not_give_fails_the_loop(desk: Desk) -> None:
    """In one sentence, before an iteration runs; where the items are in the file, the file is refused."""
    late = INLINE.format(own="x", items="${{parent.jobs.list.outputs.items}}", late='[{"k": 1}]')
    ran = desk.job(late)
    assert ran.code == 1
    assert "items[0]: the input 'w' (string) of the body is given by neither the items nor the body" in ran.err
    ran = desk.job(INLINE.format(own="x", items="[{k: 1}]", late=""))
    assert ran.code == 2
    assert "'${{inputs.w}}' names no input of this step" in ran.err
