"""Paths in commands are one word to a shell, whatever the data, its files, the project or the home is called."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import Desk
from tests.helpers import Server, running_server

HOST = "environment: azureml:host\n"
NAMES = ["my data", "a'b", 'a"b', "a$HOME", "a;b", "a&b", "a(b", "a|b", "a\nb", "-a b", "a`b", "a*", "été ça", "a\\b"]
WORDS = "command: python3 -c 'import sys; print(len(sys.argv)); print(open(sys.argv[1]).read())' %s\n" + HOST


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mode", ["ro_mount", "download", "direct", "rw_mount"])
def test_folders_of_any_name_are_one_word(desk: Desk, name: str, mode: str) -> None:
    """A local folder, in a folder of that name, read in every mode."""
    desk.write(f"{name}/{name}/a.csv", "here")
    inputs = f"inputs: {{d: {{type: uri_folder, path: {quoted(f'./{name}/{name}')}, mode: {mode}}}}}\n"
    assert desk.log(WORDS % "${{inputs.d}}/a.csv" + inputs) == ["2", "here"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mode", ["ro_mount", "download", "direct"])
def test_files_of_any_name_are_one_word(desk: Desk, name: str, mode: str) -> None:
    """A local file of that name keeps its ending."""
    desk.write(f"{name}.csv", "here")
    inputs = f"inputs: {{d: {{type: uri_file, path: {quoted(f'./{name}.csv')}, mode: {mode}}}}}\n"
    assert desk.log(WORDS % "${{inputs.d}}" + inputs) == ["2", "here"]
    assert desk.log(f"command: echo ${{{{inputs.d}}}}\n{HOST}{inputs}")[0].endswith(".csv")


def test_a_name_that_is_not_utf8_is_one_word(desk: Desk) -> None:
    """Bytes that are not text, in the name of a folder that a clean link leads to, and of a file in it."""
    odd = os.fsencode(desk.folder) + b"/\xff b"
    os.mkdir(odd)
    Path(os.fsdecode(odd), "a.csv").write_text("here")
    os.symlink(odd, desk.folder / "clean")
    inputs = "inputs: {d: {type: uri_folder, path: ./clean}}\n"
    assert desk.log(WORDS % "${{inputs.d}}/a.csv" + inputs) == ["2", "here"]


@pytest.mark.parametrize("mode", ["ro_mount", "download"])
def test_registered_data_of_any_name_is_one_word(desk: Desk, mode: str) -> None:
    """A folder and a file whose names have blanks, once registered; variables have the same path."""
    desk.write("my data/a.csv", "here")
    assert desk.smalt("data create -n folder --type uri_folder --path 'my data' -o none").code == 0
    assert desk.smalt("data create -n file --type uri_file --path 'my data/a.csv' -o none").code == 0
    inputs = f"inputs: {{d: {{type: uri_folder, path: azureml:folder@latest, mode: {mode}}}}}\n"
    assert desk.log(WORDS % "$AZURE_ML_INPUT_d/a.csv" + inputs) == ["2", "here"]
    inputs = f"inputs: {{d: {{type: uri_file, path: azureml:file@latest, mode: {mode}}}}}\n"
    assert desk.log(WORDS % "$AZURE_ML_INPUT_d" + inputs) == ["2", "here"]


def test_paths_that_are_clean_stay_as_they_are(desk: Desk) -> None:
    """A local folder is given by its own path."""
    desk.write("data-1/a.csv", "here")
    inputs = "inputs: {d: {type: uri_folder, path: ./data-1}}\n"
    assert desk.log(f"command: echo ${{{{inputs.d}}}}\n{HOST}{inputs}") == [f"{desk.folder}/data-1"]


OUTPUT_WAYS = {
    "written into": "echo x >{o}/x",
    "made again": "rm -rf {o}; mkdir {o}; echo x >{o}/x",
    "made a link": "rm -rf {o}; mkdir real; echo x >real/x; ln -s $PWD/real {o}",
}


@pytest.mark.parametrize("way", OUTPUT_WAYS)
@pytest.mark.parametrize("mode", ["rw_mount", "upload"])
def test_outputs_of_any_name_are_one_word(desk: Desk, way: str, mode: str) -> None:
    """An output whose path has blanks is where it was asked for, also where the job makes it anew."""
    place = f"azureml://datastores/workspaceblobstore/paths/out put/{list(OUTPUT_WAYS).index(way)} {mode}/"
    command = OUTPUT_WAYS[way].replace("{o}", "${{outputs.o}}")
    ran = desk.job(f"command: '{command}'\n{HOST}outputs: {{o: {{type: uri_folder, mode: {mode}, path: '{place}'}}}}\n")
    assert ran.code == 0, ran.err
    inputs = f"inputs: {{d: {{type: uri_folder, path: '{place}'}}}}\n"
    assert desk.log(WORDS % "${{inputs.d}}/x" + inputs) == ["2", "x", ""]


@pytest.mark.parametrize("command", ["echo x >{o}", "echo x >new; mv new {o}", "echo x >far; ln -s $PWD/far {o}"])
@pytest.mark.parametrize("mode", ["rw_mount", "upload"])
def test_a_file_that_is_an_output_of_any_name(desk: Desk, command: str, mode: str) -> None:
    """A file whose path has blanks, written, or put there by a rename or a link."""
    place = f"azureml://datastores/workspaceblobstore/paths/my files/{len(command)} {mode}.txt"
    command = command.replace("{o}", "${{outputs.o}}")
    if "ln" in command:
        command = f"rm -f ${{{{outputs.o}}}}; {command}"
    ran = desk.job(f"command: '{command}'\n{HOST}outputs: {{o: {{type: uri_file, mode: {mode}, path: '{place}'}}}}\n")
    assert ran.code == 0, ran.err
    inputs = f"inputs: {{d: {{type: uri_file, path: '{place}'}}}}\n"
    assert desk.log(WORDS % "${{inputs.d}}" + inputs) == ["2", "x", ""]


def test_tables_of_any_name_are_one_word(desk: Desk) -> None:
    """An MLTable's folder whose name has a blank."""
    desk.write("my table/MLTable", "paths:\n  - file: ./a.csv\ntransformations:\n  - read_delimited\n")
    desk.write("my table/a.csv", "here")
    inputs = "inputs: {d: {type: mltable, path: './my table'}}\n"
    assert desk.log(WORDS % "${{inputs.d}}/a.csv" + inputs) == ["2", "here"]


