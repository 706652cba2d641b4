"""The command line against a real server, engine and launcher."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers import LONGEST, temporary_server

from .conftest import smalt

HOST = "environment: azureml:host\n"
PIPELINE = """\
type: pipeline
display_name: two steps
jobs:
  first:
    type: command
    environment: azureml:host
    command: echo one; echo made > ${{outputs.made}}/file.txt
    outputs:
      made: {}
  second:
    type: command
    environment: azureml:host
    command: cat ${{inputs.made}}/file.txt; exit ${{inputs.code}}
    inputs:
      made: ${{parent.jobs.first.outputs.made}}
      code: ${{parent.inputs.code}}
inputs:
  code: 0
"""


@pytest.fixture(scope="module")
def shared() -> Iterator[Path]:
    """A home whose server the commands of all tests here share; the first of them starts it."""
    with temporary_server() as server:
        yield server.home.root


@pytest.fixture(autouse=True)
def home(shared: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home that is shared, in place of one for each test."""
    monkeypatch.setenv("SMALT_HOME", str(shared))
    monkeypatch.delenv("SMALT_URL", raising=False)
    return shared


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "job.yml"


def test_a_job_is_run_with_nothing_configured(file: Path) -> None:
    """The first command starts the server; standard output is the log and nothing else."""
    file.write_text(f"command: echo hello; echo trouble >&2\n{HOST}")
    ran = smalt("job", "create", "--file", str(file), "--stream")
    assert (ran.code, sorted(ran.out.splitlines())) == (0, ["hello", "trouble"])
    assert "Completed" in ran.err


def test_the_name_is_all_that_a_script_gets(file: Path) -> None:
    """`$(… --query name -o tsv)` works, with --name as well, and `show` tells of the job."""
    file.write_text(f"command: echo hello\n{HOST}")
    ran = smalt(
        "job", "create", "-f", str(file), "--name", "scripted", "--set", "tags.a=1", "--query", "name", "-o", "tsv"
    )
    assert (ran.code, ran.out, ran.err) == (0, "scripted\n", "")
    assert smalt("job", "stream", "scripted").out == "hello\n"
    shown = json.loads(smalt("job", "show", "-n", "scripted").out)
    assert (shown["name"], shown["status"], shown["type"]) == ("scripted", "Completed", "command")
    assert shown["tags"] == {"a": "1"}
    assert shown["creation_context"]["created_at"]


def test_a_pipeline_is_streamed_listed_and_downloaded(file: Path, tmp_path: Path) -> None:
    """Lines have their step before them, the children are listed, an output comes to the folder that is named."""
    file.write_text(PIPELINE)
    ran = smalt("job", "create", "-f", str(file), "-n", "pipe", "--stream")
    assert (ran.code, ran.out) == (0, "first | one\nsecond | made\n")
    assert ran.err.splitlines()[-1].endswith("(2 Completed)")
    again = smalt("job", "stream", "pipe")
    assert again.out == ran.out
    children = smalt("job", "list", "--parent-job-name", "pipe", "--query", "sort([].display_name)", "-o", "tsv")
    assert children.out == "first\nsecond\n"
    child = smalt("job", "list", "-p", "pipe", "--query", "[?display_name=='first'].name", "-o", "tsv").out.strip()
    assert smalt("job", "download", child, "--output-name", "made", "-p", str(tmp_path / "down")).code == 0
    assert (tmp_path / "down" / "named-outputs" / "made" / "file.txt").read_text() == "made\n"


def test_a_failure_is_explained_and_is_exit_code_1(file: Path) -> None:
    """The step, its exit code and the end of its log; with -o standard output has the result and not the log."""
    file.write_text(PIPELINE)
    ran = smalt("job", "create", "-f", str(file), "--set", "inputs.code=3", "-s", "--query", "status", "-o", "tsv")
    assert (ran.code, ran.out) == (1, "Failed\n")
    assert "second | made" in ran.err
    assert "error: step second failed: the command exited with code 3\n" in ran.err
    assert ran.err.count("made") == 1  # the log is in the same place, just above


