"""if_else and do_while in the engine: what runs, what it reads, and where outputs turn out to be."""

from __future__ import annotations

import asyncio
import copy
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from smalt import load_job
from smalt.entities import read
from smalt.exceptions import ValidationException
from smalt.service.engine.kinds.control_flow import do_while
from smalt.service.engine.kinds.properties import PLANNED
from smalt.service.records import job_attempts, job_data, jobs
from smalt.service.records.jobs import Job
from tests.engine.bench import Workbench, workbench
from tests.helpers import LONGEST, eventually

HOST = "azureml:host"


def flag(value: str) -> dict[str, Any]:
    """A step that writes a boolean."""
    return {
        "command": f"mkdir -p ${{{{outputs.flag}}}}; echo {value} > ${{{{outputs.flag}}}}/output", "environment": HOST,
        "outputs": {"flag": {"type": "boolean"}},
    }  # fmt: skip


def say(word: str, **more: Any) -> dict[str, Any]:
    """A step that writes a word to its output."""
    command = f"mkdir -p ${{{{outputs.out}}}}; echo {word} > ${{{{outputs.out}}}}/word"
    return {"command": command, "environment": HOST, "outputs": {"out": {"type": "uri_folder"}}, **more}


def reader(*sources: str, optional: bool = False) -> dict[str, Any]:
    """A step that prints the words of other steps' outputs."""
    names = [f"in{number}" for number in range(len(sources))]
    declared = {name: {"type": "uri_folder", "optional": optional} for name in names}
    parts = [f"cat ${{{{inputs.{name}}}}}/word;" for name in names]
    command = " ".join(f"$[[{part}]]" if optional else part for part in parts) + " echo end"
    component = {"type": "command", "command": command, "environment": HOST, "inputs": declared, "name": "reader"}
    bound = {name: f"${{{{parent.jobs.{source}.outputs.out}}}}" for name, source in zip(names, sources, strict=True)}
    return {"type": "command", "component": component, "inputs": bound}


COUNT = {
    "type": "command", "name": "count", "environment": HOST,
    "inputs": {"n": {"type": "integer"}, "before": {"type": "uri_folder", "optional": True}},
    "outputs": {"n": {"type": "integer"}, "more": {"type": "boolean"}, "out": {"type": "uri_folder"}},
    "command": "n=$((${{inputs.n}} + 1)); mkdir -p ${{outputs.n}} ${{outputs.more}} ${{outputs.out}}; "
    "echo $n > ${{outputs.n}}/output; [ $n -lt 3 ] && m=true || m=false; echo $m > ${{outputs.more}}/output; "
    "$[[cat ${{inputs.before}}/word;]] echo $n > ${{outputs.out}}/word",
}  # fmt: skip


def loop(**more: Any) -> dict[str, Any]:
    """A loop that counts to 3, and the step that it repeats."""
    return {
        "one": {"type": "command", "component": COUNT, "inputs": {"n": 0}},
        "again": {
            "type": "do_while", "body": "${{parent.jobs.one}}", "condition": "${{parent.jobs.one.outputs.more}}",
            "mapping": {"n": "n", "out": ["before"]}, "limits": {"max_iteration_count": 5}, **more,
        },
    }  # fmt: skip


def branch(condition: Any, true: Any = "yes", false: Any = "no") -> dict[str, Any]:
    def block(names: Any) -> Any:
        texts = [f"${{{{parent.jobs.{name}}}}}" for name in ([names] if isinstance(names, str) else names or [])]
        return texts[0] if len(texts) == 1 else texts

    made = {"type": "if_else", "condition": condition, "true_block": block(true), "false_block": block(false)}
    return {key: value for key, value in made.items() if value != []}


def log(bench: Workbench, name: str) -> str:
    folder = Path(bench.engine.context.artifacts(bench.workspace, name), "user_logs")
    return (folder / "std_log.txt").read_text()


def tree(bench: Workbench, job: Job) -> dict[str, str]:
    """Name below the job → status."""
    rows = jobs.list_tree(bench.db, job.root_id)
    return {row.name.removeprefix(f"{job.name}-"): row.status for row in rows if row.id != job.id}


