"""Parts 3 and 8: what is done with jobs, by the command line and by REST."""

from __future__ import annotations

import subprocess
import sys

import pytest

from smalt.service.api.studio.pages import explain_missing_pages
from tests.acceptance.conftest import Desk
from tests.helpers import LONGEST, host_job

HELLO = "command: echo hello\nenvironment: azureml:host\n"


def route(desk: Desk, name: str) -> str:
    """The path of a job in REST."""
    return desk.ask(f"job show {name} --query id")


def test_create_prints_the_job_and_nothing_else(desk: Desk) -> None:
    """JSON by default in a pipe; --query and -o as in `az`."""
    file = desk.write("job.yml", HELLO)
    created = desk.smalt(f"job create --file {file} --name printed --set tags.a=b experiment_name=tried")
    assert created.json["name"] == "printed"
    assert created.json["tags"] == {"a": "b"}
    assert created.json["experiment_name"] == "tried"
    assert created.json["status"] in {"NotStarted", "Preparing", "Queued", "Starting", "Running", "Completed"}
    assert desk.smalt("job stream printed").code == 0
    assert desk.smalt("job list --query '[0].[name, status]|[@]' -o tsv").out == "printed\tCompleted\n"
    assert desk.smalt("job show printed -o none").out == ""
    assert "name: printed" in desk.smalt("job show printed -o yaml").lines
    assert "printed" in desk.smalt("job show printed -o table").out
    assert desk.smalt("job show printed --query nothing.at.all -o tsv").out == ""
    assert desk.smalt("job show printed -w default --query name -o tsv").code == 0


def test_the_loop_of_run_job_sh(desk: Desk) -> None:
    """create --query name -o tsv; show --query status until it is over; show --query services.Studio.endpoint."""
    file = desk.write("job.yml", HELLO)
    name = desk.ask(f"job create -f {file} --query name")
    assert desk.smalt(f"job stream -n {name}").out == "hello\n"
    assert desk.ask(f"job show -n {name} --query status") == "Completed"
    assert desk.ask(f"job show -n {name} --query services.Studio.endpoint").endswith(f"/studio/default/jobs/{name}")
    opened = desk.smalt(f"job create -f {file} --web --query name -o tsv")
    # Without Node a checkout has no pages: then the command says how to build them.
    assert (explain_missing_pages() or f"/jobs/{opened.out.strip()}#code=") in opened.err


def test_stream_after_the_end(desk: Desk) -> None:
    """The whole log, again and again, and the exit code of the job's end."""
    desk.job(HELLO, "--name ended")
    assert [desk.smalt("job stream ended").out for _ in range(2)] == ["hello\n"] * 2
    desk.job("command: echo bad; exit 2\nenvironment: azureml:host\n", "--name failed")
    ran = desk.smalt("job stream failed")
    assert (ran.code, ran.out) == (1, "bad\n")
    assert "code 2" in ran.err


def test_archive_restore_update_and_list(desk: Desk) -> None:
    """An archived job is in no list but those that ask for it; an update changes names, tags and descriptions."""
    desk.job(HELLO, "--name listed")
    names = "--query [].name"
    assert "listed" in desk.ask(f"job list {names}").split()
    assert desk.smalt("job archive -n listed").code == 0
    assert "listed" not in desk.ask(f"job list {names}").split()
    assert "listed" in desk.ask(f"job list --archived-only {names}").split()
    assert "listed" in desk.ask(f"job list --include-archived {names}").split()
    assert desk.smalt("job restore listed").code == 0
    assert desk.smalt("job update -n listed --set tags.k=v display_name=New description=d").code == 0
    shown = desk.smalt("job show listed").json
    assert (shown["tags"], shown["display_name"], shown["description"]) == ({"k": "v"}, "New", "d")
    assert desk.ask(f"job list --max-results 1 {names}").split() == desk.ask(f"job list {names}").split()[:1]


