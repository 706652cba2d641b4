"""parallel_for in the engine: what runs for each item, how many at a time, and where outputs are gathered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from smalt import load_job, wire
from smalt.service.records import job_data, jobs
from smalt.service.records.jobs import Job
from tests.engine.bench import Workbench, workbench
from tests.engine.test_control_flow import HOST, branch, log, run, tree

SAY = {
    "type": "command", "name": "say", "environment": HOST,
    "inputs": {"word": {"type": "string"}, "times": {"type": "integer", "default": 1}},
    "outputs": {"out": {"type": "uri_folder"}, "file": {"type": "uri_file"}, "length": {"type": "integer"}},
    "command": "mkdir -p ${{outputs.out}} ${{outputs.length}}; w=${{inputs.word}}; echo $w > ${{outputs.out}}/word; "
    "echo $w > ${{outputs.file}}; echo ${#w} > ${{outputs.length}}/output",
}  # fmt: skip

READ = {
    "type": "command", "name": "read", "environment": HOST,
    "inputs": {"all": {"type": "mltable"}, "lengths": {"type": "string"}},
    "command": "cd ${{inputs.all}}; cat MLTable; head */word; echo '${{inputs.lengths}}'",
}  # fmt: skip


def each(items: Any, **more: Any) -> dict[str, Any]:
    """A loop over items, and the step that it runs."""
    return {
        "say": {"type": "command", "component": SAY},
        "each": {"type": "parallel_for", "body": "${{parent.jobs.say}}", "items": items, **more},
    }


def read_all() -> dict[str, Any]:
    outputs = "${{parent.jobs.each.outputs"
    return {
        "type": "command", "component": READ,
        "inputs": {"all": f"{outputs}.out}}}}", "lengths": f"{outputs}.length}}}}"},
    }  # fmt: skip


ITEMS: dict[str, Any] = {
    "list": [{"word": "one"}, {"word": "three"}],
    "JSON text": '[{"word": "one"}, {"word": "three"}]',
    "mapping": {"a": {"word": "one"}, "b-2": {"word": "three"}},
}


@pytest.mark.parametrize("form", ITEMS)
async def test_a_step_runs_for_each_item_and_its_outputs_are_gathered(form: str) -> None:
    """A reader gets a table with the output of each item by its key, and the values as JSON."""
    keys = ["a", "b-2"] if form == "mapping" else ["1", "2"]

    def then(bench: Workbench, job: Job) -> None:
        iterations = [f"each-say-{key}" for key in keys]
        assert tree(bench, job) == dict.fromkeys(("each", *iterations, "after"), "Completed")
        table = f"type: mltable\npaths:\n  - folder: ./{keys[0]}\n  - folder: ./{keys[1]}\n"
        words = f"==> {keys[0]}/word <==\none\n\n==> {keys[1]}/word <==\nthree\n"
        values = '{"a": 3, "b-2": 5}' if form == "mapping" else "[3, 5]"
        assert log(bench, "p-after") == f"{table}{words}{values}\n"
        assert bench.child(job, "each").display_name == "each"

    await run({"jobs": {**each(ITEMS[form]), "after": read_all()}}, then)


def write_items(text: str, type: str, file: str = "output") -> dict[str, Any]:
    """A step that writes items, as text in a file of its output."""
    where = "${{outputs.items}}" + (f"/{file}" if type != "uri_file" else "")
    folder = "mkdir -p ${{outputs.items}}; " if type != "uri_file" else ""
    return {"command": f"{folder}echo '{text}' > {where}", "environment": HOST, "outputs": {"items": {"type": type}}}


LATE = '{"a": {"word": "one"}, "b-2": {"word": "three"}}'


@pytest.mark.parametrize(
    ("type", "file"), [("string", "output"), ("uri_file", ""), ("uri_folder", "items.json")]
)  # fmt: skip
async def test_items_come_from_an_earlier_step(type: str, file: str) -> None:
    """They are read from its text, its file, or the one JSON file in its folder, once it has ended."""
    document = {"jobs": {
        "list": write_items(LATE, type, file), **each("${{parent.jobs.list.outputs.items}}"), "after": read_all(),
    }}  # fmt: skip

    def then(bench: Workbench, job: Job) -> None:
        states = tree(bench, job)
        assert states == dict.fromkeys(("list", "each", "each-say-a", "each-say-b-2", "after"), "Completed")
        assert '{"a": 3, "b-2": 5}' in log(bench, "p-after")

    await run(document, then)


@pytest.mark.parametrize("is_file", [True, False])
async def test_items_are_an_input_of_the_pipeline(is_file: bool, tmp_path: Path) -> None:
    """JSON text, or a file with it; an item may have data and inputs of the pipeline."""
    given = tmp_path / "given"
    given.mkdir()
    data = {"type": "uri_folder", "path": str(given)}
    items = [{"word": "one", "data": data}, {"word": "two", "data": data}]
    file = tmp_path / "items.json"
    file.write_text(json.dumps(items))
    component = {**SAY, "inputs": {**SAY["inputs"], "data": {"type": "uri_folder"}}}  # type: ignore[dict-item]
    steps = each("${{parent.inputs.items}}")
    steps["say"]["component"] = component
    text = json.dumps([{"word": "one"}, {"word": "two"}])
    if not is_file:
        steps["say"]["inputs"] = {"data": data}
    document = {"inputs": {"items": {"type": "uri_file", "path": str(file)} if is_file else text}, "jobs": steps}

    def then(bench: Workbench, job: Job) -> None:
        assert tree(bench, job) == dict.fromkeys(("each", "each-say-1", "each-say-2"), "Completed")
        rows = job_data.read_data(bench.db, jobs.list_children(bench.db, bench.child(job, "each").id)[0].id, "input")
        assert rows["data"][2] == str(given)

    await run(document, then)


BAD: dict[str, tuple[str, str]] = {
    "no JSON": ("word: one", "cannot be read as JSON: Expecting value"),
    "a key twice": ('{"a": {"word": "x"}, "a": {"word": "y"}}', "the key 'a' is given twice"),
    "an input twice": ('[{"word": "x", "word": "y"}]', "the key 'word' is given twice"),
    "an empty item": ('[{"word": "x"}, {}]', "this one gives nothing, the first word"),
    "a number": ("3", "the items must be a list or mapping of inputs of the body, not the number 3"),
    "an empty list": ("[]", "there are no items; give at least one"),
    "text": ('["one"]', "items[0]: an item must be a mapping of inputs of the body, not 'one'"),
    "another input": ('[{"wrod": "x"}]', "items[0].wrod: the body has no input 'wrod'; did you mean 'word'?"),
    "a missing input": ('[{"times": 1}]', "items[0]: the input 'word' (string) of the body is given by neither"),
    "uneven": ('[{"word": "a"}, {"word": "a", "times": 2}]', "this one gives word and times, the first word"),
    "a bad key": ('{"a b": {"word": "x"}}', "'a b' cannot be the key of an item"),
    "a key of case": ('{"a": {"word": "x"}, "A": {"word": "y"}}', "differ in case only"),
    "a wrong value": ('[{"word": "a", "times": "two"}]', "say.inputs.times"),
    "NUL": (r'[{"word": "a\u0000"}]', "items[0].word: the text has a NUL character, which no command can be given"),
    "half a character": (r'[{"word": "\ud83d"}]', r"items[0].word: the text has half of a character (\ud83d)"),
    "NaN": ('[{"word": "a", "times": NaN}]', "cannot be read as JSON: NaN is no number of JSON"),
    "a huge number": ('[{"word": "a", "times": 1e999}]', "the number 1e999 is too large"),
    "a list": ('[{"word": ["a"]}]', "the input 'word' of item 1 must be a literal or data"),
}


@pytest.mark.parametrize("bad", BAD)
async def test_bad_items_of_a_step_fail_the_loop_in_one_sentence(bad: str) -> None:
    """No iteration is made, and the sentence names what is wrong."""
    text, words = BAD[bad]
    document = {"jobs": {"list": write_items(text, "string"), **each("${{parent.jobs.list.outputs.items}}")}}

    def then(bench: Workbench, job: Job) -> None:
        assert tree(bench, job) == {"list": "Completed", "each": "Failed"}
        message = (bench.child(job, "each").ended_by or {})["message"]
        assert words in message
        assert "\n" not in message

    await run(document, then)


async def test_only_so_many_iterations_run_at_a_time(tmp_path: Path) -> None:
    """The next one starts when another has ended, whichever that is."""
    body = {
        "type": "command", "environment": HOST, "inputs": {"n": 0},
        "command": f"cd {tmp_path}; mkdir at_$$; ls -d at_* | wc -l >> counts; rmdir at_$$",
    }  # fmt: skip
    loop = {"type": "parallel_for", "body": "${{parent.jobs.one}}", "items": [{"n": n} for n in range(8)]}

    async with workbench(cpus=8) as bench:
        job = await bench.over(bench.submit("p", {"jobs": {"one": body, "each": {**loop, "max_concurrency": 1}}}))
        assert job.status == "Completed"
    assert (tmp_path / "counts").read_text().split() == ["1"] * 8


@pytest.mark.parametrize("goes_on", [True, False])
async def test_an_iteration_that_fails_fails_its_loop(goes_on: bool) -> None:
    """The others go on only if the pipeline's continue_on_step_failure says so; what reads the loop is canceled."""
    body = {"environment": HOST, "inputs": {"n": 0}, "command": "exit ${{inputs.n}}", "outputs": {"o": None}}
    loop = {"type": "parallel_for", "body": "${{parent.jobs.one}}", "items": [{"n": n} for n in (3, 0, 0)]}
    after = {"environment": HOST, "command": "ls ${{inputs.i}}", "inputs": {"i": "${{parent.jobs.each.outputs.o}}"}}
    document = {
        "settings": {"continue_on_step_failure": goes_on},
        "jobs": {"one": body, "each": {**loop, "max_concurrency": 1}, "after": after},
    }

    def then(bench: Workbench, job: Job) -> None:
        others = "Completed" if goes_on else "Canceled"
        states = {"each": "Failed", "each-one-1": "Failed", "each-one-2": others, "each-one-3": others}
        assert tree(bench, job) == {**states, "after": "Canceled"}
        assert "step 'one.1' failed: the command exited with code 3" in (job.ended_by or {})["message"]

    await run(document, then)


