"""Expressions that a job may have are what the table says when it runs; what it may not have is never accepted."""

from __future__ import annotations

from typing import Any

import pytest

from smalt import wire
from smalt.entities import PipelineJob
from smalt.exceptions import SmaltError
from smalt.service.engine.kinds.pipeline_plan import Planner
from smalt.service.records import assets, jobs
from tests.engine.bench import Workbench, workbench
from tests.entities.test_bindings import EXAMPLES
from tests.entities.test_bindings import pipeline as example

HOST = "azureml:host"
Step = dict[str, Any]


def step(command: str, **more: Any) -> Step:
    return {"command": command, "environment": HOST, **more}


async def complete(bench: Workbench, name: str, document: dict[str, Any]) -> jobs.Job:
    job = await bench.over(bench.submit(name, document))
    assert job.status == "Completed", jobs.list_children_with_status(bench.db, job.id, "Failed") or job.error
    return job


def shown(bench: Workbench, job: str) -> list[str]:
    return bench.log(job).splitlines()


async def test_a_job() -> None:
    """Its inputs and outputs by their whole names, a block, its own name, and macros in the path of an output."""
    path = "azureml://datastores/${{default_datastore}}/paths/at/${{name}}/${{output_name}}"

    async with workbench() as bench:
        command = "echo ${{inputs.x.y}} ${{inputs.x}} ${{inputs.me}} ${{name}} $[[${{inputs.x.y}}]]; "
        command += "touch ${{outputs.o.p}}/f"
        inputs = {"x": 1, "x.y": 3, "me": "a-${{name}}"}
        document = step(command, inputs=inputs, outputs={"o": None, "o.p": {"path": path}})
        await complete(bench, "plain", document)
        assert shown(bench, "plain") == ["3 1 a-plain plain 3"]
        assert bench.store("at", "plain", "o.p", "f").exists()


async def test_the_steps_of_a_pipeline() -> None:
    """Literals with and without text, data alone, in inputs, variables, paths and settings, of groups too."""
    async with workbench() as bench:
        bench.store("d").mkdir(parents=True)
        bench.store("d", "f").write_text("content")
        path = "azureml://datastores/${{default_datastore}}/paths/of/${{parent.inputs.word}}/${{output_name}}"
        document = {
            "inputs": {
                "word": "w", "group.inner.word": "g", "n": 2, "me": "${{name}}",
                "data": {"type": "uri_folder", "path": "azureml://datastores/workspaceblobstore/paths/d"},
            },
            "settings": {"default_compute": "c-${{parent.inputs.word}}"},
            "outputs": {"final": None},
            "jobs": {
                "other": step("true", inputs={"k": "${{parent.inputs.n}}", "far": "${{parent.inputs.data}}"}),
                "it": step(
                    "echo ${{inputs.a}} ${{inputs.b}} ${{inputs.c}} ${{inputs.me}} ${{inputs.top}} $V; "
                    "cat ${{inputs.d}}/f ${{inputs.e}}/f ${{inputs.p}}/f; touch ${{outputs.o}}/f ${{outputs.q}}/f",
                    inputs={
                        "a": "a-${{parent.inputs.group.inner.word}}-b", "b": "${{parent.inputs.word}}",
                        "c": "c-${{parent.jobs.other.inputs.k}}", "me": "${{name}}", "top": "${{parent.inputs.me}}",
                        "d": "${{parent.inputs.data}}", "e": "${{parent.jobs.other.inputs.far}}",
                        "p": {"type": "uri_folder", "path": "${{parent.inputs.data.path}}"},
                    },
                    outputs={
                        "o": "${{parent.outputs.final}}",
                        "q": {"path": path},
                    },
                    environment_variables={"V": "v-${{parent.inputs.word}}-${{parent.jobs.other.inputs.k}}"},
                    resources={"instance_count": "${{parent.inputs.n}}", "shm_size": "${{parent.inputs.n}}g"},
                    limits={"timeout": "6${{parent.inputs.n}}"},
                    tags={"kept": "${{parent.inputs.word}}"},
                ),
                "last": step("echo ${{inputs.x}}; ls ${{inputs.o}}", compute="x${{parent.inputs.n}}",
                             inputs={"x": "${{parent.jobs.it.inputs.c}}", "o": "${{parent.jobs.it.outputs.o}}"}),
            },
        }  # fmt: skip
        job = await complete(bench, "whole", document)
        first, *rest = shown(bench, "whole-it")
        assert first == "a-g-b w c-2 whole-it whole v-w-2"
        assert rest == ["contentcontentcontent"]
        assert shown(bench, "whole-last") == ["c-2", "f"]
        assert bench.store("of", "w", "q", "f").exists()
        body = jobs.read_properties(bench.db, bench.child(job, "it").id)
        assert body["resources"]["instanceCount"] == 2
        assert body["resources"]["shmSize"] == "2g"
        assert body["limits"]["timeout"] == "PT1M2S"
        assert body["tags"] == {"kept": "${{parent.inputs.word}}"}
        assert body["computeId"] == "c-w"
        assert jobs.read_properties(bench.db, bench.child(job, "last").id)["computeId"] == "x2"