async def run(document: dict[str, Any], then: Any) -> None:
    """Run the pipeline to its end, then call `then` with it."""
    async with workbench() as bench:
        job = await bench.over(bench.submit("p", document))
        then(bench, job)


@pytest.mark.parametrize(("value", "runs"), [("true", "yes"), ("false", "no")])
async def test_an_output_decides_which_block_runs(value: str, runs: str) -> None:
    """The other block's step never becomes a job; a step behind reads the output of the one that ran."""
    document = {"jobs": {
        "ask": flag(value), "yes": say("yes"), "no": say("no"),
        "cond": branch("${{parent.jobs.ask.outputs.flag}}"), "after": reader("yes", "no", optional=True),
    }}  # fmt: skip

    def then(bench: Workbench, job: Job) -> None:
        assert tree(bench, job) == dict.fromkeys(("ask", "cond", f"cond-{runs}", "after"), "Completed")
        assert job.status == "Completed"
        assert log(bench, "p-after") == f"{runs}\nend\n"

    await run(document, then)


async def test_a_loop_runs_until_its_condition_is_false() -> None:
    """Each iteration reads what the last one wrote; a step behind reads the output of the last."""
    document = {"jobs": {**loop(), "after": reader("one")}}

    def then(bench: Workbench, job: Job) -> None:
        iterations = [f"again-one-{number}" for number in (1, 2, 3)]
        assert tree(bench, job) == dict.fromkeys(("again", *iterations, "after"), "Completed")
        assert job.status == "Completed"
        assert log(bench, "p-again-one-3") == "2\n"
        assert log(bench, "p-after") == "3\nend\n"

    await run(document, then)


async def test_the_limit_ends_a_loop_without_a_condition(tmp_path: Path) -> None:
    """It completes, and its log says why no further iteration came."""
    steps = loop(limits={"max_iteration_count": 2})
    del steps["again"]["condition"]

    def then(bench: Workbench, job: Job) -> None:
        assert tree(bench, job) == dict.fromkeys(("again", "again-one-1", "again-one-2"), "Completed")
        note = (bench.artifacts("p-again") / "system_logs" / "smalt.log").read_text()
        assert "iteration 2 is the last: max_iteration_count is 2" in note

    await run({"jobs": steps}, then)


async def test_an_iteration_that_fails_ends_its_loop() -> None:
    """What waits for the loop is canceled, and the pipeline says which iteration it was."""
    steps = {**loop(), "after": reader("one")}
    steps["one"] = {**steps["one"], "component": {**COUNT, "command": "exit 3"}}

    def then(bench: Workbench, job: Job) -> None:
        assert tree(bench, job) == {"again": "Failed", "again-one-1": "Failed", "after": "Canceled"}
        assert job.ended_by is not None
        assert "step 'again' failed: step 'one.1' failed: the command exited with code 3" in job.ended_by["message"]

    await run({"jobs": steps}, then)


async def test_a_step_that_needs_an_output_of_the_other_block_is_skipped() -> None:
    """So is what needs that step; the pipeline completes all the same."""
    steps = {
        "yes": say("yes"), "no": say("no"), "cond": branch(True), "of_no": reader("no"), "of_yes": reader("yes"),
        "last": {"command": "ls ${{inputs.i}}", "environment": HOST,
                 "inputs": {"i": "${{parent.jobs.of_no.outputs.o}}"}},
    }  # fmt: skip
    steps["of_no"]["component"]["outputs"] = {"o": {"type": "uri_folder"}}

    def then(bench: Workbench, job: Job) -> None:
        states = {"cond": "Completed", "cond-yes": "Completed", "of_yes": "Completed"}
        assert tree(bench, job) == {**states, "of_no": "Canceled", "last": "Canceled"}
        skipped = bench.child(job, "of_no").ended_by
        assert skipped is not None
        assert skipped["message"] == "it reads the output 'out' of step 'no', which 'cond' did not run"
        assert job.status == "Completed"

    await run({"jobs": steps}, then)


