"""The output of a job, asked for by the job's name, is never what a later job wrote in the same place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.conftest import Desk
from tests.helpers import eventually

PLACE = "azureml://datastores/workspaceblobstore/paths/fixed"
COMMAND = """
    command: echo WORD > ${{outputs.o}}/word
    environment: azureml:host
    outputs: {o: {path: PATH, NAMED type: uri_folder}}
"""
PIPELINE = """
    type: pipeline
    outputs: {o: {path: PATH, NAMED type: uri_folder}}
    jobs:
      make:
        type: command
        command: echo WORD > ${{outputs.o}}/word
        environment: azureml:host
        outputs: {o: "${{parent.outputs.o}}"}
"""
READER = """
    command: cat ${{inputs.i}}/word
    environment: azureml:host
    inputs: {i: {type: uri_folder, path: "azureml://jobs/JOB/outputs/o"}}
"""


def _make(desk: Desk, kind: str, word: str, path: str = f"{PLACE}/y", named: str = "") -> str:
    """A job that writes a word; its name, and of a pipeline's step the step's."""
    text = COMMAND if kind == "command" else PIPELINE
    desk.write("make.yml", text.replace("WORD", word).replace("PATH", path).replace("NAMED", named))
    name = desk.ask("job create --file make.yml --query name")
    assert desk.smalt(f"job stream {name}").code == 0
    return f"{name}-make" if kind == "step" else name


@pytest.mark.parametrize("kind", ["command", "pipeline", "step"])
@pytest.mark.parametrize("later", ["/y", "/y/below", ""])
def test_an_output_that_a_later_job_wrote_over_is_refused(desk: Desk, kind: str, later: str) -> None:
    """As an input and as a download, with the name of the later job; that one's own output is given."""
    path = f"{PLACE}-{kind}{len(later)}"
    first = _make(desk, kind, "first", f"{path}/y")
    assert desk.log(READER.replace("JOB", first)) == ["first"]
    second = _make(desk, kind, "second", f"{path}{later}")
    wrote = f"{second}-make" if kind == "pipeline" else second
    read = desk.job(READER.replace("JOB", first))
    assert read.code != 0
    assert f"job {wrote} wrote" in read.err
    assert f"job {first} had its output 'o'" in read.err
    got = desk.smalt(f"job download -n {first} --output-name o --download-path got")
    assert got.code != 0
    assert f"job {wrote} wrote" in got.err
    assert not Path(desk.folder, "got").exists()
    assert desk.log(READER.replace("JOB", second)) == ["second"]


@pytest.mark.parametrize("kind", ["command", "pipeline", "step"])
def test_an_output_that_is_a_version_is_that_version(desk: Desk, kind: str) -> None:
    """What was registered was copied aside before a later job wrote there: the job's output is that content."""
    first = _make(desk, kind, "first", f"{PLACE}-named/{kind}", f"name: words{kind},")
    second = _make(desk, kind, "second", f"{PLACE}-named/{kind}", f"name: words{kind},")
    assert desk.log(READER.replace("JOB", first)) == ["first"]
    assert desk.log(READER.replace("JOB", second)) == ["second"]
    assert desk.smalt(f"job download -n {first} --output-name o --download-path kept").code == 0
    assert Path(desk.folder, "kept/named-outputs/o/word").read_text() == "first\n"


def test_of_a_job_whose_output_was_written_over_nothing_is_taken(desk: Desk) -> None:
    """`--only STEP --of JOB` is refused, in the same sentence."""
    text = (
        PIPELINE
        + """
      read:
        type: command
        command: cat ${{inputs.i}}/word
        environment: azureml:host
        inputs: {i: "${{parent.jobs.make.outputs.o}}"}
    """.removeprefix("\n").rstrip(" ")
    )
    names = []
    for word in ("first", "second"):
        desk.write("two.yml", text.replace("WORD", word).replace("PATH", f"{PLACE}-of/y").replace("NAMED", ""))
        names.append(desk.ask("job create --file two.yml --query name"))
        assert desk.smalt(f"job stream {names[-1]}").code == 0
    refused = desk.smalt(f"job create --file two.yml --only read --of {names[0]}")
    assert refused.code != 0
    assert f"job {names[1]}-make wrote over" in refused.err
    assert "second" in desk.smalt("job create --file two.yml --only read --stream").out


def test_a_reused_step_has_what_it_was_given(desk: Desk) -> None:
    """A reused step wrote nothing: the job whose output it has is not written over by it."""
    _make(desk, "step", "same", f"{PLACE}-reused/y")  # the next finds something there, and is another step
    first = _make(desk, "step", "same", f"{PLACE}-reused/y")
    second = _make(desk, "step", "same", f"{PLACE}-reused/y")
    assert desk.log(READER.replace("JOB", first)) == ["same"]
    assert desk.log(READER.replace("JOB", second)) == ["same"]
    third = _make(desk, "step", "other", f"{PLACE}-reused/y")
    for job in (first, second):
        assert f"job {third} wrote over" in desk.job(READER.replace("JOB", job)).err


