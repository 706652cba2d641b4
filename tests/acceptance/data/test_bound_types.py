"""A file for an input that takes a folder with a file MLTable or MLmodel: refused wherever the file comes from."""

from __future__ import annotations

from typing import Any

import pytest

from smalt import Input, MLClient, load_component
from smalt.dsl import pipeline
from tests.acceptance.conftest import Desk

TAKES = {
    "mltable": "an mltable, a folder with a file 'MLTable'",
    "mlflow_model": "an mlflow_model, a folder with a file 'MLmodel'",
}
INSTEAD = {"mltable": "uri_file", "mlflow_model": "custom_model"}
SOURCES = {
    "what is given": "give it such a folder with 'type: {type}'",
    "the pipeline's input 'raw'": "give the pipeline such a folder with 'type: {type}'",
    "the output 'rows' of 'write'": "write such a folder and declare it as {type} in the component of 'write'",
    "the output 'rows' of the body": "write such a folder and declare it as {type} in the component of the body",
    "what this component declares": "declare it here as {type}",
    "the output 'o' of 'n', which 'n.w' writes,": (
        "write such a folder and declare it as {type} in the component of 'n.w'"
    ),
    "the output 'o' of 'n', which 'n.m.w' writes,": (
        "write such a folder and declare it as {type} in the component of 'n.m.w'"
    ),
}


def tell(source: str, type: str = "mltable", name: str = "d", owner: str = "step", inner: str = "") -> str:
    """The sentence that refuses a file of this source; `inner` names the step of a nested pipeline that reads it."""
    change = SOURCES[source.replace("'d'", "'raw'")].format(type=type)
    own = f"the {owner}'s input"
    port = f"the input '{name}' of '{inner}' in this {owner}" if inner else f"{own} '{name}'"
    return (
        f"{port} takes {TAKES[type]}, but {source} is a single file (uri_file); {change}, "
        f"or, to read the file as it is, declare {'that input' if inner else own} as {INSTEAD[type]}"
        + (", in its component if it has one" if owner == "step" or inner else "")
    )


