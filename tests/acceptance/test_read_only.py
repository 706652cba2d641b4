"""What a job reads it cannot change; nothing that is registered ever changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from smalt.launcher.sealing import Sealing
from tests.helpers import Server, eventually, temporary_server

from .conftest import Desk

HOST = "environment: azureml:host\n"
_WEAK = "import ctypes, runpy; ctypes.CDLL(None).prctl(24, 21); runpy.run_module('smalt.service', run_name='__main__')"
"""A server whose launcher may not make mount namespaces (no CAP_SYS_ADMIN), whoever runs the tests."""

can_seal = pytest.mark.skipif(not Sealing().works, reason="needs the right to make mount namespaces")


@pytest.fixture(scope="module")
def weak_server() -> Iterator[Server]:
    with temporary_server() as server:
        process = server.spawn(program=("-c", _WEAK))
        eventually(lambda: server.is_ready(process.pid), "the server")
        yield server


@pytest.fixture
def weak(desk: Desk, weak_server: Server, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk at a machine where nobody may make mount namespaces."""
    monkeypatch.setenv("SMALT_HOME", str(weak_server.home.root))
    desk.server = weak_server
    return desk


def prepare(desk: Desk, name: str) -> dict[str, str]:
    """The same content in every place that a job may read it from."""
    desk.write("d/f.txt", "first\n")
    assert desk.smalt(f"data create -n {name} --version 1 --type uri_folder --path d -o none").code == 0
    made = desk.job(
        f"command: echo first >${{{{outputs.o}}}}/f.txt\n{HOST}"
        f"outputs: {{o: {{type: uri_folder, name: {name}-made}}}}\n",
        f"--name {name}-job",
    )
    assert made.code == 0, made.err
    return {
        "registered": f"azureml:{name}:1",
        "registered output": f"azureml:{name}-made:1",
        "output": f"azureml://jobs/{name}-job/outputs/o",
        "local": "./d",
    }


def change(
    path: str, mode: str = "", command: str = "echo more >>${{inputs.a}}/f.txt", kind: str = "uri_folder"
) -> str:
    return f"command: {command}\n{HOST}inputs: {{a: {{type: {kind}, path: '{path}'{mode}}}}}\n"


def content(desk: Desk, path: str) -> list[str]:
    return desk.log(change(path, command="cat ${{inputs.a}}/f.txt"))


@can_seal
@pytest.mark.parametrize("mode", ["", ", mode: ro_mount", ", mode: direct", ", mode: eval_mount"])
def test_a_job_cannot_change_what_it_reads(desk: Desk, mode: str) -> None:
    """Registered data, outputs and local folders are read-only to a job, also to one of root."""
    for place, path in prepare(desk, f"kept{mode[8:]}").items():
        ran = desk.job(change(path, mode))
        assert ran.code == 1, place
        assert "Read-only file system" in ran.out + ran.err, place
        assert content(desk, path) == ["first"], place


@can_seal
def test_a_step_cannot_change_what_another_step_wrote(desk: Desk) -> None:
    """The output of a step of the same pipeline is read-only to the next, also where that follows at once."""
    ran = desk.job(
        """\
        type: pipeline
        jobs:
          a:
            command: echo first >${{outputs.o}}/f.txt
            environment: azureml:host
            outputs: {o: {type: uri_folder}}
          b:
            command: echo more >>${{inputs.i}}/f.txt
            environment: azureml:host
            inputs: {i: "${{parent.jobs.a.outputs.o}}"}
        """,
        "--name chained",
    )
    assert ran.code == 1
    assert "Read-only file system" in ran.out + ran.err
    assert content(desk, "azureml://jobs/chained-a/outputs/o") == ["first"]


def test_a_copy_may_be_changed(desk: Desk) -> None:
    """Mode download gives the job a copy of its own, which it may write; the data stays."""
    prepare(desk, "copied")
    for mode in ("download", "eval_download"):
        assert desk.log(change("azureml:copied:1", f", mode: {mode}", "echo more >${{inputs.a}}/new; ls ${{inputs.a}}"))
    assert content(desk, "azureml:copied:1") == ["first"]


def test_a_folder_given_to_be_written_may_be_changed(desk: Desk) -> None:
    """Mode rw_mount of a local folder lets the job write there."""
    desk.write("mine/f.txt", "first\n")
    assert desk.job(change("./mine", ", mode: rw_mount")).code == 0
    assert Path("mine/f.txt").read_text() == "first\nmore\n"


@pytest.mark.parametrize("path", ["azureml:never:1", "azureml:never@latest", "azureml:never-made:1"])
def test_what_is_registered_cannot_be_given_to_be_written(desk: Desk, path: str) -> None:
    """Mode rw_mount of a registered version is refused before the job is accepted, with what to write instead."""
    if desk.smalt("data show -n never --version 1").code:
        prepare(desk, "never")
    ran = desk.job(change(path, ", mode: rw_mount"))
    assert ran.code == 2
    assert "inputs.a" in ran.err
    assert "rw_mount" in ran.err
    assert "download" in ran.err


def test_a_change_that_could_not_be_prevented_fails_the_job(weak: Desk) -> None:
    """Where the machine cannot enforce it, the job fails with a sentence that names the input and the file."""
    paths = prepare(weak, "weak")
    for place in ("output", "local"):
        ran = weak.job(change(paths[place]))
        assert ran.code == 1, place
        assert "its input 'a' was changed while it ran" in ran.err, place
        assert "f.txt was written" in ran.err, place
    assert weak.job(change(paths["local"], command="cat ${{inputs.a}}/f.txt")).code == 0


def test_a_change_by_the_next_step_is_found(weak: Desk) -> None:
    """A step that changes what the step before it wrote a moment ago fails, with the input's name."""
    ran = weak.job(
        """\
        type: pipeline
        jobs:
          a:
            command: echo first >${{outputs.o}}/f.txt
            environment: azureml:host
            outputs: {o: {type: uri_folder}}
          b:
            command: echo more >>${{inputs.i}}/f.txt
            environment: azureml:host
            inputs: {i: "${{parent.jobs.a.outputs.o}}"}
        """
    )
    assert ran.code == 1
    assert "its input 'i' was changed while it ran" in ran.err


def test_registered_data_has_modes_that_forbid_writing(desk: Desk) -> None:
    """Neither files nor folders of registered data can be written by an ordinary user."""
    desk.write("tree/sub/f.txt", "first\n")
    desk.write("tree/run.sh", "true\n").chmod(0o755)
    assert desk.smalt("data create -n modes --version 1 --type uri_folder --path tree -o none").code == 0
    command = "find -L ${{inputs.a}} -perm /222; [ -x ${{inputs.a}}/run.sh ] && echo runs"
    assert desk.log(change("azureml:modes:1", command=command)) == ["runs"]