async def test_an_input_of_another_step_is_waited_for_as_what_it_is() -> None:
    """Who reads a step's input that is a third one's output starts when that one has ended."""
    async with workbench() as bench:
        document = {
            "jobs": {
                "last": step("cat ${{inputs.x}}/f", inputs={"x": "${{parent.jobs.mid.inputs.y}}"}),
                "mid": step("true", inputs={"y": "${{parent.jobs.first.outputs.o}}"}),
                "first": step("sleep 0.3; echo made > ${{outputs.o}}/f", outputs={"o": None}),
            }
        }
        job = await complete(bench, "chain", document)
        assert shown(bench, "chain-last") == ["made"]
        assert job.status == "Completed"


async def test_a_value_that_a_step_writes_is_a_literal_in_a_nested_pipeline() -> None:
    """The nested pipeline begins when the value is there, and may have text around it, and name it anywhere."""
    async with workbench() as bench:
        inner = bench.register("inner", {
            "type": "pipeline",
            "inputs": {"n": {"type": "integer"}},
            "settings": {"default_compute": "c${{parent.inputs.n}}"},
            "jobs": {"say": step(
                "echo ${{inputs.x}} ${{inputs.y}} $V",
                inputs={"x": "a-${{parent.inputs.n}}-b", "y": "${{parent.inputs.n}}"},
                environment_variables={"V": "v${{parent.inputs.n}}"},
            )},
        })  # fmt: skip
        write = step("echo 7 > ${{outputs.n}}/output", outputs={"n": {"type": "integer"}})
        nested = {"type": "pipeline", "component": inner, "inputs": {"n": "${{parent.jobs.w.outputs.n}}"}}
        job = await complete(bench, "outer", {"jobs": {"w": write, "in": nested}})
        assert shown(bench, "outer-in-say") == ["a-7-b 7 v7"]
        child = bench.child(bench.child(job, "in"), "say")
        assert jobs.read_properties(bench.db, child.id)["computeId"] == "c7"


@pytest.mark.parametrize(
    ("type", "command", "sentence"),
    [
        ("integer", "echo abc > ${{outputs.v}}/output", "its output 'v' must be an integer, and 'abc' was written"),
        ("number", "echo 1,5 > ${{outputs.v}}/output", "its output 'v' must be a number, and '1,5' was written"),
        ("boolean", "echo maybe > ${{outputs.v}}/output", "must be a boolean (true or false), and 'maybe' was written"),
        ("string", "true", "it wrote no value for its output 'v' (string)"),
        ("string", "mkfifo ${{outputs.v}}/output", "it wrote no value for its output 'v' (string)"),
        ("integer", "mkdir ${{outputs.v}}/output", "it wrote no value for its output 'v' (integer)"),
    ],
)
@pytest.mark.parametrize("mode", ["rw_mount", "upload"])
async def test_a_value_of_another_type_fails_the_step_that_owed_it(
    type: str, command: str, sentence: str, mode: str
) -> None:
    """The step fails with a sentence, and who reads the value does not start."""
    async with workbench() as bench:
        owes = step(command, outputs={"v": {"type": type, "mode": mode}})
        reads = step("echo ${{inputs.x}}", inputs={"x": "${{parent.jobs.owes.outputs.v}}"})
        job = await bench.over(bench.submit("typed", {"jobs": {"owes": owes, "reads": reads}}))
        assert bench.states(job) == {"owes": "Failed", "reads": "Canceled"}
        [(_, error)] = jobs.list_children_with_status(bench.db, job.id, "Failed")
        assert sentence in str(error)