async def test_a_canceled_loop_starts_nothing_more(tmp_path: Path) -> None:
    """Iterations that run are ended, and those held back never start."""
    body = {"environment": HOST, "inputs": {"n": 0}, "command": f"echo > {tmp_path}/$$; sleep 60"}
    loop = {"type": "parallel_for", "body": "${{parent.jobs.one}}", "items": [{"n": n} for n in range(3)]}
    async with workbench() as bench:
        job = bench.submit("p", {"jobs": {"one": body, "each": {**loop, "max_concurrency": 1}}})
        first = "p-each-one-1"

        def is_running(_: Job) -> bool:
            found = jobs.find_by_name(bench.db, bench.workspace.id, first)
            return found is not None and found.status == "Running"

        await bench.until(job, is_running)
        bench.engine.cancel(job)
        assert (await bench.over(job)).status == "Canceled"
        assert set(tree(bench, job).values()) == {"Canceled"}
    assert len(list(tmp_path.iterdir())) <= 1


async def test_iterations_are_reused_and_what_is_gathered_has_them() -> None:
    """An unchanged loop is read where the earlier run gathered it; of a changed one, the new item alone runs."""
    few, more = ({key: {"word": f"w{key}"} for key in keys} for keys in ("ab", "abc"))

    async with workbench() as bench:
        reused = set()
        for name, items in (("p1", few), ("p2", few), ("p3", more)):
            job = await bench.over(bench.submit(name, {"jobs": {**each(items), "after": read_all()}}))
            assert job.status == "Completed", job.error
            for row in jobs.list_tree(bench.db, job.root_id):
                if "azureml.isreused" in json.dumps(jobs.read_properties(bench.db, row.id)):
                    reused.add(row.name)
        iterations = {"p2-each-say-a", "p2-each-say-b", "p3-each-say-a", "p3-each-say-b"}
        assert reused == {*iterations, "p2-after"}
        text = log(bench, "p3-after")
        assert "folder: ./c" in text
        assert [line for line in text.splitlines() if line.startswith("w")] == ["wa", "wb", "wc"]
        assert not bench.store("azureml", "p2-each", "out").exists()
        assert bench.store("azureml", "p3-each", "out", "a", "word").read_text() == "wa\n"