def test_interrupting_the_stream_leaves_the_job(file: Path, tmp_path: Path) -> None:
    """Ctrl-C ends the following with a hint; the job continues to run until it is canceled."""
    stop = tmp_path / "stop"
    file.write_text(f"command: echo started; while [ ! -e {stop} ]; do sleep 0.05; done\n{HOST}")
    process = subprocess.Popen(
        [sys.executable, "-m", "smalt", "job", "create", "-f", str(file), "-n", "long", "-s"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=LONGEST)
    assert process.returncode == 130
    assert "smalt job stream long" in err
    assert "smalt job cancel long" in err
    assert smalt("job", "show", "long", "--query", "status", "-o", "tsv").out == "Running\n"
    assert smalt("server", "stop").code == 1
    assert smalt("job", "cancel", "long").err == "job long is Canceled\n"
    assert smalt("job", "stream", "long").code == 1


def test_jobs_are_archived_updated_and_restored(file: Path) -> None:
    """An archived job is in no list but that of the archived; an update changes what it names."""
    file.write_text(f"command: 'true'\n{HOST}")
    assert smalt("job", "create", "-f", str(file), "-n", "kept", "-s").code == 0
    assert smalt("job", "archive", "kept").code == 0
    names = ("--query", "[].name", "-o", "tsv")
    assert "kept" not in smalt("job", "list", *names).out.split()
    assert "kept" in smalt("job", "list", "--archived-only", *names).out.split()
    assert smalt("job", "restore", "--name", "kept").code == 0
    assert "kept" in smalt("job", "list", *names).out.split()
    assert smalt("job", "update", "kept", "--set", "display_name=Kept", "--query", "display_name").out == '"Kept"\n'


def test_assets_are_registered_shown_changed_and_listed(tmp_path: Path) -> None:
    """Data from options alone: the next version by itself, edits by --set and --remove."""
    (tmp_path / "rows.csv").write_text("a,b\n")
    create = ("data", "create", "--name", "rows", "--type", "uri_file", "--path", "rows.csv")
    version = ("--query", "version", "-o", "tsv")
    assert smalt(*create, "--tags", "x=1", "y=2", *version, cwd=tmp_path).out == "1\n"
    assert json.loads(smalt("data", "show", "rows:1", "--query", "tags").out) == {"x": "1", "y": "2"}
    edited = smalt("data", "update", "--name", "rows", "--version", "1", "--set", "description=d", "--remove", "tags.x")
    assert (json.loads(edited.out)["description"], json.loads(edited.out)["tags"]) == ("d", {"y": "2"})
    assert smalt("data", "list", "--name", "rows", "--query", "[].version", "-o", "tsv").out == "1\n"
    assert smalt("data", "archive", "rows").code == 0
    assert smalt("data", "list", "--query", "[].name", "-o", "tsv").out == ""


def test_a_datastore_takes_files_and_lists_them(tmp_path: Path) -> None:
    """What is uploaded is listed, by path and by URI."""
    (tmp_path / "rows.csv").write_text("a,b\n")
    assert smalt("datastore", "upload", str(tmp_path / "rows.csv"), "in/rows.csv").code == 0
    listed = smalt(
        "datastore", "ls", "azureml://datastores/workspaceblobstore/paths/in", "--query", "[].[path,size]", "-o", "tsv"
    )
    assert listed.out == "in/rows.csv\t4\n"


def test_computes_are_names() -> None:
    """The `az ml compute` idiom of create, query and delete works."""
    size = ("--type", "amlcompute", "--min-instances", "0", "--max-instances", "4")
    assert json.loads(smalt("compute", "create", "--name", "cpu", *size).out)["max_instances"] == 4
    listed = ("compute", "list", "--type", "amlcompute", "-o", "tsv", "--query", "[?name=='cpu'][name]")
    assert smalt(*listed).out == "cpu\n"
    assert smalt("compute", "delete", "--name", "cpu", "--yes").code == 0
    assert smalt(*listed).out == ""


def test_settings_are_set_shown_and_unset(tmp_path: Path) -> None:
    """A mapping takes PREFIX=FOLDER, the folder made absolute; a wrong value is one sentence."""
    ran = smalt("config", "set", "url-map", "https://example.org/=mirror", cwd=tmp_path)
    assert json.loads(ran.out) == {"url-map": {"https://example.org/": str(tmp_path / "mirror")}}
    assert json.loads(smalt("config", "unset", "url-map", "https://example.org/").out) == {"url-map": {}}
    wrong = smalt("config", "set", "idle-minutes", "soon")
    assert (wrong.code, wrong.out) == (2, "")
    assert wrong.err.startswith("error: setting 'idle-minutes' must be a number")
    assert "there is no setting 'colour'" in smalt("config", "get", "colour").err


def test_what_does_not_exist_is_one_sentence() -> None:
    """Exit code 1, nothing on standard output, one line of error."""
    ran = smalt("job", "show", "absent")
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert ran.err.startswith("error: there is no job 'absent'")