WRITE = """
    type: command
    name: write
    version: 1
    outputs: {rows: {type: uri_file}, again: {type: boolean}}
    environment: azureml:host
    command: cp /dev/null ${{outputs.rows}}; echo true > ${{outputs.again}}/output
"""
READ = """
    type: command
    name: read_%(type)s
    version: 1
    inputs: {d: {type: %(type)s, optional: true}, n: {type: integer, default: 1}}
    outputs: {rows: {type: uri_file}, again: {type: boolean}}
    environment: azureml:host
    command: ls $[[${{inputs.d}}]] ${{inputs.n}} > ${{outputs.rows}}; echo false > ${{outputs.again}}/output
"""
BATCHES = """
    type: parallel
    name: batches
    version: 1
    inputs: {d: {type: mltable}}
    outputs: {rows: {type: uri_folder}}
    input_data: ${{inputs.d}}
    mini_batch_size: "1"
    task: {type: run_function, code: src, entry_script: score.py, environment: azureml:host}
"""
INNER = """
    type: pipeline
    name: inner
    version: 1
    inputs: {d: {type: mltable}}
    jobs:
      a: {type: command, component: %s, inputs: {d: '${{parent.inputs.d}}'}}
"""
PASSES = """
    type: pipeline
    name: %s
    version: 1
    inputs: {d: {type: uri_folder}}
    jobs:
      a: {type: %s, component: %s, inputs: {d: %s}}
"""
"""A pipeline component that says nothing of tables."""
WRITES = """
    type: pipeline
    name: %s
    version: 1
    outputs: {o: {type: mltable}}
    jobs:
      %s: {type: %s, component: %s, outputs: {%s: '${{parent.outputs.o}}'}}
"""
LOCAL = {
    "write": "./write.yml", "read": "./read_mltable.yml", "model": "./read_mlflow_model.yml",
    "batches": "./batches.yml", "inner": "./inner.yml",
    **{name: f"./{name}.yml" for name in ("passes", "deeper", "writes", "wrote", "text")},
}  # fmt: skip
REGISTERED = {
    "write": "azureml:write:1", "read": "azureml:read_mltable:1", "model": "azureml:read_mlflow_model:1",
    "batches": "azureml:batches:1", "inner": "azureml:inner:1",
    **{name: f"azureml:{name}:1" for name in ("passes", "deeper", "writes", "wrote", "text")},
}  # fmt: skip
HEAD = """type: pipeline
inputs:
  raw: {type: uri_file, path: flats.csv}
jobs:
  write: {type: command, component: "%(write)s"}
"""
SPLIT = "{component: 'azureml://registries/%s/components/split_data/labels/latest', inputs: {dataset: '%s'}}"
RAW, ROWS = "${{parent.inputs.raw}}", "${{parent.jobs.write.outputs.rows}}"
STEP = '  s:\n    type: %s\n    component: "%%(%s)s"\n    inputs:\n      d: %s\n'
INLINE = (
    "  s:\n    command: ls ${{inputs.d}}\n    environment: azureml:host\n    inputs:\n      d: {type: %s, path: '%s'}\n"
)
OUTER = '  n: {type: pipeline, component: "%%(%s)s"}\n'
UNFIT = {
    "input": (STEP % ("command", "read", RAW), "10:10", tell("the pipeline's input 'raw'")),
    "output": (STEP % ("command", "read", ROWS), "10:10", tell("the output 'rows' of 'write'")),
    "given": (STEP % ("command", "read", "{type: uri_file, path: flats.csv}"), "10:10", tell("what is given")),
    "model": (STEP % ("command", "model", ROWS), "10:10", tell("the output 'rows' of 'write'", "mlflow_model")),
    "with a mode": (
        STEP % ("command", "read", f"{{path: '{RAW}', mode: download}}"), "10:10", tell("the pipeline's input 'raw'")
    ),
    "inline": (INLINE % ("mltable", ROWS), "10:10", tell("the output 'rows' of 'write'")),
    "another step's input": (
        STEP % ("command", "read", "${{parent.jobs.t.inputs.d}}")
        + "  t:\n    command: ls ${{inputs.d}}\n    environment: azureml:host\n"
        + f"    inputs: {{d: {{type: uri_file, path: '{RAW}'}}}}\n",
        "10:10", tell("the pipeline's input 'raw'"),
    ),
    "nested": (STEP % ("pipeline", "inner", RAW), "10:10", tell("the pipeline's input 'raw'")),
    "through a nested pipeline": (
        STEP % ("pipeline", "passes", RAW), "10:10", tell("the pipeline's input 'raw'", inner="a")
    ),
    "through two of them": (
        STEP % ("pipeline", "deeper", ROWS), "10:10", tell("the output 'rows' of 'write'", inner="a.a")
    ),
    "from a nested pipeline": (
        STEP % ("command", "read", "${{parent.jobs.n.outputs.o}}") + OUTER % "writes",
        "10:10", tell("the output 'o' of 'n', which 'n.w' writes,"),
    ),
    "from two, through two": (
        STEP % ("pipeline", "deeper", "${{parent.jobs.n.outputs.o}}") + OUTER % "wrote",
        "10:10", tell("the output 'o' of 'n', which 'n.m.w' writes,", inner="a.a"),
    ),
    "parallel": (STEP % ("parallel", "batches", RAW), "10:10", tell("the pipeline's input 'raw'")),
    "sweep": (
        "  s:\n    type: sweep\n    trial: \"%(read)s\"\n    inputs:\n      d: " + ROWS
        + "\n    search_space: {n: {type: choice, values: [1, 2]}}\n    sampling_algorithm: grid\n"
        + "    objective: {goal: minimize, primary_metric: m}\n    limits: {max_total_trials: 2}\n",
        "10:10", tell("the output 'rows' of 'write'"),
    ),
    "items": (
        '  each:\n    type: parallel_for\n    body: ${{parent.jobs.s}}\n    items:\n      - d: ' + RAW
        + '\n  s: {type: command, component: "%(read)s"}\n',
        "10:12", tell("the pipeline's input 'raw'"),
    ),
    "repeated": (
        '  again:\n    type: do_while\n    body: ${{parent.jobs.s}}\n    condition: again\n    mapping:\n'
        '      rows: d\n    limits: {max_iteration_count: 2}\n  s: {type: command, component: "%(read)s"}\n',
        "11:13", tell("the output 'rows' of the body"),
    ),
    "in a condition": (
        "  which:\n    type: if_else\n    condition: ${{parent.jobs.write.outputs.again}}\n"
        "    true_block: ${{parent.jobs.s}}\n" + STEP % ("command", "read", ROWS),
        "14:10", tell("the output 'rows' of 'write'"),
    ),
}  # fmt: skip