@pytest.fixture(scope="module")
def odd_server() -> Iterator[Server]:
    """A server whose home has blanks and more in its path."""
    with running_server(name="my home; $x") as server:
        yield server
    server.home.shell_safe_path.unlink()


def test_a_home_of_any_name(desk: Desk, odd_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Working folder, code, inputs of every kind, outputs and variables are one word each; a chain works."""
    monkeypatch.setenv("SMALT_HOME", str(odd_server.home.root))
    desk.write("src/t.py", "import os, sys\nprint(sys.argv[1:], ' ' in os.environ['PWD'])\n")
    desk.write("d/a.csv", "here")
    assert desk.smalt("data create -n kept --type uri_folder --path d -o none").code == 0
    ran = desk.job(
        """\
        type: pipeline
        jobs:
          a:
            command: cp ${{inputs.i}}/a.csv ${{outputs.o}} && cp $AZURE_ML_INPUT_i/a.csv $AZURE_ML_OUTPUT_o/b.csv
            environment: azureml:host
            inputs: {i: {type: uri_folder, path: "azureml:kept@latest"}}
            outputs: {o: {type: uri_folder}}
          b:
            command: python3 t.py $(ls ${{inputs.i}})
            code: ./src
            environment: azureml:host
            inputs: {i: "${{parent.jobs.a.outputs.o}}"}
        """,
        "--name odd",
    )
    assert ran.code == 0, ran.err
    assert "b | ['a.csv', 'b.csv'] False" in ran.lines
    assert desk.smalt("job download --name odd-a --all -p got").code == 0
    assert Path("got/named-outputs/o/a.csv").read_text() == "here"