@pytest.mark.parametrize(
    ("type", "text"), [("integer", "7"), ("number", "-1.5e3"), ("boolean", "true"), ("string", "a b")]
)
async def test_a_value_of_its_type_is_read(type: str, text: str) -> None:
    """The text that was written is the text that is read."""
    async with workbench() as bench:
        writes = step(f"echo '{text}' > ${{{{outputs.v}}}}/output", outputs={"v": {"type": type}})
        reads = step("echo '[${{inputs.x}}]'", inputs={"x": "${{parent.jobs.writes.outputs.v}}"})
        await complete(bench, "typed", {"jobs": {"writes": writes, "reads": reads}})
        assert shown(bench, "typed-reads") == [f"[{text}]"]


def names_of(bench: Workbench, name: str) -> list[str]:
    return sorted(one.version for one in assets.list_versions(bench.db, bench.workspace.id, "data", name))


@pytest.mark.parametrize(
    ("of_node", "of_pipeline", "registered"),
    [
        ({"name": "node", "version": "4"}, {}, {"node": ["4"], "above": []}),
        ({}, {"name": "above", "version": "5"}, {"node": [], "above": ["5"]}),
        ({"name": "node"}, {"name": "above", "version": "5"}, {"node": ["1"], "above": ["5"]}),
        ({"name": "above", "version": "5"}, {"name": "above", "version": "5"}, {"above": ["5"]}),
        ({"name": "above"}, {"name": "above"}, {"above": ["1"]}),
    ],
)
@pytest.mark.parametrize("is_nested", [False, True])
async def test_the_names_of_a_promoted_output(
    of_node: dict[str, str], of_pipeline: dict[str, str], registered: dict[str, list[str]], is_nested: bool
) -> None:
    """Both names are registered where both are given, once where they are the same; of a nested pipeline's step too."""
    async with workbench() as bench:
        write = step("echo x > ${{outputs.o}}/f", outputs={"o": {"type": "uri_folder"}})
        if is_nested:
            inner = {"type": "pipeline", "outputs": {"o": {"type": "uri_folder"}}}
            promoted = {**write, "outputs": {"o": "${{parent.outputs.o}}"}}
            write = {"type": "pipeline", "component": bench.register("in", {**inner, "jobs": {"w": promoted}})}
        bound = {"path": "${{parent.outputs.o}}", **of_node}
        document = {
            "outputs": {"o": {"type": "uri_folder", **of_pipeline}},
            "jobs": {"a": {**write, "outputs": {"o": bound}}},
        }
        await complete(bench, "promoted", document)
        assert {name: names_of(bench, name) for name in registered} == registered


