"""A registered version whose content somebody changed in the home is not used, and is mended by creating it again."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import struct
import subprocess
from pathlib import Path

import pytest

from smalt.service.data.files.write_protection import allow_writing
from tests.acceptance.conftest import Desk

WORKSPACE = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/smalt"
    "/providers/Microsoft.MachineLearningServices/workspaces/default"
)
HOST = "environment: azureml:host\n"
INPUT = "inputs: {i: {type: uri_folder, path: 'azureml:%s:1'%s}}\n"


def register(desk: Desk, how: str, name: str) -> Path:
    """Register a folder with the file `f`, or a job's output; the file where smalt keeps it."""
    kept = desk.server.home.path("workspaces/default/datastores/workspaceblobstore")
    if how == "of a job":
        output = f"outputs: {{o: {{type: uri_folder, name: {name}}}}}\n"
        desk.log(f"command: echo {name} >${{{{outputs.o}}}}/f\n{HOST}{output}", f"--name made-{name}")
        return kept / "azureml" / f"made-{name}" / "o" / "f"
    desk.write(f"{name}/f", f"{name}\n")
    (desk.folder / name / "g").write_text("also\n")
    asset = "model" if how == "a model" else "data"
    kind = "custom_model" if how == "a model" else "uri_folder"
    ran = desk.smalt(f"{asset} create -n {name} --version 1 --type {kind} --path {name} -o none")
    assert ran.code == 0, ran.err
    (found,) = kept.glob(f"LocalUpload/*/{name}/f")
    return found


def change(path: Path, what: str = "write") -> None:
    """Do what somebody does who owns the files: the mode keeps nobody out."""
    allow_writing(path.parent)
    status = path.stat()
    if what == "add":
        (path.parent / "new").write_text("new\n")
    elif what == "remove":
        path.unlink()
    else:
        path.write_text("x" * status.st_size)
    if what == "set back":
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("mode", ["", ", mode: download"])
@pytest.mark.parametrize("what", ["write", "set back", "add", "remove"])
def test_a_changed_version_fails_its_reader(desk: Desk, what: str, mode: str) -> None:
    """Whatever was changed, the step that is to read it fails with version and file, and its command never runs."""
    name = f"c-{what.replace(' ', '')}-{len(mode)}"
    change(register(desk, "of a folder", name), what)
    ran = desk.job(f"command: echo ran\n{HOST}{INPUT % (name, mode)}")
    assert ran.code == 1
    assert "ran" not in ran.lines
    assert f"input 'i': azureml:{name}:1 is not what was registered" in ran.err
    assert "create it again from the original data" in ran.err
    if what in ("write", "set back"):
        assert f"/{name}/f was changed" in ran.err


@pytest.mark.parametrize("how", ["a model", "of a job"])
def test_a_changed_model_or_output_fails_its_reader(desk: Desk, how: str) -> None:
    """The same of a model, and of a version that is the output of a job."""
    name = how.replace(" ", "")
    path = register(desk, how, name)
    given = (INPUT % (name, "")).replace("uri_folder", "custom_model" if how == "a model" else "uri_folder")
    assert desk.log(f"command: cat ${{{{inputs.i}}}}/f\n{HOST}{given}") == [name]
    change(path)
    ran = desk.job(f"command: echo ran\n{HOST}{given}")
    assert ran.code == 1
    assert f"azureml:{name}:1 is not what was registered" in ran.err


def test_a_changed_version_fails_a_step_that_might_be_reused(desk: Desk) -> None:
    """A step that completed with the version does not stand for one that reads what became of it."""
    path = register(desk, "of a folder", "piped")
    pipeline = (
        "type: pipeline\njobs:\n  a:\n    environment: azureml:host\n"
        "    command: cat ${{inputs.i}}/f > ${{outputs.o}}/f\n"
        "    inputs: {i: {type: uri_folder, path: 'azureml:piped:1'}}\n    outputs: {o: {type: uri_folder}}\n"
    )
    assert desk.job(pipeline).code == 0
    assert "(1 reused)" in (again := desk.job(pipeline)).out + again.err
    change(path)
    for _ in range(2):
        ran = desk.job(pipeline)
        assert ran.code == 1
        assert "azureml:piped:1 is not what was registered" in ran.err