async def test_both_blocks_may_write_an_output_of_the_pipeline() -> None:
    """The block that runs writes it where the pipeline has it; it becomes a version."""
    out = {"outputs": {"out": "${{parent.outputs.said}}"}}
    document = {
        "outputs": {"said": {"type": "uri_folder", "name": "said"}},
        "jobs": {"yes": {**say("yes"), **out}, "no": {**say("no"), **out}, "cond": branch(False)},
    }

    def then(bench: Workbench, job: Job) -> None:
        assert (job.status, job.error) == ("Completed", None)
        uri, asset = job_data.read_data(bench.db, job.id, "output")["said"][2:]
        assert asset == "data/said/versions/1"
        place = bench.engine.context.resolve(str(uri), bench.workspace).path
        assert place is not None
        assert (place / "word").read_text() == "no\n"

    await run(document, then)


@pytest.mark.parametrize("go", [True, False])
@pytest.mark.parametrize("is_loop", [True, False])
async def test_steps_bound_to_the_same_output_keep_their_readers(go: bool, is_loop: bool) -> None:
    """A reader of a step in a block reads that step's data, though the other block has the pipeline's output, too."""
    out = {"outputs": {"out": "${{parent.outputs.said}}"}}
    steps = loop() if is_loop else {"one": say("3")}
    steps["one"].update(out)
    steps |= {"no": {**say("no"), **out}, "cond": branch(go, true="again" if is_loop else "one")}
    steps |= {"of_one": reader("one"), "of_no": reader("no"), "of_any": reader("one", "no", optional=True)}
    document = {"outputs": {"said": {"type": "uri_folder", "name": "said"}}, "jobs": steps}

    def then(bench: Workbench, job: Job) -> None:
        assert (job.status, job.error) == ("Completed", None)
        words, runs, rests = ("3", "of_one", "of_no") if go else ("no", "of_no", "of_one")
        assert {name: tree(bench, job)[name] for name in (runs, rests)} == {runs: "Completed", rests: "Canceled"}
        assert log(bench, f"p-{runs}") == log(bench, "p-of_any") == f"{words}\nend\n"
        uri, asset = job_data.read_data(bench.db, job.id, "output")["said"][2:]
        assert asset == "data/said/versions/1"
        place = bench.engine.context.resolve(str(uri), bench.workspace).path
        assert place is not None
        assert (place / "word").read_text() == f"{words}\n"

    await run(document, then)


async def test_an_output_of_the_pipeline_is_that_of_the_last_iteration() -> None:
    """Where it lies is recorded; nothing is copied, and what reads it from outside finds it."""
    steps = loop()
    steps["one"]["outputs"] = {"out": "${{parent.outputs.last}}"}
    inner = {"type": "pipeline", "name": "inner", "jobs": steps, "outputs": {"last": {"type": "uri_folder"}}}
    document = {
        "outputs": {"all": {"type": "uri_folder", "name": "counted"}},
        "jobs": {"nested": {"type": "pipeline", "component": inner, "outputs": {"last": "${{parent.outputs.all}}"}}},
    }
    read = {
        "command": "cat ${{inputs.i}}/word",
        "environment": HOST,
        "inputs": {"i": "${{parent.jobs.nested.outputs.last}}"},
    }
    document["jobs"]["read"] = read

    def then(bench: Workbench, job: Job) -> None:
        assert (job.status, job.error) == ("Completed", None)
        assert log(bench, "p-read") == "3\n"
        uri, asset = job_data.read_data(bench.db, job.id, "output")["all"][2:]
        assert asset == "data/counted/versions/1"
        assert uri == "azureml://datastores/workspaceblobstore/paths/azureml/p-nested-again-one-3/out/"

    await run(document, then)


async def test_steps_of_a_block_read_each_other_and_the_pipeline() -> None:
    """A block of several steps is a graph of its own; what is outside of it is filled in."""
    steps = {
        "first": say("first"),
        "a": reader("first"),
        "b": {"command": "cat ${{inputs.i}}/word; echo ${{inputs.w}} $V", "environment": HOST,
              "environment_variables": {"V": "v-${{parent.inputs.word}}"},
              "inputs": {"i": "${{parent.jobs.a.outputs.o}}", "w": "${{parent.inputs.word}} of ${{name}}"}},
        "cond": branch("${{parent.inputs.go}}", true=["b", "a"], false=None),
    }  # fmt: skip
    steps["a"]["component"]["outputs"] = {"o": {"type": "uri_folder"}}
    steps["a"]["component"]["command"] += "; cp ${{inputs.in0}}/word ${{outputs.o}}/word"

    def then(bench: Workbench, job: Job) -> None:
        assert tree(bench, job) == dict.fromkeys(("first", "cond", "cond-a", "cond-b"), "Completed")
        assert log(bench, "p-cond-b") == "first\nhello of p-cond-b v-hello\n"

    await run({"inputs": {"go": True, "word": "hello"}, "jobs": steps}, then)


