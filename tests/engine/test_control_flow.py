"""if_else and do_while in the engine: what runs, what it reads, and where outputs turn out to be."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from smalt.service.records import jobs
from smalt.service.records.jobs import Job
from tests.engine.bench import Workbench, workbench

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
    folder = Path(bench.engine.rooms.artifacts(bench.workspace, name), "user_logs")
    return (folder / "std_log.txt").read_text()


def tree(bench: Workbench, job: Job) -> dict[str, str]:
    """Name below the job → status."""
    rows = jobs.list_tree(bench.db, job.root_id)
    return {row.name.removeprefix(f"{job.name}-"): row.status for row in rows if row.id != job.id}


def run(document: dict[str, Any], then: Any) -> None:
    """Run the pipeline to its end, then call `then` with it."""

    async def scenario() -> None:
        async with workbench() as bench:
            job = await bench.over(bench.submit("p", document))
            then(bench, job)

    asyncio.run(scenario())


@pytest.mark.parametrize(("value", "runs"), [("true", "yes"), ("false", "no")])
def test_an_output_decides_which_block_runs(value: str, runs: str) -> None:
    """The other block's step never becomes a job; a step behind reads the output of the one that ran."""
    document = {"jobs": {
        "ask": flag(value), "yes": say("yes"), "no": say("no"),
        "cond": branch("${{parent.jobs.ask.outputs.flag}}"), "after": reader("yes", "no", optional=True),
    }}  # fmt: skip

    def then(bench: Workbench, job: Job) -> None:
        assert tree(bench, job) == dict.fromkeys(("ask", "cond", f"cond-{runs}", "after"), "Completed")
        assert job.status == "Completed"
        assert log(bench, "p-after") == f"{runs}\nend\n"

    run(document, then)


def test_a_loop_runs_until_its_condition_is_false() -> None:
    """Each iteration reads what the last one wrote; a step behind reads the output of the last."""
    document = {"jobs": {**loop(), "after": reader("one")}}

    def then(bench: Workbench, job: Job) -> None:
        iterations = [f"again-one-{number}" for number in (1, 2, 3)]
        assert tree(bench, job) == dict.fromkeys(("again", *iterations, "after"), "Completed")
        assert job.status == "Completed"
        assert log(bench, "p-again-one-3") == "2\n"
        assert log(bench, "p-after") == "3\nend\n"

    run(document, then)
