"""Pipeline jobs that name a component run its steps; a pipeline in which nothing would run is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from smalt import Input, MLClient, load_component, load_job
from smalt.dsl import pipeline
from smalt.entities import PipelineComponent, PipelineJob
from smalt.exceptions import SmaltError
from smalt.machine.home import Home
from tests.acceptance.conftest import Desk

COMPONENT = """
    type: pipeline
    name: hello
    version: "1"
    inputs: {word: {type: string, default: hi}, times: {type: integer, optional: true}, d: {type: uri_file}}
    outputs: {said: {type: uri_folder}}
    settings: {default_compute: of-component, force_rerun: true}
    jobs:
      say:
        environment: azureml:host
        inputs: {w: "${{parent.inputs.word}}", d: "${{parent.inputs.d}}"}
        command: cat ${{inputs.d}}; echo ${{inputs.w}} | tee ${{outputs.o}}/a.txt
        outputs: {o: "${{parent.outputs.said}}"}
"""


@pytest.fixture
def files(desk: Desk) -> Desk:
    desk.write("comp.yml", COMPONENT)
    desk.write("d.txt", "data\n")
    return desk


def job_of(component: str, more: str = "inputs: {word: changed, d: {type: uri_file, path: d.txt}}\n") -> str:
    return f"type: pipeline\ncomponent: {component}\n{more}"


@pytest.mark.parametrize("reference", ["./comp.yml", "azureml:hello:1", "azureml:hello@latest", "azureml:hello"])
def test_the_steps_of_the_component_run(files: Desk, reference: str) -> None:
    """By path, version, label and name alone: with the job's inputs, and the job's output is the component's."""
    files.ask("component create --file comp.yml --query name")
    name = f"of-{''.join(letter for letter in reference if letter.isalnum())}"
    assert files.log(job_of(reference), f"--name {name}")
    assert files.smalt(f"job stream {name}-say").lines[-2:] == ["data", "changed"]
    files.ask(f"job download --name {name} --output-name said --query name")
    assert (files.folder / "named-outputs" / "said" / "a.txt").read_text() == "changed\n"


def test_a_component_in_place(files: Desk) -> None:
    """The mapping of a component stands where its path may."""
    component = "\n".join(f"  {line}" for line in (files.folder / "comp.yml").read_text().splitlines())
    text = f"type: pipeline\ninputs: {{d: {{type: uri_file, path: d.txt}}}}\ncomponent:\n{component}\n"
    assert files.log(text, "--name in-place")
    assert files.smalt("job stream in-place-say").lines[-1] == "hi"


def test_settings_of_both_apply(files: Desk) -> None:
    """The component's settings hold where the job has no other."""
    more = "inputs: {d: {type: uri_file, path: d.txt}}\nsettings: {default_compute: of-job}\n"
    assert files.log(job_of("./comp.yml", more), "--name both")
    assert files.ask("job show both-say --query compute") == "azureml:of-job"
    assert files.smalt("job show both --query settings").json == {
        "default_compute": "azureml:of-job",
        "force_rerun": True,
    }
    assert files.log(job_of("./comp.yml", more), "--name both-again")
    assert "(1 Completed)" in files.smalt("job stream both-again").err


def test_a_component_that_changes_later_changes_no_job(files: Desk) -> None:
    """The steps are recorded when the job is submitted, and shown and exported with it."""
    files.ask("component create --file comp.yml --query name")
    assert files.log(job_of("azureml:hello@latest"), "--name recorded")
    shown = files.smalt("job show recorded").json
    assert list(shown["jobs"]) == ["say"]
    files.ask("job export recorded --folder exported --query name")
    assert files.log((files.folder / "exported" / "job.yml").read_text().replace("./", "exported/"), "--name exported")
    assert files.smalt("job stream exported-say").lines[-1] == "changed"


def test_one_step_of_a_component_again(files: Desk) -> None:
    """`--only` and `--from` choose among the component's steps."""
    assert files.log(job_of("./comp.yml"), "--name whole")
    assert files.log(job_of("./comp.yml"), "--name part --only say")
    assert files.smalt("job stream part-say").lines[-1] == "changed"