async def test_a_loop_in_a_block_and_a_choice_without_a_step() -> None:
    """A loop may be in a block; a choice that has no step for its condition does nothing."""
    steps = {**loop(), "cond": branch(True, true="again", false=None), "none": branch(False, true="x", false=None),
             "x": say("x"), "after": reader("one")}  # fmt: skip

    def then(bench: Workbench, job: Job) -> None:
        assert job.status == "Completed"
        assert "none-x" not in tree(bench, job)
        assert tree(bench, job)["cond-again-one-3"] == "Completed"
        assert log(bench, "p-after") == "3\nend\n"

    await run({"jobs": steps}, then)


async def test_a_second_run_reuses_every_iteration() -> None:
    """The steps are reused one by one, and the condition is read where the reused step wrote it."""
    document = {"jobs": {**loop(), "after": reader("one"), "ask": flag("true"), "yes": say("yes"), "no": say("no"),
                         "cond": branch("${{parent.jobs.ask.outputs.flag}}")}}  # fmt: skip

    async with workbench() as bench:
        await bench.over(bench.submit("p", document))
        again = await bench.over(bench.submit("q", document))
        assert again.status == "Completed"
        rows = jobs.list_tree(bench.db, again.id)
        leaves = [row.name for row in rows if not row.is_composite]
        assert len(leaves) == 6
        assert {row.name for row in rows if job_attempts.list_attempts(bench.db, row.id)} == set()


async def test_a_canceled_loop_adds_no_iteration(tmp_path: Path) -> None:
    """All of it is Canceled, and nothing runs on."""
    begun = tmp_path / "begun"
    steps = loop()
    steps["one"] = {**steps["one"], "component": {**COUNT, "command": f"touch {begun}; sleep 60"}}

    async with workbench() as bench:
        job = bench.submit("p", {"jobs": steps})
        await asyncio.to_thread(eventually, begun.exists)
        bench.engine.cancel(job)
        over = await bench.over(job)
        assert over.status == "Canceled"
        assert tree(bench, over) == {"again": "Canceled", "again-one-1": "Canceled"}


async def test_a_choice_whose_blocks_read_the_blocks_of_another_runs_the_chosen_one() -> None:
    """The step in the block that is not chosen needs data that is not there, and that does not matter."""
    steps = {"yes": say("yes"), "no": say("no"), "cond": branch(True), "of_yes": reader("yes"), "of_no": reader("no")}
    steps["second"] = branch(True, "of_yes", "of_no")

    def then(bench: Workbench, job: Job) -> None:
        ran = ("cond", "cond-yes", "second", "second-of_yes")
        assert (job.status, tree(bench, job)) == ("Completed", dict.fromkeys(ran, "Completed"))
        assert log(bench, "p-second-of_yes") == "yes\nend\n"

    await run({"jobs": steps}, then)


async def test_a_choice_by_an_output_that_no_step_wrote_is_skipped() -> None:
    """As a step is that needs one; the pipeline completes."""
    steps = {"ask": flag("true"), "no": say("no"), "cond": branch(False, "ask"), "x": say("x")}
    steps["second"] = branch("${{parent.jobs.ask.outputs.flag}}", "x", None)

    def then(bench: Workbench, job: Job) -> None:
        assert job.status == "Completed"
        assert tree(bench, job) == {"cond": "Completed", "cond-no": "Completed", "second": "Canceled"}
        why = bench.child(job, "second").ended_by
        assert why is not None
        assert why["message"] == "it reads the output 'flag' of step 'ask', which 'cond' did not run"

    await run({"jobs": steps}, then)