@pytest.fixture
def files(desk: Desk) -> Desk:
    desk.write("flats.csv", "a\n1\n")
    desk.write("table/MLTable", "paths:\n  - file: ./flats.csv\ntransformations:\n  - read_delimited\n")
    desk.write("table/flats.csv", "a\n1\n")
    desk.write("plain/flats.csv", "a\n1\n")
    desk.write("src/score.py", "def run(batch):\n    return batch\n")
    desk.write("write.yml", WRITE)
    for type in TAKES:
        desk.write(f"read_{type}.yml", READ % {"type": type})
    desk.write("batches.yml", BATCHES)
    desk.write("inner.yml", INNER % LOCAL["read"])
    given = "'${{parent.inputs.d}}'"
    desk.write("passes.yml", PASSES % ("passes", "command", LOCAL["read"], given))
    desk.write("deeper.yml", PASSES % ("deeper", "pipeline", "./passes.yml", given))
    desk.write("text.yml", PASSES % ("text", "command", LOCAL["read"], f"{{path: {given}, mode: direct}}"))
    desk.write("writes.yml", WRITES % ("writes", "w", "command", LOCAL["write"], "rows"))
    desk.write("wrote.yml", WRITES % ("wrote", "m", "pipeline", "./writes.yml", "o"))
    if desk.smalt("component show --name write --version 1").code:
        nested = ("inner", "passes", "deeper", "text", "writes", "wrote")
        for name in ("write", "read_mltable", "read_mlflow_model", "batches", *nested):
            desk.ask(f"component create --file {name}.yml --query name")
    return desk


@pytest.mark.parametrize(("steps", "place", "words"), UNFIT.values(), ids=list(UNFIT))
def test_a_file_for_a_folder_is_refused_at_its_line(files: Desk, steps: str, place: str, words: str) -> None:
    """With a server and without one; of registered components, whose types the server alone knows, by the server."""
    files.write("job.yml", (HEAD + steps) % LOCAL)
    for verb in ("validate --local", "validate", "create"):
        ran = files.smalt(f"job {verb} --file job.yml")
        assert (ran.code, ran.err) == (2, f"job.yml:{place}: {words}\n"), verb
    files.write("job.yml", (HEAD + steps) % REGISTERED)
    for verb in ("validate", "create"):
        ran = files.smalt(f"job {verb} --file job.yml")
        assert (ran.code, ran.err) == (2, f"job.yml:{place}: {words}\n"), verb


