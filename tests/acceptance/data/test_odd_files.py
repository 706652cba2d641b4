"""Links, loops, FIFOs and the like in what a job leaves; and execute bits: what others then read and download."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.acceptance.conftest import Desk

HOST = "environment: azureml:host\n"
FOLDER = HOST + "outputs: {o: {type: uri_folder%s}}\n"


def tree(folder: str | Path) -> dict[str, str]:
    """Every file below, links to files among them, with what is in it; nothing else may be there but folders."""
    found = {}
    for path in sorted(Path(folder).rglob("*")):
        assert path.is_dir() or path.is_file(), path
        if path.is_file():
            found[str(path.relative_to(folder))] = path.read_text()
    return found


def place(desk: Desk, job: str) -> Path:
    folder = desk.server.home.path("workspaces", "default", "datastores", "workspaceblobstore", "azureml", job)
    assert folder.is_dir()
    return folder


@pytest.fixture(params=["local", "port"])
def way(request: pytest.FixtureRequest, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> str:
    """How the client reaches the server: on its machine, or over TCP as from elsewhere."""
    if request.param == "port":
        monkeypatch.setenv("SMALT_URL", f"http://127.0.0.1:{desk.server.port}")
        monkeypatch.setenv("SMALT_TOKEN", str(desk.server.home.read_token()))
    return str(request.param)


ODD = {
    "a link to itself": "ln -s loop loop",
    "a link to its folder": "ln -s . loop",
    "a link to a folder above": "mkdir d; ln -s .. d/up",
    "a link to all": "ln -s / all",
    "a dangling link": "ln -s nowhere gone",
    "a FIFO": "mkfifo pipe",
    "a link to a FIFO": "mkfifo pipe; ln -s pipe to",
    "a socket": "python3 -c \"import socket; socket.socket(socket.AF_UNIX).bind('s')\"",
}


@pytest.mark.parametrize("what", ODD)
@pytest.mark.parametrize("mode", ["", ", mode: upload"])
def test_what_has_no_content_is_left_out(desk: Desk, what: str, mode: str) -> None:
    """An output is stored without it, and a line of the log says which and why."""
    name = f"odd-{list(ODD).index(what)}{mode[8:]}"
    ran = desk.job(
        f"command: |\n  echo x >${{{{outputs.o}}}}/x\n  cd ${{{{outputs.o}}}}; {ODD[what]}\n{FOLDER % mode}",
        f"--name {name}",
    )
    assert ran.code == 0, ran.err
    assert "its output 'o':" in ran.out + ran.err
    assert "was left out" in ran.out + ran.err
    assert tree(place(desk, name) / "o") == {"x": "x\n"}


def test_loops_do_not_hinder_a_download(desk: Desk, way: str) -> None:
    """`job download --all` of a job that left a loop, in outputs and artifacts, has what is real."""
    ran = desk.job(
        "command: ln -s loop ${{outputs.o}}/loop; echo x >${{outputs.o}}/x; ln -s . outputs/l; echo y >outputs/y\n"
        + FOLDER % "",
        f"--name loop-{way}",
    )
    assert ran.code == 0, ran.err
    ran = desk.smalt(f"job download --name loop-{way} --all --download-path got")
    assert ran.code == 0, ran.err
    assert tree("got/named-outputs/o") == {"x": "x\n"}
    assert tree("got/artifacts/outputs") == {"y": "y\n"}


def test_a_datastore_with_loops_can_be_listed_and_downloaded(desk: Desk, way: str) -> None:
    """What its owner put there: links inside are followed, loops and FIFOs are not there."""
    folder = desk.folder / "share"
    desk.write("share/d/x", "x\n")
    os.symlink("loop", folder / "loop")
    os.symlink(".", folder / "self")
    os.symlink("d", folder / "alias")
    os.symlink("../..", folder / "d" / "above")
    os.mkfifo(folder / "pipe")
    name = f"loops_{way}"
    desk.write("store.yml", f"name: {name}\ntype: local_path\npath: {folder}\n")
    os.environ.pop("SMALT_URL", None)
    assert desk.smalt("datastore create --file store.yml -o none").code == 0
    if way == "port":
        os.environ["SMALT_URL"] = f"http://127.0.0.1:{desk.server.port}"
    ran = desk.smalt(f"datastore ls -n {name} --recursive -o tsv --query [].path")
    assert ran.out.split() == ["alias/x", "d/x"], ran.err
    assert desk.smalt(f"datastore download d -n {name} -p down").code == 0
    assert tree("down") == {"x": "x\n"}


REPLACED = {
    "folder": "rm -rf {o}; mkdir real; echo x >real/x; ln -s $PWD/real {o}",
    "links in links": "rm -rf {o}; mkdir real; echo x >far; ln -s ../far real/x; ln -s real mid; ln -s $PWD/mid {o}",
    "inside": "mkdir {o}/d; echo x >far; ln -s $PWD/far {o}/x",
    "inside, a folder": "mkdir far; echo x >far/x; ln -s $PWD/far {o}/d; ln -s $PWD/far/x {o}/x",
    "absolute": "mkdir {o}/d; echo x >{o}/d/x; ln -s {o}/d/x {o}/x",
}


@pytest.mark.parametrize("how", REPLACED)
@pytest.mark.parametrize("mode", ["", ", mode: upload", ", mode: direct"])
def test_a_link_is_stored_as_what_it_leads_to(desk: Desk, how: str, mode: str) -> None:
    """Of an output that was replaced by a link, or has links that lead out, the content is kept: others read it."""
    name = f"link-{list(REPLACED).index(how)}{mode[8:]}"
    ran = desk.job(f"command: {REPLACED[how].replace('{o}', '${{outputs.o}}')}\n{FOLDER % mode}", f"--name {name}")
    assert ran.code == 0, ran.err
    stored = place(desk, name) / "o"
    assert not stored.is_symlink()
    assert all(not os.path.isabs(os.readlink(path)) for path in stored.rglob("*") if path.is_symlink())
    for left in desk.server.home.path("workspaces", "default", "jobs", name, "wd").iterdir():
        if left.name in ("real", "far", "mid"):
            left.rename(desk.folder / left.name)
    assert tree(stored)["x"] == "x\n"
    reader = f"command: cat ${{{{inputs.i}}}}/x\n{HOST}inputs: {{i: {{path: azureml://jobs/{name}/outputs/o}}}}\n"
    assert desk.log(reader) == ["x"]


@pytest.mark.parametrize("mode", ["", ", mode: upload"])
def test_a_file_that_is_a_link_is_stored_as_the_file(desk: Desk, mode: str) -> None:
    """An output of type uri_file that the job made a link."""
    name = f"filelink{mode[8:]}"
    command = "echo x >far; ln -s $PWD/far ${{outputs.o}}"
    ran = desk.job(f"command: {command}\n{HOST}outputs: {{o: {{type: uri_file{mode}}}}}\n", f"--name {name}")
    assert ran.code == 0, ran.err
    stored = place(desk, name) / "o"
    assert not stored.is_symlink()
    assert stored.read_text() == "x\n"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("ln -s nowhere ${{outputs.o}}", "leads nowhere"),
        ("ln -s o ${{outputs.o}}", "cannot be followed"),
        ("mkfifo ${{outputs.o}}", "is a FIFO"),
    ],
)
@pytest.mark.parametrize("mode", ["", ", mode: upload"])
def test_an_output_without_content_fails_the_job(desk: Desk, command: str, words: str, mode: str) -> None:
    """The job fails with a sentence that names the output."""
    ran = desk.job(f"command: rm -rf ${{{{outputs.o}}}}; {command}\n{FOLDER % mode}")
    assert ran.code == 1
    assert "its output 'o'" in ran.err
    assert words in ran.err


def test_artifacts_are_stored_as_what_links_lead_to(desk: Desk) -> None:
    """./outputs replaced by a link, and links in ./logs."""
    ran = desk.job(
        "command: mkdir far; echo x >far/x; rmdir outputs; ln -s far outputs; ln -s $PWD/far/x logs/l; mkfifo logs/p\n"
        + HOST,
        "--name arts",
    )
    assert ran.code == 0, ran.err
    assert desk.smalt("job download --name arts -p got").code == 0
    assert tree("got/artifacts/outputs") == {"x": "x\n"}
    assert tree("got/artifacts/logs") == {"l": "x\n"}


def test_links_of_the_owner_stay(desk: Desk) -> None:
    """Of a folder of the user's own that a job writes into, links that were there before are not touched."""
    desk.write("far/x", "x\n")
    (desk.folder / "mine").mkdir()
    os.symlink(desk.folder / "far", desk.folder / "mine" / "old")
    ran = desk.job(
        f"command: ln -s {desk.folder}/far/x ${{{{outputs.o}}}}/new\n{HOST}"
        f"outputs: {{o: {{type: uri_folder, path: '{desk.folder}/mine'}}}}\n"
    )
    assert ran.code == 0, ran.err
    assert (desk.folder / "mine" / "old").is_symlink()
    assert not (desk.folder / "mine" / "new").is_symlink()