def test_a_step_that_changes_a_version_leaves_it_to_no_later_one(desk: Desk) -> None:
    """Also where an earlier step of the pipeline found the version as it was a moment before."""
    path = register(desk, "of a folder", "midway")
    version = "i: {type: uri_folder, path: 'azureml:midway:1', mode: download}"
    after = "d: {type: uri_folder, path: '${{parent.jobs.%s.outputs.o}}'}"
    step = "    environment: azureml:host\n    outputs: {o: {type: uri_folder}}\n    command: echo 1 > ${{outputs.o}}/f"
    ran = desk.job(
        f"type: pipeline\njobs:\n  first:\n{step}\n    inputs: {{{version}}}\n"
        f"  second:\n{step}; chmod u+w {path}; echo other > {path}\n    inputs: {{{after % 'first'}}}\n"
        f"  third:\n{step}\n    inputs: {{{version}, {after % 'second'}}}\n"
    )
    assert ran.code == 1
    assert "step third failed: input 'i': azureml:midway:1 is not what was registered" in ran.err


def test_a_job_that_changes_a_version_leaves_it_to_nobody(ordinary: Desk) -> None:
    """An ordinary user's job that takes the right to write fails, and so does each later reader until it is mended."""
    register(ordinary, "of a folder", "taken")
    writer = "command: chmod -R u+w ${{inputs.i}}/ && echo other >${{inputs.i}}/f\n"
    assert "was changed while it ran" in ordinary.job(f"{writer}{HOST}{INPUT % ('taken', '')}").err
    for _ in range(2):
        ran = ordinary.job(f"command: cat ${{{{inputs.i}}}}/f\n{HOST}{INPUT % ('taken', '')}")
        assert ran.code == 1
        assert "azureml:taken:1 is not what was registered" in ran.err
    assert ordinary.smalt("data create -n again --version 1 --type uri_folder --path taken -o none").code == 0
    for name in ("taken", "again"):
        assert ordinary.log(f"command: cat ${{{{inputs.i}}}}/f\n{HOST}{INPUT % (name, '')}") == ["taken"]


@pytest.mark.parametrize("what", ["write", "add", "remove"])
@pytest.mark.parametrize("sent", ["by path", "over the port"])
def test_the_same_content_created_again_mends_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, sent: str, what: str
) -> None:
    """A changed content is stored afresh by who creates it again, read-only, and earlier versions have that, too."""
    if sent == "over the port":
        monkeypatch.setenv("SMALT_URL", f"http://127.0.0.1:{desk.server.port}")
        monkeypatch.setenv("SMALT_TOKEN", desk.server.home.read_token())
    name = f"m-{what}-{len(sent)}"
    path = register(desk, "of a folder", name)
    change(path, what)
    assert desk.smalt(f"data create -n {name} --version 2 --type uri_folder --path {name} -o none").code == 0
    reader = f"command: cat ${{{{inputs.i}}}}/*\n{HOST}{INPUT % (name, '')}"
    assert desk.log(reader) == [name, "also"]
    assert desk.log(reader.replace(":1'", ":2'")) == [name, "also"]
    assert not stat.S_IMODE(path.stat().st_mode) & 0o222
    assert sorted(each.name for each in path.parent.parent.iterdir()) == [name]


def test_a_question_about_an_upload_removes_nothing(desk: Desk) -> None:
    """A changed content stays until another is there: whoever asks may never send it, or may send something else."""
    path = register(desk, "of a folder", "asked")
    change(path)
    uploads = f"/smalt/v1{WORKSPACE}/datastores/workspaceblobstore/uploads"
    target = f"LocalUpload/{path.parent.parent.name}/asked"
    asked = desk.server.ask("POST", uploads, {"target": target, "files": [["f", 2]]})
    assert asked.body == {"bulk": True, "done": False, "missing": [[0, 0]]}
    body = struct.pack(">IQQ", 1, 2, 0) + b"fxx"
    assert desk.server.ask("POST", f"{uploads}/content?target={target}", raw=body).status == 200
    finished = desk.server.ask("POST", f"{uploads}/finish", {"target": target, "files": [["f", 2]]})
    assert finished.status == 409, path.read_text()
    assert path.read_text() == "x" * len("asked\n")
    assert [each.name for each in path.parent.parent.iterdir()] == ["asked"]


def test_a_restored_home_is_as_it_was(desk: Desk) -> None:
    """A content whose inodes and times are others, as after a restored backup, is compared by what is in it."""
    for name, how in (("restored", "of a folder"), ("restored-output", "of a job")):
        path = register(desk, how, name)
        reader = f"command: cat ${{{{inputs.i}}}}/f\n{HOST}{INPUT % (name, '')}"
        assert desk.log(reader) == [name]
        folder = path.parent
        shutil.copytree(folder, folder.with_name("copy"), copy_function=shutil.copy2)
        allow_writing(folder)
        shutil.rmtree(folder)
        folder.with_name("copy").rename(folder)
        assert desk.log(reader) == [name]


