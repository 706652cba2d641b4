"""Where a step's outputs go, as a part of its key: paths that were given, places made for one run, several writers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from smalt.service.engine.kinds.leaf import Leaf
from smalt.service.engine.kinds.places import Made, note, read, written_twice
from smalt.service.records import assets, job_data
from smalt.service.records import reuse as records
from smalt.service.records.jobs import Job
from smalt.service.reuse.explanation import explain_step
from tests.engine.bench import Workbench, workbench
from tests.reuse.test_reused import HOST, origins, run

STORE = "azureml://datastores/workspaceblobstore/paths"


def writing(path: str | None = None, text: str = "one", **more: Any) -> dict[str, Any]:
    """A step that writes one file."""
    output = {"type": "uri_folder", **({"path": path} if path else {})}
    return {"command": f"echo {text} > ${{{{outputs.o}}}}/{text}.txt", "environment": HOST, "outputs": {"o": output},
            **more}  # fmt: skip


def bound(text: str, to: str = "final", output: str = "o") -> dict[str, Any]:
    """A step whose output is one of its pipeline's."""
    return {
        "command": f"echo {text} > ${{{{outputs.{output}}}}}/{text}.txt", "environment": HOST,
        "outputs": {output: f"${{{{parent.outputs.{to}}}}}"},
    }  # fmt: skip


def files(bench: Workbench, job: Job, output: str) -> set[str]:
    """The names of the files in a job's output."""
    uri = job_data.read_data(bench.db, job.id, "output")[output][2] or ""
    path = bench.engine.context.resolve(uri, bench.workspace).path
    assert path is not None
    return {each.name for each in path.iterdir()}


async def test_a_given_path_counts_whatever_it_is_called() -> None:
    """A path that names a job of the run is a given one all the same: where it differs, the step runs."""
    async with workbench() as bench:
        await run(bench, "dev", {"jobs": {"a": writing(f"{STORE}/dev/feat/")}})
        staging = await run(bench, "staging", {"jobs": {"a": writing(f"{STORE}/staging/feat/")}})
        assert origins(bench, staging) == {"a": None}
        assert bench.store("staging", "feat", "one.txt").exists()
        for name, origin in (("again", None), ("same", "again-a")):  # the second found what the first left
            again = await run(bench, name, {"jobs": {"a": writing(f"{STORE}/staging/feat/")}})
            assert origins(bench, again) == {"a": origin}


@pytest.mark.parametrize(
    ("before", "now", "is_reused"),
    [
        (f"{STORE}/x/${{{{name}}}}/", f"{STORE}/x/${{{{name}}}}/", True),
        (f"{STORE}/x/${{{{name}}}}/", f"{STORE}/y/${{{{name}}}}/", False),
        (f"{STORE}/x/${{{{output_name}}}}/", f"{STORE}/x/o/", True),
        (f"{STORE}/x/${{{{output_name}}}}/", f"{STORE}/x/p/", False),
        (f"{STORE}/x/", "azureml://datastores/${{default_datastore}}/paths/x/", True),
        (None, f"{STORE}/x/${{{{name}}}}/", False),
        (None, None, True),
    ],
)
async def test_macros_in_a_given_path(before: str | None, now: str | None, is_reused: bool) -> None:
    """A path counts as it was written, with the macros filled in that are the same in each run."""
    async with workbench() as bench:
        for name in ("one", "more"):  # one that finds what another left is another step
            await run(bench, name, {"jobs": {"a": writing(before)}})
        two = await run(bench, "two", {"jobs": {"a": writing(now)}})
        assert (origins(bench, two)["a"] in ("one-a", "more-a")) == is_reused


async def test_another_default_datastore() -> None:
    """Outputs that are asked for in another datastore are made there."""
    async with workbench() as bench:
        for name, store, expected in (
            ("one", "workspaceblobstore", None),
            ("two", "azureml:workspacefilestore", None),
            ("three", "workspacefilestore", "two-a"),
        ):
            document = {"settings": {"default_datastore": store}, "jobs": {"a": writing()}}
            assert origins(bench, await run(bench, name, document)) == {"a": expected}


async def test_given_paths_of_pipelines_and_of_those_in_them() -> None:
    """An output promoted through two pipelines counts by the path that was given at the top, not by those between."""
    async with workbench() as bench:
        inner = bench.register(
            "inner",
            {"type": "pipeline", "outputs": {"out": {"type": "uri_folder"}}, "jobs": {"a": bound("one", "out")}},
        )

        def document(path: str | None) -> dict[str, Any]:
            nested = {"type": "pipeline", "component": inner, "outputs": {"out": "${{parent.outputs.result}}"}}
            output = {"type": "uri_folder", **({"path": path} if path else {})}
            return {"outputs": {"result": output}, "jobs": {"in": nested}}

        async def origin(name: str, path: str | None) -> str | None:
            job = await run(bench, name, document(path))
            return origins(bench, bench.child(job, "in"))["a"]

        assert await origin("one", f"{STORE}/one/result/") is None
        assert await origin("two", f"{STORE}/two/result/") is None
        assert bench.store("two", "result", "one.txt").exists()
        assert await origin("three", f"{STORE}/two/result/") is None
        assert await origin("same", f"{STORE}/two/result/") == "three-in-a"
        assert await origin("four", None) is None
        assert await origin("five", None) == "four-in-a"