async def test_a_loop_in_a_block_of_a_condition() -> None:
    """It runs if its block is chosen, and what reads it behind the condition is given its gathered outputs."""
    steps = each([{"word": "one"}])
    document = {"jobs": {**steps, "cond": branch(True, "each", None), "after": read_all()}}

    def then(bench: Workbench, job: Job) -> None:
        assert tree(bench, job) == dict.fromkeys(("cond", "cond-each", "cond-each-say-1", "after"), "Completed")
        assert "==> 1/word <==\none" in log(bench, "p-after") or "one\n[3]" in log(bench, "p-after")

    await run(document, then)


async def test_a_loop_of_pipelines_that_have_loops() -> None:
    """The body is a pipeline component with a loop over items of its own; its gathered outputs are gathered again."""
    inner = each("${{parent.inputs.words}}", outputs={"out": "${{parent.outputs.all}}"})
    component = {
        "type": "pipeline", "name": "inner", "inputs": {"words": {"type": "string"}},
        "outputs": {"all": {"type": "mltable"}}, "jobs": inner,
    }  # fmt: skip
    words = [json.dumps([{"word": f"{outer}{number}"} for number in (1, 2)]) for outer in "xy"]
    after = {
        "type": "command", "environment": HOST, "command": "cd ${{inputs.i}}; cat */*/word",
        "inputs": {"i": {"type": "uri_folder", "path": "${{parent.jobs.outer.outputs.all}}"}},
    }  # fmt: skip
    document = {"jobs": {
        "part": {"type": "pipeline", "component": component},
        "outer": {"type": "parallel_for", "body": "${{parent.jobs.part}}", "items": [{"words": one} for one in words]},
        "after": after,
    }}  # fmt: skip

    def then(bench: Workbench, job: Job) -> None:
        assert (job.status, job.error) == ("Completed", None)
        assert log(bench, "p-after").split() == ["x1", "x2", "y1", "y2"]

    await run(document, then)