REFUSED = {
    "unknown component": (job_of("azureml:nosuch:1", ""), "job.yml:2:12: there is no component 'nosuch:1'"),
    "unknown label": (job_of("azureml:hello@prod", ""), "job.yml:2:12: "),
    "unknown input": (job_of("./comp.yml", "inputs: {wort: x, d: {type: uri_file, path: d.txt}}\n"),
                      "job.yml:3:10: the component of this job has no input 'wort'; did you mean 'word'?"),
    "unknown input of a registered one": (job_of("azureml:hello:1", "inputs: {wort: x, d: {path: d.txt}}\n"),
                                          "job.yml:3:16: the component of this job has no input 'wort'"),
    "unknown output": (job_of("./comp.yml", "inputs: {d: {path: d.txt}}\noutputs: {sad: {}}\n"),
                       "the component of this job has no output 'sad'; did you mean 'said'?"),
    "missing input": (job_of("./comp.yml", ""), "the input 'd' (uri_file) of the component is not given"),
    "missing input of a registered one": (job_of("azureml:hello:1", ""), "the input 'd' (uri_file) of the component"),
    "wrong type": (job_of("azureml:hello:1", "inputs: {times: many, d: {path: d.txt}}\n"),
                   "job.yml:3:17: the input 'times' must be an integer, not 'many'"),
    "another type of component": (job_of("./step.yml", ""), "a pipeline job runs a pipeline component"),
    "component and steps": (job_of("./comp.yml", "inputs: {d: {path: d.txt}}\njobs: {a: {command: ls}}\n"),
                            "has either 'jobs' or a 'component'"),
    "no steps": ("type: pipeline\njobs: {}\n", "job.yml:2:1: a pipeline job needs a step: add one under 'jobs'"),
    "no jobs at all": ("type: pipeline\n", "a pipeline job needs a step"),
    "nested without steps": ("type: pipeline\njobs: {a: {type: pipeline, component: ./none.yml}}\n",
                             "none.yml:1:1: a pipeline component needs a step"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("verb", ["create", "validate"])
def test_what_would_not_run_is_refused(files: Desk, case: str, verb: str) -> None:
    """In one sentence, at its line, and nothing is submitted."""
    files.ask("component create --file comp.yml --query name")
    files.write("none.yml", "type: pipeline\nname: none\n")
    files.write("step.yml", "type: command\nname: step\ncommand: ls\nenvironment: azureml:host\n")
    text, sentence = REFUSED[case]
    files.write("job.yml", text)
    before = files.ask("job list --all-results --query '[].name'")
    ran = files.smalt(f"job {verb} --file job.yml")
    assert ran.code != 0
    assert sentence in ran.err
    assert files.ask("job list --all-results --query '[].name'") == before


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"jobs": {}}, "a pipeline job needs a step"),
        ({}, "a pipeline job needs a step"),
        ({"componentId": "azureml:nosuch:1", "jobs": {}}, "there is no component 'nosuch:1'"),
        ({"componentId": "azureml:hello:1", "jobs": {}}, "the input 'd' (uri_file) of the component is not given"),
    ],
)
def test_bodies_in_which_nothing_would_run_are_refused(files: Desk, body: dict[str, Any], sentence: str) -> None:
    """So it is for whoever speaks REST."""
    files.ask("component create --file comp.yml --query name")
    client = MLClient(home=Home(files.server.home.root))
    path = f"{client.workspace_id}/components/none/versions/1"
    with pytest.raises(SmaltError, match="a pipeline component needs a step"):
        client.connection.put(path, {"properties": {"componentSpec": {"name": "none", "type": "pipeline", "jobs": {}}}})
    with pytest.raises(SmaltError, match=sentence.replace("(", r"\(").replace(")", r"\)")):
        client.connection.put(f"{client.workspace_id}/jobs/bodies", {"properties": {"jobType": "Pipeline", **body}})
    client.connection.close()


