"""The pytest plugin, as users have it: pytest runs in a folder of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.helpers import LONGEST

DOCS = Path(__file__).parents[2] / "docs" / "testing.md"


class Project:
    """A user's project; `run` runs its tests, every warning an error."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.temporary = folder / "tmp"
        self.temporary.mkdir()

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))

    def run(self, *options: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", *options],
            cwd=self.folder,
            env={**os.environ, "TMPDIR": str(self.temporary), "SMALT_URL": "http://127.0.0.1:1/not-this-one"},
            capture_output=True,
            text=True,
            timeout=LONGEST,
        )
        return done.stdout + done.stderr

    def left(self) -> list[str]:
        """Command lines that name a folder of this run, and homes that are still there."""
        homes = [str(path) for path in self.temporary.glob("smalt-*")]
        lines = [_read_process(process) for process in Path("/proc").glob("[0-9]*")]
        return homes + [str(line) for line in lines if f"{self.temporary}/smalt-".encode() in line]


def _read_process(process: Path) -> bytes:
    """Return the command line and the environment of a process; nothing of one that has ended meanwhile."""
    try:
        return (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    except OSError:
        return b""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_the_page_s_example_passes_and_leaves_nothing(project: Project) -> None:
    """The example of docs/testing.md is a test that passes; no process and no folder outlives it."""
    for block in re.findall(r"(?:^    .*\n|^\n(?=\n*    ))+", DOCS.read_text(), re.MULTILINE):
        named = re.match(r"\s*# (\w+\.py)\n", block)
        if named:
            project.write(named[1], textwrap.dedent(block))
    project.write("samples/animals/cat.png", "")
    project.write("samples/animals/dog.png", "")
    said = project.run()
    assert "1 passed" in said, said
    assert project.left() == []


def test_workspaces_are_fresh(project: Project) -> None:
    """Each client is on a workspace without jobs, whatever the tests before left running, and nothing stays behind."""
    project.write(
        "test_fresh.py",
        """
        import pytest
        from smalt import command

        @pytest.mark.parametrize("number", range(6))
        def test_it(ml_client, number):
            assert list(ml_client.jobs.list()) == []
            ml_client.jobs.create_or_update(command(command="sleep 300", environment="azureml:host"))
        """,
    )
    said = project.run()
    assert "6 passed" in said, said
    assert project.left() == []


def test_a_programs_own_client_arrives_in_the_tests_workspace(project: Project) -> None:
    """Code under test that makes a client of its own, or calls the command line, finds the test's jobs."""
    project.write(
        "test_own.py",
        """
        import subprocess, sys
        from smalt import MLClient, command

        def test_it(ml_client):
            job = command(command="true", environment="azureml:host", display_name="mine")
            made = MLClient(object()).jobs.create_or_update(job)
            assert [each.name for each in ml_client.jobs.list()] == [made.name]
            ml_client.jobs.stream(made.name)
            asked = [sys.executable, "-m", "smalt", "job", "show", made.name, "--query", "status", "-o", "tsv"]
            assert subprocess.check_output(asked, text=True) == "Completed\\n"
        """,
    )
    said = project.run()
    assert "1 passed" in said, said


def test_uris_are_mapped_for_all_tests_or_for_one(project: Project) -> None:
    """`smalt_url_map` holds for the run; what `map_uri` maps is mapped no longer in the next test."""
    project.write(
        "pytest.ini",
        """
        [pytest]
        smalt_url_map =
            azureml://datastores/images/paths/ = samples
            https://example.org/a?b=c = samples/b.txt
        smalt_settings =
            cpus = 1
        """,
    )
    project.write("samples/a.txt", "from a\n")
    project.write("samples/b.txt", "from b\n")
    project.write(
        "test_maps.py",
        """
        import pytest
        from smalt import Input, command
        from smalt.exceptions import SmaltError

        def read(client, uri):
            inputs = {"file": Input(type="uri_file", path=uri)}
            job = command(command="cat ${{inputs.file}}", environment="azureml:host", inputs=inputs)
            client.jobs.stream(client.jobs.create_or_update(job).name)

        def test_all(ml_client, capsys):
            read(ml_client, "azureml://datastores/images/paths/a.txt")
            read(ml_client, "https://example.org/a?b=c")
            assert capsys.readouterr().out.count("from ") == 2
            assert ml_client.connection.get("/smalt/v1/config")["cpus"] == 1

        def test_one(ml_client, map_uri, capsys):
            map_uri("azureml:animals:3", "samples/b.txt")
            map_uri("azureml:animals@latest", "samples/a.txt")
            read(ml_client, "azureml:animals:3")
            read(ml_client, "azureml:animals@latest")
            out = capsys.readouterr().out
            assert "from b" in out and "from a" in out

        def test_next(ml_client):
            with pytest.raises(SmaltError, match="animals"):
                read(ml_client, "azureml:animals:3")

        def test_no_such_folder(map_uri):
            with pytest.raises(FileNotFoundError, match="cannot map azureml:x:1: there is no .*nowhere"):
                map_uri("azureml:x:1", "nowhere")
        """,
    )
    said = project.run()
    assert "4 passed" in said, said


def test_a_wrong_setting_is_one_sentence(project: Project) -> None:
    """A map to what is not there, and a setting that the server refuses, end with the sentence."""
    project.write("test_it.py", "def test_it(ml_client): pass\n")
    project.write("pytest.ini", "[pytest]\nsmalt_url_map = azureml:a:1 = nowhere\n")
    assert "azureml:a:1 is mapped to" in project.run()
    project.write("pytest.ini", "[pytest]\nsmalt_settings = cpus = none\n")
    assert "setting 'cpus' must be a number" in project.run()
    assert project.left() == []


def test_an_unused_plugin_loads_nothing(project: Project) -> None:
    """Tests that do not ask for a client pay for the import of one module."""
    project.write(
        "test_none.py",
        """
        import sys

        def test_it():
            loaded = {name for name in sys.modules if name.partition(".")[0] == "smalt"}
            assert loaded == {"smalt", "smalt._version", "smalt.pytest_plugin"}
        """,
    )
    said = project.run()
    assert "1 passed" in said, said