async def test_gathered_outputs_are_outputs_of_the_pipeline() -> None:
    """They become a version, and lie where the pipeline has them."""
    steps = each([{"word": "one"}, {"word": "two"}], outputs={"out": "${{parent.outputs.all}}"})
    document = {"outputs": {"all": {"type": "mltable", "name": "words"}}, "jobs": steps}

    def then(bench: Workbench, job: Job) -> None:
        assert (job.status, job.error) == ("Completed", None)
        kind, _, uri, asset = job_data.read_data(bench.db, job.id, "output")["all"]
        assert (kind, asset) == ("mltable", "data/words/versions/1")
        place = bench.engine.context.resolve(str(uri), bench.workspace).path
        assert place is not None
        assert (place / "2" / "word").read_text() == "two\n"
        assert (place / "MLTable").exists()

    await run(document, then)


async def test_a_file_of_each_iteration_is_gathered_as_a_file() -> None:
    """The table names files, and a step reads them under the keys of the items."""
    after = {
        "environment": HOST, "command": "cd ${{inputs.i}}; cat MLTable a",
        "inputs": {"i": {"type": "mltable", "path": "${{parent.jobs.each.outputs.file}}"}},
    }  # fmt: skip

    def then(bench: Workbench, job: Job) -> None:
        assert log(bench, "p-after") == "type: mltable\npaths:\n  - file: ./a\none\n"

    await run({"jobs": {**each({"a": {"word": "one"}}), "after": after}}, then)


async def test_the_example_of_the_page_runs() -> None:
    """docs/conditions-and-loops.md names it; the last step reads what all iterations wrote."""
    root = Path(__file__).parents[2]
    assert "`examples/one-report-per-store`" in (root / "docs/conditions-and-loops.md").read_text()
    entity: Any = load_job(root / "examples/one-report-per-store/pipeline.yml")

    async with workbench() as bench:
        body = wire.to_rest(entity)["properties"]
        job = await bench.over(bench.engine.submit(bench.workspace, "p", body, "tester"))
        assert job.status == "Completed", job.error
        lines = ["Oslo sells pears", "Rome sells pears", 'letters: {"north": 4, "south": 4}']
        assert log(bench, "p-merge").splitlines() == lines


@pytest.mark.parametrize("alike", [True, False])
async def test_tables_of_iterations_become_one_table(alike: bool) -> None:
    """With all paths and their transformations; if these differ, it names folders only, and the log says so."""
    columns = "age" if alike else "${{inputs.word}}"
    lines = ["paths:", "- file: ./rows.csv", "transformations:", f"- keep_columns: [{columns}]"]
    text = "\\n".join(lines)
    body = {
        "environment": HOST, "inputs": {"word": "age"}, "outputs": {"out": {"type": "mltable"}},
        "command": f"printf '{text}\\n' > ${{{{outputs.out}}}}/MLTable; echo age > ${{{{outputs.out}}}}/rows.csv",
    }  # fmt: skip
    loop = {"type": "parallel_for", "body": "${{parent.jobs.one}}", "items": {"a": {"word": "x"}, "b": {"word": "y"}}}
    after = {
        "environment": HOST, "command": "cat ${{inputs.i}}/MLTable",
        "inputs": {"i": {"type": "mltable", "path": "${{parent.jobs.each.outputs.out}}"}},
    }  # fmt: skip

    def then(bench: Workbench, job: Job) -> None:
        assert (job.status, job.error) == ("Completed", None)
        merged = "- file: ./a/rows.csv\n- file: ./b/rows.csv\ntransformations:\n- keep_columns:\n  - age\n"
        folders = "  - folder: ./a\n  - folder: ./b\n"
        assert log(bench, "p-after") == f"type: mltable\npaths:\n{merged if alike else folders}"
        notes = (bench.artifacts("p-each") / "system_logs" / "smalt.log").read_text()
        assert ("are not alike" in notes) is not alike

    await run({"jobs": {"one": body, "each": loop, "after": after}}, then)
