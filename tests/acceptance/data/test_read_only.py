"""What a job reads it cannot change; nothing that is registered ever changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from smalt.launcher.sealing import MountSealer
from tests.acceptance.conftest import Desk
from tests.helpers import eventually

HOST = "environment: azureml:host\n"
can_seal = pytest.mark.skipif(not MountSealer().is_available, reason="needs the right to make mount namespaces")


def prepare(desk: Desk, name: str) -> dict[str, str]:
    """The same content in every place that a job may read it from."""
    desk.write("d/f.txt", "first\n")
    assert desk.smalt(f"data create -n {name} --version 1 --type uri_folder --path d -o none").code == 0
    for made, output in (("job", "{}"), ("named", f"{{name: {name}-made}}")):
        command = f"command: echo first >${{{{outputs.o}}}}/f.txt\n{HOST}"
        ran = desk.job(f"{command}outputs: {{o: {output}}}\n", f"--name {name}-{made}")
        assert ran.code == 0, ran.err
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


def test_what_is_registered_is_only_read_in_mode_rw_mount(any_desk: Desk) -> None:
    """A job may read a registered version in mode rw_mount, is told that it cannot write there, and cannot."""
    paths = prepare(any_desk, "never")
    for path in (paths["registered"], "azureml:never@latest", paths["registered output"]):
        ran = any_desk.job(change(path, ", mode: rw_mount", command="cat ${{inputs.a}}/f.txt"))
        assert ran.code == 0, ran.err
        assert "inputs.a: mode rw_mount gives the job" in ran.out + ran.err
        assert any_desk.job(change(path, ", mode: rw_mount")).code == 1
        assert content(any_desk, path) == ["first"]


APPEND = "echo more >>$(find ${{inputs.a}}/ -name f.txt | head -1)"


def test_what_a_version_is_made_of_is_never_written(any_desk: Desk) -> None:
    """The folder in which smalt keeps registered content is only read, so data created again is what it was."""
    any_desk.write("d/f.txt", "first\n")
    place = any_desk.ask("data create -n basis --path d --query path -o tsv").strip()
    assert "/LocalUpload/" in place
    for path in (place, "azureml://datastores/workspaceblobstore/paths/"):
        ran = any_desk.job(change(path, ", mode: rw_mount", APPEND))
        assert ran.code == 1, ran.out
        assert " read-only, as " in ran.out + ran.err
    assert any_desk.smalt("data create -n again --version 1 --path d").code == 0
    assert content(any_desk, "azureml:again:1") == ["first"]


@pytest.mark.parametrize("above", [".", "workspaces", "workspaces/default", "workspaces/default/datastores"])
def test_a_folder_around_the_datastores_is_only_read(desk: Desk, above: str) -> None:
    """No mode gives a job the folders to be written in which a version's content, and any copy of it, would lie."""
    name = f"around{len(above)}"
    desk.write(f"{name}/f.txt", "first\n")
    assert desk.smalt(f"data create -n {name} --version 1 --path {name}").code == 0
    append = f"echo more >>$(find ${{{{inputs.a}}}}/ -path '*/LocalUpload/*/{name}/f.txt')"
    ran = desk.job(change(str(desk.server.home.path(above)), ", mode: rw_mount", append))
    assert ran.code == 1, ran.out
    assert " read-only, as " in ran.out + ran.err
    assert content(desk, f"azureml:{name}:1") == ["first"]


def test_a_job_that_writes_where_a_version_lies_leaves_the_version_alone(any_desk: Desk) -> None:
    """A version gets a copy of its own before an input of mode rw_mount gives a job its place, or one around it."""
    command = f"command: echo first >${{{{outputs.o}}}}/f.txt\n{HOST}"
    assert any_desk.job(f"{command}outputs: {{o: {{name: made}}}}\n", "--name maker").code == 0
    for path in ("azureml://jobs/maker/outputs/o", "azureml://datastores/workspaceblobstore/paths/azureml/maker"):
        ran = any_desk.job(change(path, ", mode: rw_mount", APPEND))
        assert ran.code == 0, ran.err
        assert content(any_desk, "azureml:made:1") == ["first"]


_CHANGES = (
    "echo more >>${{inputs.a}}/f.txt", "echo new >${{inputs.a}}/new", "rm ${{inputs.a}}/f.txt",
    "sed -i s/first/last/ ${{inputs.a}}/f.txt", "mkdir ${{inputs.a}}/sub/new",
)  # fmt: skip


@pytest.mark.parametrize("how", ["named", "promoted", "nested", "data", "model", "reused"])
def test_a_registered_output_never_changes(ordinary: Desk, how: str) -> None:
    """What a job made and that was registered where it lies cannot be written by the jobs of an ordinary user."""
    asset = register(ordinary, how)
    for path, kind in (
        (asset, "custom_model" if how == "model" else "uri_folder"),
        (where(ordinary, asset), "uri_folder"),
    ):
        for command in _CHANGES:
            assert ordinary.job(change(path, command=command, kind=kind)).code == 1, command
        assert ordinary.log(change(path, command="cat ${{inputs.a}}/f.txt; ls ${{inputs.a}}", kind=kind)) == [
            "first", "f.txt", "sub",
        ]  # fmt: skip


