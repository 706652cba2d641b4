from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from smalt.cli import app
from smalt.cli.framework import suggestions
from smalt.cli.framework.verb import Noun
from tests.helpers import LONGEST

from .conftest import Ran, smalt

Call = Callable[..., Ran]

HEAVY = (
    "rich",
    "jmespath",
    "yaml",
    "starlette",
    "uvicorn",
    "sqlite3",
    "asyncio",
    "http.client",
    "email",
    "smalt.service",
)
JOB = "command: echo hi\nenvironment:\n  image: python:3.11\n"


def loaded(code: str) -> set[str]:
    """The modules that are loaded after `code`, in a process of its own."""
    script = f"{code}\nimport sys; print('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=LONGEST, check=True)
    return set(done.stderr.split())


def test_help_loads_next_to_nothing() -> None:
    """`smalt --help` imports no noun, no YAML, no server."""
    modules = loaded(
        "from smalt.cli import app\nfrom smalt.cli.framework import failure\n"
        "assert failure.run_guarded(app.smalt, ['--help']) == 0\nimport sys"
    )
    assert not modules & set(HEAVY)
    assert not modules & {f"smalt.cli.commands.{noun}" for noun in app.NOUNS}


def test_job_create_loads_no_rich_and_no_server() -> None:
    """The path of `smalt job create` up to the client is light."""
    modules = loaded(
        "import smalt.cli.commands.job, smalt.cli.jobs.stream, smalt.cli.jobs.log_output"
        ", smalt.cli.framework.documents, smalt.yaml"
    )
    assert not modules & (set(HEAVY) - {"yaml"})


@pytest.mark.parametrize("noun", app.NOUNS)
def test_every_noun_and_verb_has_help(noun: str, call: Call) -> None:
    """Each noun is listed with what its module says, and each verb explains itself."""
    ran = call(noun, "--help")
    assert ran.code == 0
    assert ran.out.startswith(f"Usage: smalt {noun}")
    command = app.smalt.get_command(app.smalt.make_context("smalt", ["--help"], resilient_parsing=True), noun)
    if isinstance(command, Noun):
        assert (command.help or "") == app.NOUNS[noun]
        for verb in command.commands.values():
            assert verb.hidden or verb.help, f"{noun} {verb.name} has no help"


def test_nothing_at_all_is_a_call_for_help(call: Call) -> None:
    """`smalt` and `smalt job` alone print their help."""
    assert call().out == call("--help").out
    assert call("job").out == call("job", "--help").out


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("jbo", "unknown command 'jbo'; did you mean 'smalt job'? See smalt --help."),
        ("job craete", "unknown command 'craete'; did you mean 'smalt job create'? See smalt job --help."),
        ("jobs", "unknown command 'jobs'; did you mean 'smalt job'? See smalt --help."),
        ("ml job create -f job.yml", "leave out 'ml': smalt job create -f job.yml"),
        ("az ml job list", "leave out 'az ml': smalt job list"),
        ("ml", "leave out 'ml': smalt --help"),
        ("ps", "did you mean 'smalt job list'?"),
        ("logs my_job", "did you mean 'smalt job stream my_job'?"),
        ("status", "did you mean 'smalt server status'?"),
        ("status my_job", "did you mean 'smalt job show my_job'?"),
        ("run job.yml", "did you mean 'smalt job create --stream --file job.yml'?"),
        ("job logs my_job", "did you mean 'smalt job stream my_job'?"),
        ("job ps", "did you mean 'smalt job list'?"),
        ("data get d", "did you mean 'smalt data show d'?"),
        ("secret rm s", "did you mean 'smalt secret delete s'?"),
        ("frobnicate", "unknown command 'frobnicate'; smalt --help lists the commands"),
        ("job show", "say which one: smalt job show NAME"),
        ("job show a --name b", "two names are given, 'b' and 'a'; give one"),
        ("job create", "say which file describes the job: smalt job create --file job.yml"),
        ("job show a --frobnicate", "no such option '--frobnicate'"),
        ("job show a -o xml", "'xml' is not one of"),
        ("job list --archived-only --include-archived", "exclude each other"),
        ("feature-store create -f x --no-wait", "smalt has no feature stores yet"),
        ("model package -n x -v 1 --file p.yml", "smalt does not package models"),
        (
            "workspace delete w",
            "delete the workspace w and all that is in it? there is no terminal to ask at; add --yes to confirm",
        ),
        ("prune --older-than soon", "'soon' is not an age"),
    ],
)
def test_usage_errors_are_one_sentence(line: str, sentence: str, call: Call) -> None:
    """What cannot be understood ends with one line on standard error and exit code 2."""
    ran = call(*line.split())
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: ")
    assert sentence in ran.err
    assert ran.err.count("\n") == 1