@pytest.mark.parametrize("go", [True, False])
@pytest.mark.parametrize("depth", [1, 2])
async def test_an_optional_input_of_a_pipeline_step_may_have_no_data(go: bool, depth: int) -> None:
    """It is left out in the steps of that pipeline, at whatever depth."""
    inner = reader("yes", optional=True)
    inner["inputs"] = {"in0": "${{ parent.inputs.i }}"}
    optional = {"i": {"type": "uri_folder", "optional": True}}
    for number in range(depth):
        inputs = {"i": "${{parent.jobs.yes.outputs.out}}" if number == depth - 1 else "${{parent.inputs.i}}"}
        whole = {"type": "pipeline", "name": "whole", "inputs": optional, "jobs": {"s": inner}}
        inner = {"type": "pipeline", "component": whole, "inputs": inputs}
    steps = {"yes": say("yes"), "no": say("no"), "cond": branch(go), "p": inner}

    def then(bench: Workbench, job: Job) -> None:
        assert (job.status, job.error) == ("Completed", None)
        assert log(bench, "p-p" + "-s" * depth) == ("yes\nend\n" if go else "end\n")

    await run({"jobs": steps}, then)


async def test_an_output_of_a_pipeline_step_that_no_step_in_it_wrote() -> None:
    """What needs it is skipped; what has it as an optional input runs without."""
    steps: dict[str, Any] = {"yes": say("yes"), "no": say("no"), "cond": branch("${{parent.inputs.go}}")}
    steps["yes"]["outputs"] = {"out": "${{parent.outputs.out}}"}
    inner = {
        "type": "pipeline", "name": "inner", "inputs": {"go": {"type": "boolean"}},
        "outputs": {"out": {"type": "uri_folder"}}, "jobs": steps,
    }  # fmt: skip
    document = {
        "nested": {"type": "pipeline", "component": inner, "inputs": {"go": False}},
        "needs": reader("nested"), "may": reader("nested", optional=True),
    }  # fmt: skip

    def then(bench: Workbench, job: Job) -> None:
        assert job.status == "Completed"
        states = {name: tree(bench, job)[name] for name in ("nested", "needs", "may")}
        assert states == {"nested": "Completed", "needs": "Canceled", "may": "Completed"}
        assert log(bench, "p-may") == "end\n"

    await run({"jobs": document}, then)


async def test_a_loop_may_map_nothing() -> None:
    """Each iteration has the same inputs; the empty mapping is still there in the job that clients get."""
    steps = loop(mapping={}, limits={"max_iteration_count": 2})

    def then(bench: Workbench, job: Job) -> None:
        assert tree(bench, job) == dict.fromkeys(("again", "again-one-1", "again-one-2"), "Completed")
        assert jobs.read_properties(bench.db, job.id)["jobs"]["again"]["mapping"] == {}

    await run({"jobs": steps}, then)