MAKE = "mkdir ${{outputs.o}}/sub; echo first >${{outputs.o}}/f.txt"


def job(output: str) -> str:
    return f"command: {MAKE}\n{HOST}outputs: {{o: {output}}}\n"


def pipeline(output: str, promoted: str = "", name: str = "p", way: str = "") -> str:
    step = f"{{command: '{MAKE}; : {way}', environment: azureml:host, outputs: {{o: {output}}}}}"
    outputs = f"outputs: {{{name}: {promoted}}}\n" if promoted else ""
    return f"type: pipeline\n{outputs}jobs: {{a: {step}}}\n"


def register(desk: Desk, how: str) -> str:
    """Have a job make a folder that becomes version 1 of an asset, in one of several ways."""
    name = f"made-{how}"
    named = f"{{type: uri_folder, name: {name}}}"
    desk.write("inner.yml", pipeline("'${{parent.outputs.q}}'", "{type: uri_folder}", "q"))
    nested = "jobs: {a: {component: ./inner.yml, outputs: {q: '${{parent.outputs.p}}'}}}\n"
    texts = {
        "named": job(named),
        "promoted": pipeline("'${{parent.outputs.p}}'", named),
        "nested": f"type: pipeline\noutputs: {{p: {named}}}\n{nested}",
        "reused": pipeline("{type: uri_folder}", way=how),
    }
    made = desk.job(texts.get(how, job("{type: uri_folder}")), f"--name {name}")
    assert made.code == 0, made.err
    output = f"azureml://jobs/{name}/outputs/o"
    if how == "data":
        assert desk.smalt(f"data create -n {name} --version 1 --type uri_folder --path {output}").code == 0
    if how == "model":
        assert desk.smalt(f"model create -n {name} --version 1 --path {output}").code == 0
    if how == "reused":
        again = desk.job(pipeline(named, way=how), f"--name {name}-again")
        assert "reused outputs" in again.err
        eventually(lambda: not where_path(desk, name).stat().st_mode & 0o222, "the protection")
    return f"azureml:{name}:1"


def where(desk: Desk, asset: str) -> str:
    """The URI of the place where the version is."""
    _, name, version = asset.split(":")
    kind = "model" if name == "made-model" else "data"
    return desk.ask(f"{kind} show -n {name} --version {version} --query path")


def where_path(desk: Desk, name: str) -> Path:
    relative = where(desk, f"azureml:{name}:1").partition("/paths/")[2]
    return next(desk.server.home.root.glob(f"workspaces/*/datastores/workspaceblobstore/{relative}"))


def test_a_registered_file_is_not_replaced(ordinary: Desk) -> None:
    """A job cannot put another file in the place of a named output that is a file."""
    output = "outputs: {o: {type: uri_file, name: single}}\n"
    assert ordinary.job(f"command: echo first >${{{{outputs.o}}}}\n{HOST}{output}", "--name onefile").code == 0
    for command in ("echo more >>${{inputs.a}}", "sed -i s/first/last/ ${{inputs.a}}", "rm ${{inputs.a}}"):
        assert ordinary.job(change("azureml:single:1", command=command, kind="uri_file")).code == 1, command
        assert ordinary.log(change("azureml:single:1", command="cat ${{inputs.a}}", kind="uri_file")) == ["first"]


def test_a_file_with_two_names_is_kept_apart(ordinary: Desk) -> None:
    """A hard link to a file of a registered output is another file from then on."""
    outside = ordinary.write("outside.txt", "first\n")
    command = f"ln {outside} ${{{{outputs.o}}}}/f.txt"
    assert ordinary.job(f"command: {command}\n{HOST}outputs: {{o: {{name: linked}}}}\n").code == 0
    outside.write_text("last\n")
    assert content(ordinary, "azureml:linked:1") == ["first"]


def test_protected_outputs_go_with_their_job(ordinary: Desk) -> None:
    """A job whose output was protected can be deleted; the version stays, and another job of that name works."""
    text = f"command: echo first >${{{{outputs.o}}}}/f.txt\n{HOST}outputs: {{o: {{name: left}}, p: {{}}}}\n"
    for number in ("1", "2"):
        assert ordinary.job(text, "--name leaving").code == 0
        workspace = ordinary.ask("workspace show -n default --query id")
        assert ordinary.server.ask("DELETE", f"{workspace}/jobs/leaving").status in (200, 202)
        assert content(ordinary, f"azureml:left:{number}") == ["first"]


def test_a_change_that_could_not_be_prevented_fails_the_job(ordinary: Desk) -> None:
    """Where the machine cannot enforce it, the job fails with a sentence that names the input and the file."""
    paths = prepare(ordinary, "weak")
    for place in ("output", "local"):
        ran = ordinary.job(change(paths[place]))
        assert ran.code == 1, place
        assert "its input 'a' was changed while it ran" in ran.err, place
        assert "f.txt was written" in ran.err, place
    assert ordinary.job(change(paths["local"], command="cat ${{inputs.a}}/f.txt")).code == 0


def test_a_change_by_the_next_step_is_found(ordinary: Desk) -> None:
    """A step that changes what the step before it wrote a moment ago fails, with the input's name."""
    ran = ordinary.job(
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