def test_execute_bits_stay(desk: Desk, way: str) -> None:
    """Data that is registered, on the server's machine or over the port, can be executed by a job; so can downloads."""
    desk.write("tools/run", "#!/bin/sh\necho runs\n").chmod(0o755)
    desk.write("tools/text", "#!/bin/sh\n").chmod(0o644)
    assert desk.smalt(f"data create -n tools-{way} --version 1 --type uri_folder --path tools -o none").code == 0
    command = "${{inputs.t}}/run; [ -x ${{inputs.t}}/text ] || cp -r ${{inputs.t}} ${{outputs.o}}/t"
    ran = desk.job(
        f"command: {command}\n{HOST}inputs: {{t: {{type: uri_folder, path: 'azureml:tools-{way}:1'}}}}\n"
        "outputs: {o: {type: uri_folder}}\n",
        f"--name tools-{way}",
    )
    assert ran.lines == ["runs"], ran.err
    assert desk.smalt(f"job download --name tools-{way} --output-name o -p got").code == 0
    found = Path("got/named-outputs/o/t")
    assert [os.access(found / name, os.X_OK) for name in ("run", "text")] == [True, False]
    assert os.stat(found / "text").st_mode & 0o200


def test_the_execute_bit_makes_another_content(desk: Desk, way: str) -> None:
    """The same bytes registered without and with it, one after the other, are two contents."""
    for number, mode in enumerate((0o644, 0o755)):
        desk.write("tool/run", f"#!/bin/sh\necho {way}\n").chmod(mode)
        assert (
            desk.smalt(f"data create -n bit-{way} --version {number} --type uri_folder --path tool -o none").code == 0
        )
    command = "[ -x ${{inputs.a}}/run ] || ${{inputs.b}}/run"
    inputs = ", ".join(f"{name}: {{path: 'azureml:bit-{way}:{number}'}}" for number, name in enumerate("ab"))
    assert desk.log(f"command: '{command}'\n{HOST}inputs: {{{inputs}}}\n") == [way]


def test_where_there_is_nothing_to_download_nothing_is_made(desk: Desk, way: str) -> None:
    """A pipeline has no files of its own: the command says so and makes no folder; its steps have."""
    name = f"empty-{way}"
    text = "type: pipeline\njobs:\n  a: {command: echo hi, environment: azureml:host}\n"
    assert desk.job(text, f"--name {name}").code == 0
    ran = desk.smalt(f"job download --name {name} -p none")
    assert ran.code == 0
    assert "nothing was downloaded" in ran.err
    assert not Path("none").exists()
    assert desk.smalt(f"job download --name {name} -p none --all").code == 0
    assert [path.name for path in Path("none").iterdir()] == ["steps"]


def test_an_empty_output_is_nothing_to_download(desk: Desk, way: str) -> None:
    """Of an output without files the command says that there is nothing, and makes no folder."""
    assert desk.job(f"command: 'true'\n{FOLDER % ''}", f"--name hollow-{way}").code == 0
    ran = desk.smalt(f"job download --name hollow-{way} --output-name o -p none")
    assert ran.code == 1
    assert "there is nothing" in ran.err
    assert not Path("none").exists()