def store_as_azure(desk: Desk, name: str) -> Path:
    """Store and register a folder as azure-ai-ml does: under a hash of its own, which smalt does not know."""
    digest = hashlib.sha256(f"Initialize for october 2021 AML CLI version{name}".encode()).hexdigest()
    folder = desk.server.home.path(f"workspaces/default/datastores/workspaceblobstore/LocalUpload/{digest}/{name}")
    folder.mkdir(parents=True)
    (folder / "f").write_text(f"{name}\n")
    uri = f"azureml://datastores/workspaceblobstore/paths/LocalUpload/{digest}/{name}/"
    ran = desk.smalt(f"data create -n {name} --version 1 --type uri_folder --path {uri} -o none")
    assert ran.code == 0, ran.err
    return folder / "f"


@pytest.mark.parametrize("what", ["linked", "restored"])
def test_what_azures_client_stored_is_as_it_was(desk: Desk, what: str) -> None:
    """A content whose name is another client's hash is read, and sound, after its inodes' times changed."""
    path = store_as_azure(desk, name := f"azures-{what}")
    reader = f"command: cat ${{{{inputs.i}}}}/f\n{HOST}{INPUT % (name, '')}"
    assert desk.log(reader) == [name]
    if what == "linked":
        os.link(path, desk.folder / "backup")
    else:
        subprocess.run(["cp", "-a", path.parent, path.parent.with_name("copy")], check=True)
        shutil.rmtree(path.parent)
        path.parent.with_name("copy").rename(path.parent)
    assert desk.log(reader) == desk.log(reader) == [name]
    assert path.parent.parent.name not in desk.smalt("doctor --full").err


@pytest.mark.parametrize("what", ["write", "add", "remove"])
def test_what_azures_client_stored_is_not_read_when_it_was_changed(desk: Desk, what: str) -> None:
    """Its reader fails, though its name does not tell what it was, and the examination of the home names it."""
    path = store_as_azure(desk, name := f"azures-{what}")
    change(path, what)
    ran = desk.job(f"command: echo ran\n{HOST}{INPUT % (name, '')}")
    assert ran.code == 1
    assert f"azureml:{name}:1 is not what was registered" in ran.err
    assert "put the original back" in ran.err
    assert path.parent.parent.name in desk.smalt("doctor --full").err


def test_a_registered_environment_keeps_its_build_context(desk: Desk) -> None:
    """The context is as it was when it was registered: its folder may be edited, or removed."""
    desk.write("env.yml", "name: built\nversion: 1\nbuild: {path: context}\n")
    desk.write("context/Dockerfile", "FROM python:3.11\n")
    assert desk.smalt("environment create -f env.yml -o none").code == 0
    assert desk.smalt("environment create -f env.yml -o none").code == 0
    desk.write("context/Dockerfile", "FROM python:3.12\n")
    refused = desk.smalt("environment create -f env.yml -o none")
    assert refused.code == 1
    assert "exists already with another 'build'" in refused.err
    shutil.rmtree(desk.folder / "context")
    path = desk.ask("environment show -n built --version 1 --query build.path").partition("/paths/")[2]
    store = desk.server.home.path("workspaces/default/datastores/workspaceblobstore")
    assert (store / path / "Dockerfile").read_text() == "FROM python:3.11\n"
    change(store / path / "Dockerfile")
    ran = desk.job("command: echo ran\nenvironment: azureml:built:1\n")
    assert ran.code == 1
    assert "azureml:built:1 is not what was registered" in ran.err


@pytest.mark.parametrize("depth", [1, 2])
def test_a_registered_component_keeps_the_code_of_its_steps(desk: Desk, depth: int) -> None:
    """Pruning leaves the code of a step that is written in place in a registered component, however deep."""
    name = f"deep{depth}"
    desk.write("src/m.py", f"print('{name}')\n")
    step = "{type: command, component: {type: command, command: python m.py, code: ./src, environment: azureml:host}}"
    for _ in range(depth - 1):
        step = f"{{type: pipeline, component: {{type: pipeline, jobs: {{b: {step}}}}}}}"
    desk.write("component.yml", f"type: pipeline\nname: {name}\nversion: '1'\njobs:\n  a: {step}\n")
    created = desk.smalt("component create -f component.yml -o none")
    assert created.code == 0, created.err
    assert desk.smalt("prune --older-than 0d --yes -o none").code == 0
    ran = desk.job(f"type: pipeline\njobs:\n  p: {{type: pipeline, component: 'azureml:{name}:1'}}\n")
    assert ran.code == 0, ran.err
    assert name in ran.out