def test_every_guess_is_a_command(call: Call) -> None:
    """What a guess writes is there: the noun, the verb and the options that it names."""
    for words in suggestions._COMMANDS.values():
        assert call(*words.split()[:2], "--help").code == 0, words
    for verb in suggestions._OF_A_JOB.values():
        assert call("job", verb, "--help").code == 0


def test_the_help_shows_groups_and_examples(call: Call) -> None:
    """The everyday nouns come first, and two examples last; each noun is in one group."""
    text = call("--help").out
    titles = [line.rstrip(":") for line in text.splitlines() if line.rstrip(":") in app.GROUPS]
    assert titles == list(app.GROUPS)
    assert text.index("\n  job ") < text.index("\n  datastore ")
    assert sum(map(len, app.GROUPS.values())) == len(app.NOUNS)
    assert [line.strip().split("  ")[0] for line in text.splitlines()[-2:]] == [
        "smalt job create --file job.yml --stream", "smalt python submit.py",
    ]  # fmt: skip


def test_a_job_is_deleted_by_name(tmp_path: Path) -> None:
    """`job delete` asks, refuses a job that runs, and a deleted job is not there."""
    (tmp_path / "job.yml").write_text("type: command\ncommand: 'true'\nenvironment: azureml:host@latest\n")
    assert smalt("job", "create", "--file", "job.yml", "--name", "j", "--stream", cwd=tmp_path).code == 0
    asked = smalt("job", "delete", "j")
    assert (asked.code, "add --yes to confirm" in asked.err) == (2, True)
    assert smalt("job", "delete", "j", "--yes").err == "deleted job j\n"
    assert smalt("job", "delete", "j", "--yes").err == "error: there is no job 'j' in workspace 'default'\n"


@pytest.mark.parametrize(
    "line",
    [
        ["job", "show", "--name", ""], ["job", "show", ""], ["data", "show", "-n", ""],
        ["job", "create", "--file", "job.yml", "--name", ""], ["job", "create", "--file", ""],
        ["job", "create", "--file", "job.yml", "--set", "name="], ["job", "list", "-w", ""],
        ["data", "create", "--name", "d", "--path", ".", "--version", ""],
        ["data", "create", "--path", ".", "--set", "name=d", "version="],
        ["data", "show", "--name", "d", "--version", ""], ["data", "show", "--name", "d", "--label", ""],
        ["online-endpoint", "create", "--name", "", "--auth-mode", "key"],
    ],
)  # fmt: skip
def test_an_unset_variable_of_the_shell_is_refused(line: list[str], call: Call) -> None:
    """It does not mean what the option means when it is left out: the newest, the default, a name that is made up."""
    ran = call(*line)
    assert (ran.code, ran.out) == (2, "")
    assert "; is a variable of the shell unset?" in ran.err


KINDS = ["job", "data", "model", "environment", "component", "datastore", "compute", "schedule", "online-endpoint"]