async def test_how_a_place_was_made_is_in_the_records() -> None:
    """A step that a restarted server reads from its records has the same key; nobody else can say how it was made."""
    async with workbench() as bench:
        lie = {"smalt.places": json.dumps({"o": ["elsewhere", True]})}
        document = {"properties": lie, "jobs": {"a": writing(f"{STORE}/one/feat/", properties=lie)}}
        for name in ("one", "more"):
            await run(bench, name, document)
        child = bench.child(await run(bench, "two", document), "a")
        leaf = Leaf.read(bench.engine.context, child, bench.workspace)
        environment = await bench.engine.context.environments.get_or_build(leaf.environment, print)
        asked = bench.engine.step_reuse._make_candidate(leaf, environment)
        assert asked is not None
        assert asked.parts["outputs.o"]["path"] == f"{STORE}/one/feat/"
        assert records.find_origin(bench.db, child.id) == "more-a"


async def test_two_steps_that_write_one_output_of_their_pipeline() -> None:
    """Neither is reused, each says why, and the pipeline's output holds the files of both; its version is a new one."""
    async with workbench() as bench:

        def document(word: str) -> dict[str, Any]:
            return {
                "outputs": {"final": {"type": "uri_folder", "name": "both"}},
                "jobs": {"a": bound("a"), "b": bound(word), "c": writing()},
            }

        one = await run(bench, "one", document("one"))
        two = await run(bench, "two", document("two"))
        assert files(bench, one, "final") == {"a.txt", "one.txt"}
        assert files(bench, two, "final") == {"a.txt", "two.txt"}
        assert origins(bench, two) == {"a": None, "b": None, "c": "one-c"}
        latest = assets.find_latest(bench.db, bench.workspace.id, "data", "both")
        assert latest is not None
        assert latest.version == "2"
        told = await explain_step(bench.engine.step_reuse.reuse, bench.child(two, "a"))
        assert "another step writes to the place of its output 'o'" in told["reason"]


async def test_writers_in_nested_pipelines() -> None:
    """A step and a nested pipeline that write one output, and two steps within the nested one."""
    async with workbench() as bench:

        def inner(name: str, *words: str) -> str:
            steps = {word: bound(word, "out") for word in words}
            return bench.register(name, {"type": "pipeline", "outputs": {"out": {"type": "uri_folder"}}, "jobs": steps})

        single, double = inner("single", "x"), inner("double", "y", "z")
        nested = {"type": "pipeline", "outputs": {"out": "${{parent.outputs.final}}"}}
        document = {
            "outputs": {"final": {"type": "uri_folder"}, "other": {"type": "uri_folder"}},
            "jobs": {
                "a": bound("a"),
                "in": {**nested, "component": single},
                "twice": {**nested, "component": double, "outputs": {"out": "${{parent.outputs.other}}"}},
            },
        }
        for name in ("one", "two"):
            job = await run(bench, name, document)
            assert files(bench, job, "final") == {"a.txt", "x.txt"}
            assert files(bench, job, "other") == {"y.txt", "z.txt"}
        assert origins(bench, job)["a"] is None
        assert origins(bench, bench.child(job, "in")) == {"x": None}
        assert origins(bench, bench.child(job, "twice")) == {"y": None, "z": None}


async def test_steps_that_are_given_one_path() -> None:
    """Steps with the same path, and steps with a path below another's, always run; those with their own do not."""
    async with workbench() as bench:
        document = {
            "jobs": {
                "a": writing(f"{STORE}/same"), "b": writing(f"{STORE}/same/", "two"),
                "c": writing(f"{STORE}/above/"), "d": writing(f"{STORE}/above/below/", "four"),
                "e": writing(f"{STORE}/abo"), "f": writing(f"{STORE}/${{{{name}}}}/"),
                "g": writing(f"{STORE}/${{{{name}}}}/", "seven"),
            }
        }  # fmt: skip
        for name in ("one", "more"):
            await run(bench, name, document)
        two = origins(bench, await run(bench, "two", document))
        assert [node for node, origin in two.items() if origin is None] == ["a", "b", "c", "d"]


async def test_steps_of_different_pipelines_that_write_to_one_path() -> None:
    """A path that steps of two pipelines are given holds the files of both, whoever is reused."""
    async with workbench() as bench:
        path = f"{STORE}/shared/"
        inner = bench.register("inner", {"type": "pipeline", "jobs": {"a": writing(path, "two")}})
        document = {"jobs": {"a": writing(path), "in": {"type": "pipeline", "component": inner}}}
        for name in ("one", "two", "three"):
            await run(bench, name, document)
            assert {each.name for each in bench.store("shared").iterdir()} == {"one.txt", "two.txt"}
            await bench.engine.step_reuse.reuse.settlement.settle_completed(lambda: True)
            for each in bench.store("shared").iterdir():
                each.unlink()


def test_what_the_note_says() -> None:
    """Only what is out of the ordinary is noted, and read as it was."""
    made = {"a": Made(), "b": Made("azureml://x"), "c": Made(None, True)}
    assert read(note(made)) == {"b": Made("azureml://x"), "c": Made(None, True)}
    assert note({"a": Made()}) == {}
    assert read(None) == {}


def test_which_places_are_written_twice() -> None:
    """By their labels, and by paths of which one may lie below another; names that only begin alike are two."""
    assert written_twice(["x", "y", "x"], []) == (frozenset({"x"}), frozenset())
    paths = ["s/a", "s/a/b/c", "s/ab", "s/a/d", "s/e"]
    assert written_twice([], paths) == (frozenset(), frozenset({"s/a", "s/a/b/c", "s/a/d"}))