WRONG = {
    "a step in two blocks": (
        {"x": say("x"), "a": branch(True, "x", None), "b": branch(True, None, "x")},
        "jobs.b.false_block: 'x' is named in jobs.a.true_block, too",
    ),
    "no block": (
        {"x": say("x"), "a": {"type": "if_else", "condition": True}},
        "jobs.a: an if_else step needs a true_block",
    ),
    "an unknown step": (
        {"x": say("x"), "a": branch(True, "y", None)},
        "jobs.a.true_block: '${{parent.jobs.y}}' names no step",
    ),
    "data as condition": (
        {"x": say("x"), "y": say("y"), "a": branch("${{parent.jobs.y.outputs.out}}", "x", None)},
        "jobs.a.condition: the condition is a boolean, and that output is data (uri_folder)",
    ),
    "its own step as condition": (
        {"x": flag("true"), "a": branch("${{parent.jobs.x.outputs.flag}}", "x", None)},
        "jobs.a.condition: the condition is an output of 'x', which runs only once the condition is known",
    ),
    "a loop without a limit": (
        loop(limits={}),
        "jobs.again.limits: limits of a do_while step need 'max_iteration_count'",
    ),
    "an unknown output": (loop(mapping={"m": "n"}), "jobs.again.mapping: the body has no output 'm'"),
    "an unknown input": (loop(mapping={"n": "m"}), "jobs.again.mapping: the body has no input 'm'"),
    "an unknown condition": (
        loop(condition="mor"),
        "jobs.again.condition: the body has no output 'mor'; did you mean 'more'?",
    ),
    "a type that does not fit": (
        loop(mapping={"out": "n"}),
        "the input 'n' must be an integer, but the output 'out' of the body is data (uri_folder)",
    ),
    "the loop as the source of its condition": (
        loop(condition="${{parent.jobs.again.outputs.more}}"),
        "jobs.again.condition: '${{parent.jobs.again.outputs.more}}' names",
    ),
    "another step as the source of a condition": (
        {**loop(condition="${{parent.jobs.x.outputs.flag}}"), "x": flag("true")},
        "jobs.again.condition: '${{parent.jobs.x.outputs.flag}}' names 'x', and the body is 'one'",
    ),
    "inputs of a loop": (loop(inputs={"n": 1}), "jobs.again.inputs: a do_while step has no inputs of its own"),
    "an output of a choice": (
        {"x": say("x"), "a": branch(True, "x", None), "y": reader("a")},
        "jobs.y.inputs.in0: '${{parent.jobs.a.outputs.out}}' names an if_else step, which has no outputs of its own; "
        "name those of a step in its blocks: 'x'",
    ),
    "a reader in the other block": (
        {"x": say("x"), "y": reader("x"), "a": branch(True, "x", "y")},
        "jobs.y.inputs.in0: 'y' is in the false_block of 'a' and 'x' is in its true_block, so only one",
    ),
    "a number as condition": (
        {
            "y": say("y"),
            "a": branch("${{parent.jobs.z.outputs.n}}", "y", None),
            "z": {"type": "command", "component": COUNT, "inputs": {"n": 0}},
        },
        "jobs.a.condition: the condition is a boolean, and that output is of type integer",
    ),
    "a type without a path": (
        {"one": {"type": "command", "component": COUNT, "inputs": {"n": 0, "before": {"type": "uri_folder"}}}},
        "jobs.one.inputs.before: the input 'before' has a type and no path",
    ),
    "a wait in a circle": (
        {"x": reader("y"), "y": reader("x"), "a": branch(True, "x", None)},
        "these steps wait for each other: a → y → a",
    ),
}


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (0.8, "the condition is true or false, and the pipeline's input 'go' is the number 0.8"),
        ("true", None),
    ],
)
def test_an_input_as_condition_is_true_or_false(value: Any, sentence: str | None) -> None:
    """Others are refused where the condition is."""
    steps = {"x": say("x"), "a": branch("${{parent.inputs.go}}", "x", None)}
    _, problems = read({"type": "pipeline", "inputs": {"go": value}, "jobs": steps}, "job")
    texts = [str(problem) for problem in problems]
    assert len(texts) == (0 if sentence is None else 1), texts
    assert all(sentence in text and "jobs.a.condition" in text for text in texts if sentence)


def test_a_loop_shares_no_output_of_the_pipeline_with_a_step_that_runs_as_well() -> None:
    """Each would overwrite the other, and a reader of one would get the data of the other."""
    bound = {"out": "${{parent.outputs.said}}"}
    steps = {**loop(), "x": {**say("x"), "outputs": bound}}
    steps["one"] = {**steps["one"], "outputs": bound}
    _, problems = read({"type": "pipeline", "outputs": {"said": {"type": "uri_folder"}}, "jobs": steps}, "job")
    words = "jobs.x.outputs.out: the output 'said' of the pipeline is bound to 'one' too, and one of them is in a loop"
    assert [str(problem).startswith(words) for problem in problems] == [True]


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_with_its_place(case: str) -> None:
    """One sentence each."""
    steps, sentence = WRONG[case]
    if case == "a wait in a circle":
        for name in ("x", "y"):
            steps[name]["component"]["outputs"] = {"out": {"type": "uri_folder"}}
    _, problems = read({"type": "pipeline", "jobs": steps}, "job")
    texts = [str(problem) for problem in problems]
    assert len(texts) == 1, texts
    assert sentence in texts[0]


@pytest.mark.parametrize("case", ["an unknown output", "an unknown input", "an unknown condition"])
async def test_what_is_wrong_with_a_registered_body_is_told_at_submission(case: str) -> None:
    """By the server, which knows its ports, with the same sentence."""
    steps, sentence = copy.deepcopy(WRONG[case])

    async with workbench() as bench:
        steps["one"]["component"] = bench.register("count", COUNT)
        with pytest.raises(ValidationException, match=re.escape(sentence)):
            bench.submit("p", {"jobs": steps})