@pytest.mark.parametrize("noun", KINDS)
@pytest.mark.parametrize("name", ["has blank", "a/b", "..", "a?b=c", "ä", "x" * 256])
def test_what_cannot_be_a_name_is_one_sentence(noun: str, name: str, call: Call) -> None:
    """Nothing is asked of the server, whose path would mean something else."""
    ran = call(noun, "show", "--name", name)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: '{name[:100]}' is not a valid ")
    assert f" name; use at most {250 if noun == 'job' else 255} letters, digits, " in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    "verb",
    [
        "job stream", "job cancel", "job download", "job export", "job debug", "job lineage", "job snapshot",
        "job metrics", "job explain-reuse", "job archive", "data lineage", "data archive", "model download -v 1",
        "registry show", "online-endpoint delete -y", "batch-deployment show -e e",
    ],
)  # fmt: skip
def test_no_verb_takes_what_cannot_be_a_name(verb: str, call: Call) -> None:
    """Whichever route of the server the verb asks."""
    ran = call(*verb.split(), "--name", "a/b")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: 'a/b' is not a valid ")


@pytest.mark.parametrize("noun", ["data", "model", "environment", "component"])
def test_what_cannot_be_a_name_or_version_is_not_created(noun: str, call: Call, tmp_path: Path) -> None:
    """Registered assets of every kind; a label is not a version."""
    (tmp_path / "f").write_text("x")
    texts = {
        "data": f"path: {tmp_path}/f\ntype: uri_file\n", "model": f"path: {tmp_path}/f\n", "environment": "image: x\n",
        "component": "type: command\ncommand: echo a\nenvironment: azureml:host\n",
    }  # fmt: skip
    file = tmp_path / "file.yml"

    def create(name: str, version: str | None) -> Ran:
        told = f"version: {json.dumps(version)}\n" if version else ""
        file.write_text(f"name: {json.dumps(name)}\n{told}{texts[noun]}")
        return call(noun, "create", "--file", str(file))

    for name in ("has blank", "a/b"):
        ran = create(name, None)
        assert ran.code == 2
        assert f"'{name}' is not a valid {'data asset' if noun == 'data' else noun} name; use" in ran.err
    assert "'a b' is not a valid version; use" in create("good", "a b").err
    assert "'latest' is a label, which moves from version to version" in create("good", "latest").err


def test_validate_needs_no_server(call: Call, tmp_path: Path, home: Path) -> None:
    """With --local a good file: JSON on standard output, exit code 0, and no home is made."""
    file = tmp_path / "job.yml"
    file.write_text(JOB)
    ran = call("job", "validate", "--local", "--file", str(file))
    assert (ran.code, ran.err) == (0, f"{file}: ok\n")
    assert json.loads(ran.out) == {"result": "Succeeded", "errors": [], "warnings": []}
    assert call("job", "validate", str(file), "--local", "--query", "result", "-o", "tsv").out == "Succeeded\n"
    assert not home.exists()


def test_validation_errors_stand_at_their_place(call: Call, tmp_path: Path) -> None:
    """Each problem is one line `file:line:col: message`, all in one run, exit code 2."""
    file = tmp_path / "job.yml"
    file.write_text(JOB.replace("command", "comand") + "inputs:\n  x:\n    type: uri_foldr\n")
    ran = call("job", "validate", "--file", str(file))
    assert (ran.code, ran.out) == (2, "")
    lines = ran.err.splitlines()
    assert lines[0] == f"{file}:1:1: unknown key 'comand' in a command job; did you mean 'command'?"
    assert len(lines) == 2
    assert lines[1].startswith(f"{file}:6:11: ")