@pytest.mark.parametrize("noun", ["data", "model"])
def test_a_version_of_an_output_keeps_it(desk: Desk, noun: str) -> None:
    """Registered by the job's name in time, it is kept; after a later job wrote there, it is refused."""
    type = "uri_folder" if noun == "data" else "custom_model"
    first = _make(desk, "command", "first", f"{PLACE}-late/{noun}")
    file = desk.write("version.yml", f"name: kept-{noun}\ntype: {type}\npath: azureml://jobs/{first}/outputs/o\n")
    assert desk.smalt(f"{noun} create --file {file}").code == 0
    second = _make(desk, "command", "second", f"{PLACE}-late/{noun}")
    reader = READER.replace("azureml://jobs/JOB/outputs/o", f"azureml:kept-{noun}:1").replace("uri_folder", type)
    assert desk.log(reader) == ["first"]
    refused = desk.smalt(f"{noun} create --file {file} --version 2")
    assert refused.code != 0
    assert f"job {second} wrote over" in refused.err


@pytest.mark.parametrize("kind", ["command", "pipeline", "step"])
@pytest.mark.parametrize("later", ["/y", "/y/below", ""])
def test_what_was_written_over_stays_so_when_the_later_job_is_deleted(desk: Desk, kind: str, later: str) -> None:
    """A deleted job leaves what it wrote at a given path: the earlier job's output is refused, a newer one is not."""
    path = f"{PLACE}-gone-{kind}{len(later)}"
    first = _make(desk, kind, "first", f"{path}/y")
    second = _make(desk, kind, "second", f"{path}{later}")
    top = second.removesuffix("-make")
    workspace = desk.ask("workspace show -n default --query id")
    assert desk.server.ask("DELETE", f"{workspace}/jobs/{top}").status in (200, 202)
    read = desk.job(READER.replace("JOB", first))
    assert read.code != 0
    assert f"job {top}{'' if kind == 'command' else '-make'}, which has been deleted, wrote" in read.err
    assert f"run job {first} again" in read.err
    third = _make(desk, kind, "third", f"{path}/y")
    assert desk.log(READER.replace("JOB", third)) == ["third"]


RUNNING = """
    command: |
      echo early >${{outputs.o}}/word; touch BEGUN
      until [ -e GO ]; do sleep 0.01; done
      echo late >${{outputs.o}}/word
    environment: azureml:host
    outputs: {o: {path: PATH, type: uri_folder}}
"""


@pytest.mark.parametrize("noun", ["data", "model"])
@pytest.mark.parametrize("where", ["its output", "the place", "in the place", "around the place"])
def test_what_a_job_still_writes_is_not_registered(desk: Desk, noun: str, where: str) -> None:
    """A version never changes, so it is refused with the job's name until that is over."""
    name = f"writes-{noun}-{where.replace(' ', '-')}"
    path, begun, go = f"{PLACE}-{name}/y", desk.folder / f"{name}.begun", desk.folder / f"{name}.go"
    text = RUNNING.replace("PATH", path).replace("BEGUN", str(begun)).replace("GO", str(go))
    desk.write("running.yml", text)
    assert desk.smalt(f"job create --file running.yml --name {name}").code == 0
    eventually(begun.exists, "the command")
    uris = {
        "its output": f"azureml://jobs/{name}/outputs/o",
        "the place": path,
        "in the place": f"{path}/word",
        "around the place": f"{PLACE}-{name}",
    }
    is_file = where == "in the place"
    type = ("uri_file" if is_file else "uri_folder") if noun == "data" else "custom_model"
    file = desk.write("version.yml", f"name: {name}\nversion: 1\ntype: {type}\npath: {uris[where]}\n")
    refused = desk.smalt(f"{noun} create --file {file}")
    assert refused.code != 0
    assert f"job '{name}' is not over and writes there" in refused.err
    go.touch()
    assert desk.smalt(f"job stream {name}").code == 0
    assert desk.smalt(f"{noun} create --file {file}").code == 0
    below = {"in the place": "", "around the place": "/y/word"}.get(where, "/word")
    reader = f"""
        command: cat ${{{{inputs.i}}}}{below}
        environment: azureml:host
        inputs: {{i: {{type: {type}, path: "azureml:{name}:1"}}}}
    """
    assert desk.log(reader) == ["late"]


def test_a_version_of_a_job_is_fixed_while_another_job_writes_there(desk: Desk) -> None:
    """Two jobs with the same given path run at once: what the first registers at its end does not get later writes."""
    begun, go, path = desk.folder / "beside.begun", desk.folder / "beside.go", f"{PLACE}-beside/y"
    text = RUNNING.replace("PATH", path).replace("BEGUN", str(begun)).replace("GO", str(go))
    desk.write("beside.yml", text)
    assert desk.smalt("job create --file beside.yml --name beside").code == 0
    eventually(begun.exists, "the other job")
    _make(desk, "command", "first", path, "name: besides,")
    moved = "azureml://datastores/workspaceblobstore/paths/Versions/"
    eventually(lambda: desk.ask("data show -n besides -v 1 --query path").startswith(moved), "a place of its own")
    go.touch()
    assert desk.smalt("job stream beside").code == 0
    reader = READER.replace("azureml://jobs/JOB/outputs/o", "azureml:besides:1")
    assert desk.log(reader) == ["first"]