def test_component_ids_of_other_clients(files: Desk) -> None:
    """The official client sends `componentId` beside empty `jobs`; the same body again is the same job."""
    files.ask("component create --file comp.yml --query name")
    client = MLClient(home=Home(files.server.home.root))
    data = {"jobInputType": "uri_file", "uri": f"file://{files.folder / 'd.txt'}"}
    properties = {
        "jobType": "Pipeline", "jobs": {}, "componentId": f"{client.workspace_id}/components/hello/versions/1",
        "inputs": {"word": {"jobInputType": "literal", "value": "rest"}, "d": data}, "settings": {"_source": "REMOTE"},
    }  # fmt: skip
    for _ in range(2):
        client.connection.put(f"{client.workspace_id}/jobs/by-id", {"properties": properties})
    client.jobs.stream("by-id")
    assert files.smalt("job stream by-id-say").lines[-1] == "rest"
    shown = client.connection.get(f"{client.workspace_id}/jobs/by-id")["properties"]
    assert shown["componentId"].endswith("/hello/versions/1")
    assert list(shown["jobs"]) == ["say"]
    client.connection.put(f"{client.workspace_id}/jobs/by-id", {"properties": shown})
    client.connection.close()


def test_programs_run_components_as_jobs(files: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """A component that is called, one given to PipelineJob, and a job file that names one."""
    client = MLClient(home=Home(files.server.home.root))
    hello = load_component("comp.yml")
    data = Input(type="uri_file", path=str(files.folder / "d.txt"))
    called = hello(word="called", d=data)
    called.settings.default_compute = "cpu-cluster"
    given = PipelineJob(component=hello, inputs={"word": "given", "d": data})
    given.settings.force_rerun = False
    Path("job.yml").write_text(job_of("./comp.yml"))
    loaded = load_job("job.yml")
    assert isinstance(loaded, PipelineJob)
    assert list(loaded.jobs) == ["say"]
    assert loaded.settings.default_compute is None
    for job, word in ((called, "called"), (given, "given"), (loaded, "changed")):
        created = client.jobs.create_or_update(job)
        client.jobs.stream(str(created.name))
        assert word in capsys.readouterr().out
    with pytest.raises(SmaltError, match="has no input 'wort'"):
        client.jobs.create_or_update(PipelineJob(component=hello, inputs={"wort": "x", "d": data}))
    with pytest.raises(SmaltError, match="needs a step"):
        client.jobs.create_or_update(PipelineJob(jobs={}))
    with pytest.raises(SmaltError, match="needs a step"):
        client.components.create_or_update(PipelineComponent(name="none", jobs={}))
    client.connection.close()


def test_a_functions_component_is_registered_and_runs(files: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """By `pipeline_fn().component` and `pipeline_fn._pipeline_builder.build()`, as public notebooks do."""
    client = MLClient(home=Home(files.server.home.root))
    hello = load_component("comp.yml")

    @pipeline(name="outer", default_compute="cpu-cluster")
    def outer(d: Input, word: str = "by-default", times: Input(type="integer", optional=True) = None) -> Any:  # type: ignore[valid-type]
        step = hello(word=word, d=d, times=times)
        return {"said": step.outputs.said}

    data = Input(type="uri_file", path=str(files.folder / "d.txt"))
    for version, built in (("1", outer().component), ("2", outer._pipeline_builder.build())):
        built.version = version
        registered = client.components.create_or_update(built)
        assert isinstance(registered, PipelineComponent)
        found = client.components.get("outer", version)
        assert found.jobs["step"].inputs["times"] == "${{parent.inputs.times}}"
        job = found(d=data, word=f"version-{version}")
        job.settings.force_rerun = True
        created = client.jobs.create_or_update(job)
        client.jobs.stream(str(created.name))
        assert f"version-{version}" in capsys.readouterr().out
    client.connection.close()


def test_settings_that_nobody_set_are_not_written(files: Desk) -> None:
    """Looking at `.settings` changes neither the file that is dumped nor the job."""
    hello = load_component("comp.yml")
    job = PipelineJob(component=hello, inputs={"d": Input(type="uri_file", path="d.txt")})
    before = job._to_yaml()
    assert job.settings.default_compute is None
    assert job._to_yaml() == before
    assert job == PipelineJob(component=hello, inputs={"d": Input(type="uri_file", path="d.txt")})
    assert "settings" not in json.dumps(job.to_dict()["inputs"])