def test_local_data_that_is_missing_is_told_at_its_place(call: Call, tmp_path: Path) -> None:
    """Of a pipeline, its steps and a component's default: all at once, by validate and create alike; not of outputs."""
    (tmp_path / "there.csv").write_text("1")
    (tmp_path / "part.yml").write_text(
        "name: part\ntype: command\ncommand: cat ${{inputs.a}} ${{inputs.b}}\nenvironment: azureml:host\n"
        "inputs:\n  a:\n    type: uri_file\n    default: ./lost.csv\n  b: {type: uri_file, default: there.csv}\n"
    )
    pipe = tmp_path / "pipe.yml"
    pipe.write_text(
        "type: pipeline\ninputs:\n  x:\n    type: uri_folder\n    path: ./gone\n"
        "  ok: {type: uri_file, path: there.csv}\n"
        "jobs:\n  one:\n    component: ./part.yml\n    inputs:\n      b: {type: uri_file, path: gone.csv}\n"
        "outputs:\n  y: {type: uri_folder, path: ./made/later}\n"
    )
    for verb in ("validate", "create"):
        ran = call("job", verb, "--file", str(pipe))
        assert ran.code == 2
        assert ran.err.replace(f"{tmp_path}/", "").splitlines() == [
            "pipe.yml:5:11: there is no file or folder 'gone'",
            "pipe.yml:11:33: there is no file or folder 'gone.csv'",
            "part.yml:8:14: there is no file or folder 'lost.csv'",
        ]


@pytest.mark.parametrize("noun", ["data", "model"])
def test_an_asset_whose_path_is_missing_is_told_at_its_place(noun: str, call: Call, tmp_path: Path) -> None:
    """From a file with its line; from the options as one sentence."""
    (tmp_path / "asset.yml").write_text("name: lost\npath: ./gone\n")
    ran = call(noun, "create", "--file", str(tmp_path / "asset.yml"))
    assert (ran.code, ran.err) == (2, f"{tmp_path}/asset.yml:2:7: there is no file or folder '{tmp_path}/gone'\n")
    ran = call(noun, "create", "--name", "lost", "--path", f"{tmp_path}/gone")
    assert (ran.code, ran.err) == (2, f"error: there is no file or folder '{tmp_path}/gone'\n")


def test_set_is_validated_like_the_file(call: Call, tmp_path: Path) -> None:
    """A wrong --set is told by its key."""
    file = tmp_path / "job.yml"
    file.write_text(JOB)
    ran = call("job", "validate", "-f", str(file), "--set", "display_name=x", "resources.instance_cuont=2")
    assert ran.code == 2
    assert "--set resources.instance_cuont" in ran.err


def test_a_missing_file_is_one_sentence(call: Call) -> None:
    """The file and the reason are named."""
    ran = call("job", "create", "--file", "absent.yml")
    assert (ran.code, ran.err) == (2, "error: absent.yml: cannot be read: No such file or directory\n")


def test_a_fault_of_smalt_is_told_without_a_traceback(monkeypatch: pytest.MonkeyPatch, call: Call, home: Path) -> None:
    """What nobody foresaw is one sentence; the details are in a file of the home, or shown with SMALT_DEBUG."""
    monkeypatch.setattr("smalt.cli.framework.documents.read_document", lambda *_: 1 / 0)
    ran = call("job", "validate", "-f", "x.yml")
    assert ran.code == 1
    assert ran.err == (
        f"error: smalt failed unexpectedly (ZeroDivisionError: division by zero); the details are in {home}/cli.log\n"
    )
    assert "Traceback" in (home / "cli.log").read_text()
    monkeypatch.setenv("SMALT_DEBUG", "1")
    assert "Traceback" in call("job", "validate", "-f", "x.yml").err


def test_the_command_is_installed_as_smalt() -> None:
    """`python -m smalt` and `smalt` are one; the version is the package's."""
    from smalt import __version__

    assert smalt("--version") == Ran(0, f"smalt {__version__}\n", "")


def test_a_reader_that_goes_away_is_no_error() -> None:
    """`smalt … | head -1` ends quietly."""
    script = f"{sys.executable} -m smalt schema job | head -c 1"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=LONGEST)
    assert (done.stdout, done.stderr) == ("{", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_each_shell(shell: str, call: Call) -> None:
    """The script asks smalt itself for completions."""
    assert "_SMALT_COMPLETE" in call("completion", shell).out