def test_the_example_of_the_page_has_no_problem() -> None:
    """docs/conditions-and-loops.md names it."""
    root = Path(__file__).parents[2]
    file = "examples/improve-until-good/pipeline.yml"
    assert f"smalt job create -f {file} --stream" in (root / "docs/conditions-and-loops.md").read_text()
    job: Any = load_job(root / file)
    assert {name: step.type for name, step in job.jobs.items()} == {
        "improve": "command", "loop": "do_while", "publish": "command", "give_up": "command", "decide": "if_else",
    }  # fmt: skip


async def test_a_condition_that_cannot_be_read_fails_its_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """The iteration that wrote it completed, and stays so."""

    def fail(*_: Any) -> None:
        raise ValidationException("datastore 'x' is gone")

    monkeypatch.setattr(do_while, "make_boolean_reader", fail)

    def then(bench: Workbench, job: Job) -> None:
        assert tree(bench, job) == {"again": "Failed", "again-one-1": "Completed"}
        assert (bench.child(job, "again").ended_by or {})["message"] == "datastore 'x' is gone"

    await run({"jobs": loop()}, then)


async def test_a_loop_that_is_canceled_while_its_condition_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its log says nothing of a condition that nobody knows."""
    reads, goes_on = threading.Event(), threading.Event()
    monkeypatch.setattr(
        do_while, "make_boolean_reader", lambda *_: lambda: (reads.set(), goes_on.wait(LONGEST), True)[-1]
    )

    async with workbench() as bench:
        job = bench.submit("p", {"jobs": loop()})
        assert await asyncio.to_thread(reads.wait, 20)
        bench.engine.cancel(job)
        over = await bench.over(job)
        goes_on.set()
        assert over.status == "Canceled"
        assert tree(bench, job) == {"again": "Canceled", "again-one-1": "Completed"}
        log_file = bench.artifacts("p-again") / "system_logs" / "smalt.log"
        assert not log_file.exists() or "condition" not in log_file.read_text()


async def test_a_user_cannot_write_the_properties_that_a_plan_gives() -> None:
    """On a step of whatever sort they are ignored, and everything completes."""
    mine = dict.fromkeys(sorted(PLANNED), "oops")
    inner = {"type": "pipeline", "name": "inner", "jobs": {"deep": say("deep", properties=mine)}}
    steps = {
        **loop(), "ask": flag("true"), "yes": say("yes", properties=mine), "no": say("no", properties=mine),
        "cond": branch("${{parent.jobs.ask.outputs.flag}}"), "plain": say("plain", properties=mine),
        "nested": {"type": "pipeline", "component": inner, "properties": mine},
    }  # fmt: skip
    steps["one"] = {**steps["one"], "properties": mine}

    def then(bench: Workbench, job: Job) -> None:
        assert job.status == "Completed"
        below = [one for one in jobs.list_tree(bench.db, job.id) if one.id != job.id]
        assert {"yes", "one.1", "plain", "nested", "deep"} <= {str(one.node) for one in below}
        kept = {one.name: jobs.read_properties(bench.db, one.id).get("properties") or {} for one in below}
        assert [name for name, properties in kept.items() if "oops" in properties.values()] == []

    await run({"jobs": steps}, then)


async def test_tags_and_properties_are_never_filled_in() -> None:
    """A step alone, a nested pipeline and a step of a block have the same texts as were written."""
    mine = {"tags": {"t": "${{parent.inputs.x}}"}, "properties": {"p": "${{parent.inputs.x}}"}}
    inner = {"type": "pipeline", "name": "inner", "jobs": {"deep": say("deep")}}
    steps = {
        "plain": say("plain", **mine), "yes": say("yes", **mine), "no": say("no"), "cond": branch(True),
        "nested": {"type": "pipeline", "component": inner, **mine},
    }  # fmt: skip

    def then(bench: Workbench, job: Job) -> None:
        assert job.status == "Completed"
        for one in jobs.list_tree(bench.db, job.id):
            if one.node in ("plain", "yes", "nested"):
                body = jobs.read_properties(bench.db, one.id)
                assert (body["tags"], body["properties"]["p"]) == (mine["tags"], mine["properties"]["p"]), one.node

    await run({"jobs": steps, "inputs": {"x": "value"}}, then)