PIPELINE = """
    type: pipeline
    name: loads
    outputs: {result: {type: uri_folder}, single: {type: uri_file}}
    jobs:
      make:
        command: echo r > ${{outputs.r}}/r; echo s > ${{outputs.s}}; echo a > outputs/a
        outputs: {r: "${{parent.outputs.result}}", s: "${{parent.outputs.single}}"}
        environment: azureml:host
"""


def test_download(desk: Desk) -> None:
    """By default the artifacts; one output by name; with --all both; into the folder that is named, or this one."""
    desk.log(PIPELINE)
    child = desk.ask("job list --parent-job-name loads --query [0].name")
    assert desk.smalt("job download --name loads").code == 0
    assert desk.smalt(f"job download --name {child} --download-path default").code == 0
    assert (desk.folder / "default/artifacts/outputs/a").read_text() == "a\n"
    assert not (desk.folder / "default/named-outputs").exists()
    assert desk.smalt("job download -n loads --output-name result -p one").code == 0
    assert (desk.folder / "one/named-outputs/result/r").read_text() == "r\n"
    assert not (desk.folder / "one/artifacts").exists()
    assert desk.smalt("job download -n loads --all -p all").code == 0
    assert (desk.folder / "all/named-outputs/result/r").exists()
    assert [path.read_text() for path in (desk.folder / "all/named-outputs/single").iterdir()] == ["s\n"]
    wrong = desk.smalt("job download -n loads --output-name resutl")
    assert (wrong.code, len(wrong.err.splitlines())) == (1, 1)
    assert "result" in wrong.err


def test_cancel(desk: Desk) -> None:
    """A pipeline's running step ends, and what waits never starts; a second cancel is not an error."""
    file = desk.write(
        "job.yml",
        """
        type: pipeline
        jobs:
          long: {command: sleep 600, outputs: {o: }, environment: azureml:host}
          next: {command: "true", inputs: {i: "${{parent.jobs.long.outputs.o}}"}, environment: azureml:host}
        """,
    )
    assert desk.smalt(f"job create -f {file} --name stopped").code == 0
    assert desk.smalt("job cancel -n stopped").code == 0
    assert desk.ask("job show stopped --query status") == "Canceled"
    states = desk.ask("job list -p stopped --query [].status").split()
    assert states == ["Canceled", "Canceled"]
    assert desk.smalt("job cancel -n stopped").code == 0
    assert desk.smalt("job stream stopped").code == 1


def test_validate_does_only_that(desk: Desk) -> None:
    """Exit code 0 for a good file, 2 with all places for a bad one; no job is made."""
    good = desk.write("good.yml", HELLO)
    assert desk.smalt(f"job validate --file {good} --name validated").code == 0
    assert desk.smalt("job show validated").code == 1
    bad = desk.write("bad.yml", "comand: x\nenvironment: 3\nlimits: {timeout: soon}\n")
    ran = desk.smalt(f"job validate --file {bad}")
    assert (ran.code, ran.out) == (2, "")
    assert "bad.yml:1:1: unknown key 'comand' in a command job; did you mean 'command'?" in ran.err
    assert "bad.yml:2:" in ran.err
    assert "bad.yml:3:" in ran.err


def test_the_same_put_is_the_same_job_and_another_is_a_conflict(desk: Desk) -> None:
    """By REST: 201, then 200 with the same body, 409 in ARM's shape with another."""
    desk.job(HELLO, "--name first")
    path = route(desk, "first").rpartition("/")[0] + "/put"
    ask = desk.server.ask
    assert ask("PUT", path, host_job("echo a")).status == 201
    assert ask("PUT", path, host_job("echo a")).status == 200
    refused = ask("PUT", path, host_job("echo b"))
    assert (refused.status, refused.body["error"]["code"]) == (409, "Conflict")
    assert "another name" in refused.body["error"]["message"]
    file = desk.write("job.yml", HELLO)
    assert desk.smalt(f"job create -f {file} -n first").code == 0
    ran = desk.smalt(f"job create -f {file} -n first --set command='echo other'")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 1)