READ = {"inputs": {"x": EXAMPLES["parent.jobs.outputs"]}}
REFUSED = [
    ("an input from an output of the pipeline", {"inputs": {"x": "${{parent.outputs.final}}"}}, {}),
    ("an input of a name that is not there", {"inputs": {"x": "${{parent.inputs.word.typo}}"}}, {}),
    ("text around an output", {"inputs": {"x": "a-${{parent.jobs.other.outputs.o}}-b"}}, {}),
    ("text around a value", {"inputs": {"x": "a-${{parent.jobs.other.outputs.n}}-b"}}, {}),
    ("text around data", {"inputs": {"x": "a-${{parent.inputs.data}}-b"}}, {}),
    ("data in a variable", {"environment_variables": {"V": "${{parent.inputs.data}}"}}, {}),
    ("an output in a variable", {"environment_variables": {"V": "${{parent.jobs.other.outputs.o}}"}}, {}),
    ("an output from an input", {"outputs": {"o": "${{parent.inputs.data}}"}}, {}),
    ("an output from another step's", {"outputs": {"o": "${{parent.jobs.other.outputs.o}}"}}, {}),
    ("text around the output of the pipeline", {"outputs": {"o": {"path": "${{parent.outputs.final}}/sub"}}}, {}),
    ("the same step before and after all others", {}, {"on_init": "it", "on_finalize": "it"}),
    ("no step of that name before all others", {}, {"on_init": "gone"}),
    ("a step after all others that is read", READ, {"on_finalize": "other"}),
    ("a step before all others that reads", READ, {"on_init": "it"}),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "settings"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
@pytest.mark.parametrize("way", ["rest", "registered"])
async def test_a_body_that_means_nothing_is_not_accepted(changes: Step, settings: Step, way: str) -> None:
    """Whoever sends it, and whether the steps stand in the job or in a registered component, no job is made of it."""
    async with workbench() as bench:
        made, _ = example(changes, settings=settings)
        for one in made["jobs"].values():
            one["environment"] = HOST
        body = wire.to_rest(_unchecked(PipelineJob, made))["properties"]
        if way == "registered":
            inputs = {"x": {"type": "string"}, "far": {"type": "uri_folder"}, "k": {"type": "integer"}}
            for name, one in made["jobs"].items():
                outputs = {key: {"type": "integer" if key == "n" else "uri_folder"} for key in one["outputs"]}
                given = {key: inputs[key] for key in one["inputs"]}
                component = {"command": "true", "environment": HOST, "inputs": given, "outputs": outputs}
                body["jobs"][name]["componentId"] = bench.register(name, {"type": "command", **component})
                for key in ("command", "environment"):
                    body["jobs"][name].pop(key, None)
        with pytest.raises(SmaltError):
            bench.engine.submit(bench.workspace, "refused", body, "tester")
        assert jobs.find_by_name(bench.db, bench.workspace.id, "refused") is None


def _unchecked(noun: Any, document: dict[str, Any]) -> Any:
    """A job that another client sends, which does not check it."""
    from smalt.entities.schema.reader import Reader

    reader = Reader()
    reader.is_answer = True
    return noun._read_data(document, (), reader)


async def test_what_only_registered_components_show_is_told_at_once() -> None:
    """An output that a registered component does not have is refused when the job is sent, not when it is planned."""
    async with workbench() as bench:
        writes = bench.register(
            "writes", {"command": "true", "environment": HOST, "outputs": {"model": {"type": "uri_folder"}}}
        )
        document = {
            "jobs": {
                "a": {"component": writes},
                "b": step("true", inputs={"x": "${{parent.jobs.a.outputs.modle}}"}),
            }
        }
        with pytest.raises(SmaltError, match="names no output of the step 'a'; did you mean 'model'"):
            bench.submit("typo", document)


async def test_a_plan_whose_steps_can_never_start_is_refused() -> None:
    """A job that comes as far as its planning fails with a sentence; it neither completes nor waits for ever."""
    async with workbench() as bench:
        loop = {
            "a": step("true", inputs={"x": "${{parent.jobs.b.outputs.o}}"}, outputs={"o": None}),
            "b": step("true", inputs={"x": "${{parent.jobs.a.outputs.o}}"}, outputs={"o": None}),
            "c": step("true"),
        }
        for settings, jobs_ in (
            ({"on_init": "c", "on_finalize": "c"}, {"c": loop["c"], "d": loop["c"]}),
            ({}, loop),
        ):
            job = _unchecked(PipelineJob, {"type": "pipeline", "settings": settings, "jobs": jobs_})
            planner = Planner(bench.engine.context, bench.workspace, "never", job, "e")
            with pytest.raises(SmaltError, match="can never start"):
                list(planner.children())


async def test_an_expression_as_the_default_of_a_component_is_not_a_value() -> None:
    """It would mean something else in each pipeline; the input has to be given."""
    async with workbench() as bench:
        declared = {"x": {"type": "string", "default": "${{parent.inputs.word}}"}}
        component = {"command": "echo ${{inputs.x}}", "environment": HOST, "inputs": declared}
        reference = bench.register("defaulted", component)
        document = {"inputs": {"word": "w"}, "jobs": {"a": {"component": reference}}}
        with pytest.raises(SmaltError, match=r"the input 'x' \(string\) of the component is not given"):
            bench.submit("left", document)
        document["jobs"]["a"]["inputs"] = {"x": "${{parent.inputs.word}}"}
        await complete(bench, "given", document)
        assert shown(bench, "given-a") == ["w"]