FIT = {
    "a table": ("raw: {type: mltable, path: table}", STEP % ("command", "read", RAW)),
    "a folder with the file": ("raw: {type: uri_folder, path: table}", STEP % ("command", "read", RAW)),
    "a folder as text": ("raw: {type: uri_folder, path: plain, mode: direct}", STEP % ("command", "read", RAW)),
    "a folder of batches": ("raw: {type: uri_folder, path: plain}", STEP % ("parallel", "batches", RAW)),
    "a folder that is declared a table": (
        "raw: {type: uri_file, path: flats.csv}", STEP % ("command", "read", "{type: mltable, path: plain}")
    ),
    "a folder as a model": ("raw: {type: uri_folder, path: plain}", STEP % ("command", "model", RAW)),
    "a model as it is": ("raw: {type: uri_file, path: flats.csv}", INLINE % ("custom_model", RAW)),
    "a file as a folder": ("raw: {type: uri_file, path: flats.csv}", INLINE % ("uri_folder", ROWS)),
    "a folder as a file": ("raw: {type: uri_folder, path: plain}", INLINE % ("uri_file", RAW)),
    "a URI": (
        "raw: {type: uri_file, path: flats.csv}", STEP % ("command", "read", f"{{path: '{RAW}', mode: direct}}")
    ),
    "a file as text": (
        "raw: {type: uri_file, path: flats.csv, mode: direct}", STEP % ("command", "read", RAW)
    ),
    "a file as the text of an input": (
        "raw: {type: uri_file, path: flats.csv, mode: direct}", INLINE % ("mltable", RAW)
    ),
    "a file as text of a nested pipeline": (
        "raw: {type: uri_file, path: flats.csv, mode: direct}", STEP % ("pipeline", "inner", RAW)
    ),
    "a file as text of a step in a nested pipeline": (
        "raw: {type: uri_file, path: flats.csv}", STEP % ("pipeline", "text", RAW)
    ),
    "a file from a nested pipeline, as it is": (
        "raw: {type: uri_file, path: flats.csv}",
        INLINE % ("uri_folder", "${{parent.jobs.n.outputs.o}}") + OUTER % "wrote",
    ),
    "a table through a nested pipeline": (
        "raw: {type: mltable, path: table}", STEP % ("pipeline", "deeper", RAW)
    ),
    "gathered files": (
        "raw: {type: uri_file, path: flats.csv}",
        "  each: {type: parallel_for, body: '${{parent.jobs.t}}', items: [{n: 1}, {n: 2}]}\n"
        '  t: {type: command, component: "%(read)s"}\n'
        + STEP % ("command", "read", "${{parent.jobs.each.outputs.rows}}"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("components", [LOCAL, REGISTERED], ids=["local", "registered"])
@pytest.mark.parametrize(("given", "steps"), FIT.values(), ids=list(FIT))
def test_what_may_be_of_the_type_is_taken(files: Desk, given: str, steps: str, components: dict[str, str]) -> None:
    """A folder may have the file of the type; files and folders are passed on as they are, as in Azure ML."""
    files.write("job.yml", (HEAD.replace("raw: {type: uri_file, path: flats.csv}", given) + steps) % components)
    for option in ("--local", ""):
        ran = files.smalt(f"job validate {option} --file job.yml")
        assert (ran.code, ran.err.splitlines()[-1:]) == (0, ["job.yml: ok"]), ran.err


@pytest.mark.parametrize("components", [LOCAL, REGISTERED], ids=["local", "registered"])
@pytest.mark.parametrize(
    ("given", "steps", "place", "reader"),
    [
        ("raw: {type: uri_folder, path: plain}", STEP % ("command", "read", RAW), "3:8", "the input 'd' of 's'"),
        ("raw: {path: plain}", STEP % ("pipeline", "deeper", RAW), "3:8", "the input 'd' of 's.a.a'"),
        (
            "raw: {type: mltable, path: table}", STEP % ("command", "read", "{type: uri_folder, path: plain}"), "10:10",
            "the component's input",
        ),
        (
            "raw: {type: mltable, path: table}", STEP % ("pipeline", "passes", "{path: plain}"), "10:10",
            "the input 'd' of 'a'",
        ),
    ],
    ids=["input", "nested", "step", "nested step"],
)  # fmt: skip
def test_a_local_folder_without_its_table_is_refused(
    files: Desk, given: str, steps: str, place: str, reader: str, components: dict[str, str]
) -> None:
    files.write("job.yml", (HEAD.replace("raw: {type: uri_file, path: flats.csv}", given) + steps) % components)
    verbs = ("validate --local", "validate", "create")
    for verb in verbs if components is LOCAL else verbs[1:]:
        ran = files.smalt(f"job {verb} --file job.yml")
        assert ran.code == 2, verb
        assert ran.err.replace(f"file://{files.folder}/", "") == (
            f"job.yml:{place}: plain is a folder without a file 'MLTable', but {reader} takes an mltable, which is "
            "read by that file; add the file, or, to read the folder as it is, declare that input as uri_folder, in "
            "its component if it has one\n"
        )


def test_a_component_is_not_registered_with_such_steps(files: Desk) -> None:
    head = HEAD.replace("type: pipeline", "type: pipeline\nname: part\nversion: 1").replace(", path: flats.csv", "")
    files.write("part.yml", (head + UNFIT["output"][0]) % LOCAL)
    ran = files.smalt("component create --file part.yml")
    assert (ran.code, ran.err) == (2, f"part.yml:12:10: {UNFIT['output'][2]}\n")


def test_the_trial_of_a_sweep_and_the_component_of_a_job(files: Desk) -> None:
    files.write(
        "sweep.yml",
        "type: sweep\ntrial: ./read_mltable.yml\ninputs:\n  d: {type: uri_file, path: flats.csv}\n"
        "search_space: {n: {type: choice, values: [1, 2]}}\nsampling_algorithm: grid\n"
        "objective: {goal: minimize, primary_metric: m}\nlimits: {max_total_trials: 2}\n",
    )
    files.write("job.yml", "type: pipeline\ncomponent: ./inner.yml\ninputs:\n  d: {type: uri_file, path: flats.csv}\n")
    files.write(
        "component.yml",
        "type: sweep\nname: trials\nversion: 1\ntrial: ./read_mltable.yml\ninputs:\n  d: {type: uri_file}\n"
        "search_space: {n: {type: choice, values: [1, 2]}}\nsampling_algorithm: grid\n"
        "objective: {goal: minimize, primary_metric: m}\nlimits: {max_total_trials: 2}\n",
    )
    for command, expected in (
        ("job validate --local --file sweep.yml", f"sweep.yml:4:6: {tell('what is given', owner='trial')}"),
        ("job validate --local --file job.yml", f"job.yml:4:6: {tell('what is given', owner='component')}"),
        (
            "component create --file component.yml",
            f"component.yml:6:6: {tell('what this component declares', owner='trial')}",
        ),
    ):
        ran = files.smalt(command)
        assert (ran.code, ran.err) == (2, f"{expected}\n")


def test_a_registered_pipeline_that_is_run_by_a_job(files: Desk) -> None:
    """At the line of the job's input; a pipeline of which prebuilt steps alone read the table takes a file."""
    head = "type: pipeline\ncomponent: azureml:%s:1\ninputs:\n  d: {type: uri_file, path: flats.csv}\n"
    files.write("job.yml", head % "inner")
    ran = files.smalt("job validate --file job.yml")
    assert (ran.code, ran.err) == (2, f"job.yml:4:6: {tell('what is given', owner='component')}\n")
    files.write("splits.yml", INNER.replace("name: inner", "name: splits") % "X")
    split = SPLIT % ("smalt", "${{parent.inputs.d}}")
    text = (files.folder / "splits.yml").read_text()
    files.write("splits.yml", text[: text.index("a: {")] + f"a: {split}\n")
    files.ask("component create --file splits.yml --query name")
    files.write("job.yml", head % "splits")
    assert files.smalt("job validate --file job.yml").err == "job.yml: ok\n"


@pytest.mark.parametrize("source", [RAW, ROWS])
def test_prebuilt_steps_read_any_file(files: Desk, source: str) -> None:
    """Directly, and in a pipeline component of which they alone read the table."""
    for registry in ("smalt", "Smalt"):
        files.write("part.yml", "type: pipeline\nname: part\ninputs: {d: {type: mltable}}\njobs:\n"
                    f"  a: {SPLIT % (registry, '${{parent.inputs.d}}')}\n")  # fmt: skip
        files.write(
            "job.yml",
            HEAD % LOCAL
            + f"  s: {SPLIT % (registry, source)}\n  t: {{component: ./part.yml, inputs: {{d: '{source}'}}}}\n",
        )
        for option in ("--local", ""):
            ran = files.smalt(f"job validate {option} --file job.yml")
            assert (ran.code, ran.err.splitlines()[-1:]) == (0, ["job.yml: ok"]), ran.err


def test_prebuilt_steps_of_a_program_read_any_file(files: Desk) -> None:
    """The component is sent as the registry's, which has its code."""
    split = MLClient(registry_name="smalt").components.get("split_data", label="latest")
    write = load_component(files.folder / "write.yml")

    @pipeline
    def inner(d: Input(type="mltable")) -> None:  # type: ignore[valid-type]
        split(dataset=d)

    @pipeline
    def outer(raw: Any) -> None:
        split(dataset=raw)
        split(dataset=write().outputs.rows)
        inner(d=raw)

    job = outer(raw=Input(type="uri_file", path=str(files.folder / "flats.csv")))
    assert MLClient().jobs.validate(job).error_messages == {}


def test_one_mistake_is_told_once(files: Desk) -> None:
    """Data that is not there, not also as a file for a table; an output's wrong type, not also where it is read."""
    for given in ("plain", "azureml:absent:1"):
        step = STEP % ("command", "read", f"{{type: uri_file, path: '{given}'}}")
        files.write("job.yml", "type: pipeline\njobs:\n" + step % REGISTERED)
        ran = files.smalt("job validate --file job.yml")
        assert (ran.code, len(ran.err.splitlines())) == (2, 1), ran.err
    head = HEAD.replace('"%(write)s"}', '"%(write)s", outputs: {rows: {type: mltable}}}')
    files.write("job.yml", (head + STEP % ("command", "read", ROWS)) % LOCAL)
    ran = files.smalt("job validate --local --file job.yml")
    assert (ran.code, len(ran.err.splitlines())) == (2, 1), ran.err
    assert "the component writes this output as uri_file, not as mltable" in ran.err


@pytest.mark.parametrize("raw", [Any, Input(type="uri_file"), Input(type="uri_file", mode="direct")])
def test_a_file_that_a_program_gives_as_text(files: Desk, raw: Any) -> None:
    """The steps inherit the mode of what the pipeline is called with."""
    read = load_component(files.folder / "read_mltable.yml")

    @pipeline
    def outer(raw: raw) -> None:
        read(d=raw)

    job = outer(raw=Input(type="uri_file", path=str(files.folder / "flats.csv"), mode="direct"))
    assert MLClient().jobs.validate(job).error_messages == {}


@pytest.mark.parametrize("mode", ["eval_mount", "eval_download"])
def test_a_local_folder_without_the_table_that_is_evaluated(files: Desk, mode: str) -> None:
    """With a server and without one, in the same words; in a job, a step and a pipeline's input."""
    words = (
        "plain is a folder without a file 'MLTable', but the input's type is mltable, which needs one; add the file, "
        "or, for a folder as it is, write 'type: uri_folder'\n"
    )
    given = f"{{type: mltable, path: plain, mode: {mode}}}"
    job = f"command: ls ${{{{inputs.d}}}}\nenvironment: azureml:host\ninputs:\n  d: {given}\n"
    step = "jobs:\n  s:\n    command: ls ${{inputs.d}}\n    environment: azureml:host\n    inputs:\n      d: "
    for text, place in (
        (job, "4:6"),
        (f"type: pipeline\n{step}{given}\n", "7:10"),
        (f"type: pipeline\ninputs:\n  raw: {given}\n{step}{RAW}\n", "3:8"),
    ):
        files.write("job.yml", text)
        for option in ("--local", ""):
            ran = files.smalt(f"job validate {option} --file job.yml")
            assert ran.code == 2
            assert ran.err.startswith(f"job.yml:{place}: file://")
            assert ran.err.endswith(words)
    files.write("plain/MLTable", "paths: []\n")
    for option in ("--local", ""):
        assert files.smalt(f"job validate {option} --file job.yml").code == 0


@pytest.mark.parametrize(
    ("type", "mode"), [("mltable", "ro_mount"), ("mltable", "download"), ("mlflow_model", "download"), ("mltable", "")]
)
def test_a_local_folder_that_programs_read_in_their_own_way(files: Desk, type: str, mode: str) -> None:
    """Azure ML gives it to them without a look inside; so does smalt, which runs the job."""
    given = f"{{type: {type}, path: plain{mode and f', mode: {mode}'}}}"
    for head in ("", "type: pipeline\ninputs:\n  raw: " + given + "\njobs:\n  s:\n    "):
        bound = f"'{RAW}'" if head else given
        files.write(
            "job.yml", head + f"{{command: 'cat ${{{{inputs.d}}}}/flats.csv', environment: azureml:host, "
            f"inputs: {{d: {bound}}}}}\n"
        )  # fmt: skip
        for option in ("--local", ""):
            assert files.smalt(f"job validate {option} --file job.yml").code == 0
    assert files.ask("job create --file job.yml --stream --query status") == "Completed"


@pytest.mark.parametrize("type", ["command", "parallel"])
def test_a_parallel_step_cuts_a_folder_without_a_table(files: Desk, type: str) -> None:
    """Into its files; a command of a mode that evaluates the table cannot have one."""
    given = "{type: mltable, path: plain, mode: eval_mount}"
    files.write(
        "job.yml", "type: pipeline\njobs:\n" + STEP % (type, "batches" if type == "parallel" else "read", given) % LOCAL
    )
    for option in ("--local", ""):
        ran = files.smalt(f"job validate {option} --file job.yml")
        assert ran.code == (0 if type == "parallel" else 2), ran.err
        assert type == "parallel" or "which needs one" in ran.err


@pytest.mark.parametrize("given", ["{path: plain}", "{type: uri_folder, path: plain}"])
def test_a_local_folder_that_is_given_as_one(files: Desk, given: str) -> None:
    """Taken as it is for a model, whose file may lie deeper; without a type data is a folder."""
    files.write("job.yml", "type: pipeline\njobs:\n" + STEP % ("command", "model", given) % LOCAL)
    for option in ("--local", ""):
        assert files.smalt(f"job validate {option} --file job.yml").err == "job.yml: ok\n"


EVALUATED = INLINE.replace("'}\n", "', mode: eval_mount}\n") % ("mltable", RAW)
PART = "type: pipeline\nname: part\ninputs: {d: {type: mltable}}\njobs:\n"


@pytest.mark.parametrize(
    ("steps", "is_taken"),
    [
        (INLINE % ("uri_folder", RAW), True),
        (INLINE % ("mltable", RAW), True),
        (EVALUATED, False),
        (INLINE % ("uri_folder", RAW) + EVALUATED.replace("  s:", "  t:"), False),
        (f"  s: {{component: ./part.yml, inputs: {{d: '{RAW}'}}}}\n", True),
    ],
    ids=["a folder", "a table", "an evaluated table", "both", "nested"],
)
def test_a_pipelines_folder_that_its_steps_take_as_one(files: Desk, steps: str, is_taken: bool) -> None:
    """A table without its file is refused only if smalt reads the table for a step."""
    files.write("part.yml", PART + INLINE % ("uri_folder", "${{parent.inputs.d}}"))
    files.write("job.yml", HEAD.replace("uri_file, path: flats.csv", "mltable, path: plain") % LOCAL + steps)
    for option in ("--local", ""):
        ran = files.smalt(f"job validate {option} --file job.yml")
        assert (ran.code == 0) == is_taken, ran.err
        assert is_taken or ran.err.startswith("job.yml:3:8: file://")


def test_a_registered_file_for_a_folder_is_named_as_users_name_it(files: Desk) -> None:
    files.ask("data create --name flats --type uri_file --path flats.csv --query name")
    files.write(
        "job.yml",
        "command: ls ${{inputs.d}}\nenvironment: azureml:host\n"
        "inputs:\n  d: {type: uri_folder, path: 'azureml:flats@latest'}\n",
    )
    ran = files.smalt("job validate --file job.yml")
    words = "azureml:flats:1 is a file, but the input's type is uri_folder; make it uri_file or name a folder"
    assert (ran.code, ran.err) == (2, f"job.yml:4:6: {words}\n")