def test_rest_over_the_port_needs_the_token(desk: Desk) -> None:
    """401 in ARM's shape without it or with a wrong one; with it jobs are listed."""
    desk.job(HELLO, "--name ported")
    path = route(desk, "ported")
    assert desk.server.ask_tcp("GET", path, token=None).status == 401
    assert desk.server.ask_tcp("GET", path, token="wrong").status == 401
    assert desk.server.ask_tcp("GET", path).body["properties"]["status"] == "Completed"
    absent = desk.server.ask_tcp("GET", f"{path}x")
    assert (absent.status, absent.body["error"]["code"]) == (404, "NotFound")


def test_run_history(desk: Desk) -> None:
    """The run with its status, and its details with links to the logs that can be read."""
    desk.job(HELLO, "--name historic --set experiment_name=exp")
    path = route(desk, "historic").rpartition("/jobs/")[0]
    run = desk.server.ask("GET", f"/history/v1.0{path}/experiments/exp/runs/historic").body
    assert (run["runId"], run["status"]) == ("historic", "Completed")
    details = desk.server.ask("GET", f"/history/v1.0{path}/experiments/exp/runs/historic/details").body
    assert "user_logs/std_log.txt" in details["logFiles"]


def test_prune(desk: Desk) -> None:
    """--dry-run tells and frees nothing; for real the old jobs' files go and the jobs stay known or not, in order."""
    desk.job("command: head -c 100000 /dev/zero > outputs/zeros\nenvironment: azureml:host\n", "--name old")
    told = desk.smalt("prune --older-than 0s --dry-run -o json")
    assert told.code == 0, told.err
    assert told.json["freed"] > 0
    assert desk.smalt("job download old -p before").code == 0
    assert (desk.folder / "before/artifacts/outputs/zeros").stat().st_size == 100000
    pruned = desk.smalt("prune --older-than 0s --yes -o json")
    assert pruned.code == 0, pruned.err
    assert pruned.json["freed"] > 0
    assert desk.log(HELLO) == ["hello"]
    assert desk.smalt("prune --older-than soon").code == 2


def test_the_process_that_users_start(desk: Desk) -> None:
    """`python -m smalt` with pipes: the name alone on standard output, nothing on standard error."""
    desk.write("job.yml", HELLO)
    command = [
        sys.executable,
        "-m",
        "smalt",
        "job",
        "create",
        "-f",
        "job.yml",
        "--query",
        "name",
        "-o",
        "tsv",
        "-n",
        "own",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "own\n", "")


ERRORS = {
    "an unknown job": ("job show absent", 1, "there is no job 'absent'"),
    "an unknown verb": ("job crate", 2, "create"),
    "an unknown option": ("job create --flie x", 2, "--file"),
    "no file": ("job create --file absent.yml", 2, "absent.yml"),
    "an unknown format": ("job list -o xml", 2, "xml"),
    "a wrong query": ("job list --query [", 2, "query"),
    "an unknown setting": ("config set colour red", 2, "colour"),
    "an unknown asset": ("data show absent:1", 1, "absent"),
    "an unknown datastore": ("datastore ls azureml://datastores/absent/paths/x", 1, "absent"),
}


@pytest.mark.parametrize("what", ERRORS)
def test_errors_are_sentences(desk: Desk, what: str) -> None:
    """Exit code, nothing on standard output, no traceback, and what to look for."""
    command, code, words = ERRORS[what]
    ran = desk.smalt(command)
    assert (ran.code, ran.out) == (code, ""), ran
    assert words in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    "text", ["", "- a\n", "a: [\n", "\t\n", "type: 7\n", "&a [*a]\n", "command: \0\n", "jobs: 1\n"]
)
def test_bad_files_are_sentences(desk: Desk, text: str) -> None:
    """Whatever is in a file, it is answered with its place, exit code 2."""
    ran = desk.job(text)
    assert (ran.code, ran.out) == (2, "")
    assert "job.yml" in ran.err
    assert "Traceback" not in ran.err
