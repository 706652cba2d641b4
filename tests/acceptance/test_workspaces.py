"""Which workspace is meant, by whom, and what makes and deletes one."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from smalt import MLClient
from smalt.cli.commands.exec import install_az
from smalt.client.scope.command_hints import add_workspace_options
from smalt.client.scope.workspace_choice import choose_workspace, format_options
from smalt.exceptions import NotFound
from smalt.machine.home import Home
from smalt.service.records import deletions
from smalt.service.records import workspaces as records
from smalt.service.records.database import Database
from tests.acceptance.conftest import Desk
from tests.helpers import LONGEST, WORKSPACE, Server, begin_long_job, eventually, host_job

SMALT = (sys.executable, "-m", "smalt")
CONFIG = '{"subscription_id": "s", "resource_group": "rg-config", "workspace_name": "ws-config"}'
PROGRAM = """
from azure.ai.ml import MLClient
from azure.identity import DefaultAzureCredential
c = MLClient.from_config(DefaultAzureCredential())
print(c.workspace_name, [d.name for d in c.data.list()])
"""


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LONGEST, check=False)


def names(desk: Desk) -> set[str]:
    return {one["name"] for one in desk.smalt("workspace list").json}


@pytest.fixture(autouse=True)
def nothing_configured(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test configures for the home is gone when it ends."""
    for part in ("SUBSCRIPTION", "RESOURCEGROUP", "WORKSPACE_NAME"):
        monkeypatch.delenv(f"AZUREML_ARM_{part}", raising=False)
    yield
    desk.server.home.path("programs/az.json").unlink(missing_ok=True)
    desk.smalt("config unset defaults")


def test_the_workspace_of_az_configure_is_everyones(desk: Desk) -> None:
    """A script under `smalt exec` configures it; its own `az`, a program and the command line mean it."""
    desk.write(
        "setup.sh",
        """
        az configure --defaults group=rg-x workspace=ws-x
        az ml workspace create --name ws-x -o none
        az ml data create --name d --type uri_folder --path . -o none
        """,
    )
    desk.write("prog.py", PROGRAM)
    assert run(*SMALT, "exec", "--", "bash", "-e", "setup.sh").returncode == 0
    assert run(*SMALT, "python", "prog.py").stdout == "ws-x ['d']\n"
    assert [one["name"] for one in desk.smalt("data list").json] == ["d"]
    assert desk.ask("workspace show --query resource_group") == "rg-x"


def test_the_first_to_name_it_decides_and_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each source goes before those below it, for commands, programs and `smalt exec` alike; `show` says which."""
    for name, group in (("ws-home", "rg-home"), ("ws-az", "rg-az"), ("ws-env", "rg-env"), ("ws-flag", "rg-flag")):
        assert desk.smalt(f"workspace create --name {name} -g {group}").code == 0
    assert desk.smalt("workspace create --name ws-config -g rg-config --subscription s").code == 0
    az = str(Path(install_az(desk.server.home)) / "az")
    expected = [("default", "smalt's default")]

    def check(flags: str = "") -> None:
        name, why = expected[-1]
        shown = desk.smalt(f"workspace show {flags}").json
        assert (shown["name"], shown["chosen_by"]) == (name, why)
        script = 'import os; print(os.environ["AZUREML_ARM_WORKSPACE_NAME"])'
        led = run(*SMALT, "exec", *shlex.split(flags), "--", sys.executable, "-c", script)
        assert led.stdout == f"{name}\n"
        if not flags:
            assert (
                run(*SMALT, "python", "-c", "import smalt; print(smalt.MLClient().workspace_name)").stdout
                == f"{name}\n"
            )
            assert run(az, "ml", "workspace", "show", "--query", "name", "-o", "tsv").stdout == f"{name}\n"

    check()
    desk.smalt("config set defaults group=rg-home")
    desk.smalt("config set defaults workspace=ws-home")
    expected.append(("ws-home", "the home's default (the setting 'defaults')"))
    check()
    assert run(az, "configure", "--defaults", "group=rg-az", "workspace=ws-az").returncode == 0
    expected.append(("ws-az", "named by 'az configure --defaults'"))
    check()
    config = desk.write(".azureml/config.json", CONFIG)
    (desk.folder / "below").mkdir()
    monkeypatch.chdir(desk.folder / "below")
    expected.append(("ws-config", f"named by {config}"))
    check()
    monkeypatch.setenv("AZUREML_ARM_WORKSPACE_NAME", "ws-env")
    expected.append(("ws-env", "named by AZUREML_ARM_WORKSPACE_NAME"))
    check()
    expected.append(("ws-flag", "named on the command line"))
    check("-w ws-flag")


def test_a_config_json_of_something_else_names_no_workspace(desk: Desk) -> None:
    """Models have a config.json, too; one above it may be the workspace's."""
    desk.write("config.json", '{"architectures": ["BertModel"]}')
    assert desk.ask("workspace show --query name") == "default"


WRONG_CONFIGS = [
    (CONFIG.replace('"}', '",}'), "{file}:1:{end}: this workspace configuration is not valid JSON"),
    (CONFIG[:60], "{file}:1:57: this workspace configuration is not valid JSON"),
    (CONFIG.replace('"', "'"), "{file}:1:2: this workspace configuration is not valid JSON"),
    (f"[{CONFIG}]", "{file}:1:1: this is not a workspace configuration but a list"),
    ('"ws-config"', "{file}:1:1: this is not a workspace configuration but a single value"),
    (CONFIG.replace("workspace_name", "workspace"), "has no text for workspace_name; did you mean 'workspace'?"),
    ("", "{file}:1:1: this workspace configuration is not valid JSON"),
]


@pytest.mark.parametrize(("text", "words"), WRONG_CONFIGS)
def test_a_configuration_that_cannot_be_read_is_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    """No job goes to another workspace because of a slip in the file that names the right one."""
    config = desk.write(".azureml/config.json", text)
    monkeypatch.chdir(desk.folder)
    desk.write("job.yml", "command: echo hi\nenvironment: azureml:host\n")
    for command in ("workspace show", "job create -f job.yml"):
        ran = desk.smalt(command)
        assert (ran.code, ran.out) == (2, "")
        assert words.format(file=config, end=len(CONFIG) + 1) in ran.err


def test_a_slip_is_refused_in_the_folder_itself_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is meant for smalt is told from a file of another tool by its keys, even where it is not valid."""
    monkeypatch.chdir(desk.folder)
    config = desk.write("config.json", CONFIG[:-1])
    assert f"{config}:1:{len(CONFIG)}: " in desk.smalt("workspace show").err
    for other in ('// mine\n{"a": 1}', "[1, 2]", "", '{"resource_group": "rg", "location": "x"}'):
        desk.write("config.json", other)
        assert desk.ask("workspace show --query name") == "default"


def test_what_exec_tells_programs_does_not_displace_what_they_configure(desk: Desk) -> None:
    """The variables say where it runs; a program's own word goes before them, and one given to exec before that."""
    desk.smalt("workspace create --name ws-own -g rg-own")
    desk.smalt("workspace create --name ws-given -g rg-given")
    script = "az configure --defaults workspace=ws-own group=rg-own; az ml workspace show --query name -o tsv"
    assert run(*SMALT, "exec", "--", "bash", "-c", script).stdout == "ws-own\n"
    assert run(*SMALT, "exec", "-w", "ws-given", "--", "bash", "-c", script).stdout == "ws-given\n"


READING = [
    "workspace show nope", "workspace show -w nope", "workspace update nope --description x",
    "workspace delete nope -y", "workspace list-keys nope", "job list -w nope", "job show x -w nope",
    "job stream x -w nope", "job cancel x -w nope", "job download x -w nope", "job metrics x -w nope",
    "job compare a b -w nope", "job archive x -w nope", "data list -w nope", "data show -n x -w nope",
    "model list -w nope", "environment list -w nope", "environment show -n minimal --label latest -w nope",
    "component list -w nope", "compute list -w nope", "compute show -n c -w nope", "datastore list -w nope",
    "schedule list -w nope", "online-endpoint list -w nope", "secret list -w nope", "secret show x -w nope",
    "mlflow uri -w nope", "connection list -w nope",
]  # fmt: skip


@pytest.mark.parametrize("command", READING)
def test_reading_makes_no_workspace(desk: Desk, command: str) -> None:
    """Each is refused in a sentence that names the workspace, and none is made."""
    before = names(desk)
    ran = desk.smalt(command)
    assert ran.code == 1, ran
    assert "there is no workspace 'nope' in resource group 'smalt'" in ran.err
    assert names(desk) == before


def test_plain_requests_that_read_make_none(desk: Desk) -> None:
    """GET, POST, PATCH and DELETE of a client that is neither smalt's nor Azure's; PUT of something makes it."""
    url = WORKSPACE.format("ws-plain")
    token = {"Authorization": f"Bearer {desk.server.home.read_token()}"}
    for method, path in (("GET", ""), ("GET", "/jobs"), ("POST", "/jobs/x/cancel"), ("PATCH", ""), ("DELETE", "")):
        assert desk.server.ask_as(method, url + path, token).status == 404, (method, path)
    assert "ws-plain" not in names(desk)
    assert desk.server.ask_as("PUT", f"{url}/jobs/j", token, host_job("true")).status == 201
    assert "ws-plain" in names(desk)


def test_a_typing_error_is_told_with_what_was_meant(desk: Desk) -> None:
    """Of the name and of the resource group; a submission is refused as well, and so is a program."""
    desk.smalt("workspace create --name labs -g rg")
    assert desk.smalt("job list -g rg -w labz").err == (
        "error: there is no workspace 'labz' in resource group 'rg'; did you mean 'labs'?\n"
    )
    assert "did you mean 'labs' in resource group 'rg'?" in desk.smalt("job list -g rh -w labs").err
    desk.write("job.yml", "type: command\ncommand: 'true'\nenvironment: azureml:host\n")
    before = names(desk)
    ran = desk.smalt("job create -f job.yml -g rg -w labz")
    assert ran.code == 1
    assert "did you mean 'labs'? To create it anyway: smalt workspace create --name labz -g rg" in ran.err
    with pytest.raises(NotFound, match="did you mean 'labs'"):
        MLClient(None, desk.ask("workspace show labs --query id").split("/")[2], "rg", "lasb").workspaces.get()
    for command in ("job create -f job.yml -w lasb", "data list -w lasb"):  # whatever the group
        assert "there is no workspace 'lasb'; did you mean 'labs' in resource group 'rg'?" in desk.smalt(command).err
    assert names(desk) == before
    assert desk.smalt("workspace create --name labz -g rg").code == 0


def test_what_is_stored_makes_the_workspace_and_says_so(desk: Desk) -> None:
    """A job, and a program that begins by reading; one line on standard error for each."""
    desk.write("job.yml", "type: command\ncommand: 'true'\nenvironment: azureml:host\n")
    ran = desk.smalt("job create -f job.yml -g rg-new -w ws-new")
    assert "created workspace 'ws-new' in resource group 'rg-new', as it did not exist" in ran.err
    assert "created workspace" not in desk.smalt("job create -f job.yml -g rg-new -w ws-new").err
    text = "from azure.ai.ml import MLClient; print(MLClient(None, 'cloud', 'rg', 'theirs').workspaces.get().name)"
    program = run(*SMALT, "python", "-c", text)
    assert program.stdout == "theirs\n"
    assert "created workspace 'theirs' in resource group 'rg', as it did not exist" in program.stderr
    text = text.replace("cloud", "other-cloud")
    assert (
        "another workspace of that name is in resource group 'rg' of subscription 'cloud'"
        in run(*SMALT, "python", "-c", text).stderr
    )


def test_a_program_that_looks_whether_a_workspace_is_there_makes_none(desk: Desk) -> None:
    """As those do that create it where `get` finds none; its own is made by the question, and one it deletes is not."""
    client = MLClient(None, "s", "rg", "ws-of-program")
    before = names(desk)
    with pytest.raises(NotFound):
        client.workspaces.get("ws-not-there")
    with pytest.raises(NotFound):
        client.workspaces.begin_delete("ws-not-there")
    assert names(desk) == before
    assert client.workspaces.get(client.workspace_name).name == "ws-of-program"


def test_a_name_that_one_workspace_has_is_enough(desk: Desk) -> None:
    """Whatever its group and subscription; where several have it the sentence lists them, as options that work."""
    desk.smalt("workspace create --name only -g rg-far --subscription far")
    assert desk.ask("workspace show only --query resource_group") == "rg-far"
    assert desk.ask("workspace show -w only -g rg-far --query id").split("/")[2] == "far"
    desk.smalt("workspace create --name twin -g rg-a")
    desk.smalt("workspace create --name twin -g rg-b")
    ran = desk.smalt("job list -w twin")
    assert (ran.code, ran.err) == (
        2, "error: there are 2 workspaces called 'twin'; choose one: -g rg-a -w twin, or -g rg-b -w twin\n"
    )  # fmt: skip
    for choice in re.findall(r"-g \S+ -w twin", ran.err):
        assert desk.smalt(f"job list {choice}").code == 0


def test_a_deleted_workspace_is_gone_with_all_that_was_in_it(desk: Desk) -> None:
    """Its jobs, assets, secrets and files; a new one of the name is empty, and others keep what they have."""
    desk.write("job.yml", "type: command\ncommand: echo x > outputs/f\nenvironment: azureml:host\n")
    for name in ("ws-going", "ws-kept"):
        assert desk.smalt(f"job create -f job.yml --name j --stream -g rg -w {name}").code == 0
        assert desk.smalt(f"data create -n d --version 1 --path job.yml --type uri_file -w {name}").code == 0
        assert desk.smalt(f"secret set s --value v -w {name}").code == 0
    folder = desk.server.home.path("workspaces", "ws-going")
    assert folder.is_dir()
    assert desk.smalt("workspace delete ws-going -y").code == 0
    assert not folder.exists()
    assert "ws-going" not in names(desk)
    desk.smalt("workspace create --name ws-going -g rg")
    assert desk.smalt("job list -w ws-going").json == []
    assert desk.smalt("data show -n d --version 1 -w ws-going").code == 1
    assert desk.smalt("secret list -w ws-going").json == []
    assert desk.ask("job show j -w ws-kept --query status") == "Completed"
    assert desk.smalt("data show -n d --version 1 -w ws-kept").code == 0


def test_a_workspace_with_unfinished_jobs_is_not_deleted(desk: Desk) -> None:
    """One sentence that names them; after their end it is."""
    url = WORKSPACE.format("ws-busy")
    begin_long_job(desk.server, url, "long")
    ran = desk.smalt("workspace delete ws-busy -y")
    assert "workspace 'ws-busy' has unfinished jobs (long)" in ran.err
    assert desk.smalt("job cancel long -w ws-busy").code == 0
    assert desk.smalt("workspace delete ws-busy -y").code == 0


def test_a_deletion_that_was_cut_short_is_finished_by_the_next_server(own_server: Server) -> None:
    """The rows went in one transaction; the folder goes when the home's server starts again."""
    own_server.start()
    url = WORKSPACE.format("cut")
    assert own_server.ask("PUT", f"/smalt/v1{url}/datastores/workspaceblobstore/files/a", raw=b"x").status == 200
    own_server.end()
    db = Database(own_server.home.path("smalt.db"))
    [workspace] = [one for one in records.list_workspaces(db) if one.name == "cut"]
    deletions.remove_workspace_rows(db, workspace)
    db.close()
    folder = own_server.home.path("workspaces", "cut")
    assert folder.is_dir()
    own_server.start()
    eventually(lambda: not folder.exists(), "the end of the deletion")


def test_printed_commands_work_where_they_are_printed(desk: Desk) -> None:
    """Those of errors of the server and of the command line, in a workspace that is not the one in effect."""
    desk.smalt("workspace create --name ws-far -g rg-far --subscription sub-far")
    for command in ("model show -n nosuch", "data show -n nosuch", "component show -n nosuch", "secret show nosuch",
                    "datastore show -n nosuch"):  # fmt: skip
        ran = desk.smalt(f"{command} -w ws-far")
        [printed] = re.findall(r"smalt (\w+ list[^';]*)", ran.err)
        assert "-g rg-far -w ws-far" in printed
        assert desk.smalt(printed.strip()).code == 0
    assert "-w" not in re.findall(r"smalt \w+ list.*", desk.smalt("model show -n nosuch").err)[0]


def test_the_commands_of_an_interrupted_stream_work(desk: Desk) -> None:
    """Ctrl-C tells how to follow the job again and how to end it, with the workspace's options."""
    begin_long_job(desk.server, WORKSPACE.format("ws-interrupted"), "slow")
    following = subprocess.Popen(
        [*SMALT, "job", "stream", "slow", "-w", "ws-interrupted"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert following.stdout is not None
    assert following.stdout.readline() == "here\n"
    following.send_signal(signal.SIGINT)
    _, said = following.communicate(timeout=LONGEST)
    again, end = re.findall(r"smalt ([^;\n]*)", said)
    assert desk.smalt(end).code == 0
    assert desk.smalt(again).code == 1
    assert desk.ask("job show slow -w ws-interrupted --query status") == "Canceled"


def test_the_command_of_a_notebooks_table_works(desk: Desk) -> None:
    """It names the job's workspace; it stands where the job has no page."""
    client = MLClient(None, "s", "rg-n", "ws-n")
    desk.server.ask("PUT", f"{client.workspace_id}/jobs/shown", host_job("true"))
    shown = client.jobs.get("shown")
    assert "/jobs/shown" in shown._repr_html_()
    shown.services.pop("Studio")
    [command] = re.findall(r"<code>smalt (.*?)</code>", shown._repr_html_())
    assert desk.ask(f"{command} --query name") == "shown"


def test_an_empty_list_in_a_terminal_says_of_what_it_is(desk: Desk) -> None:
    """Of which workspace, why that one, and where jobs are, by a command that lists them; a pipe gets `[]`."""
    desk.server.ask("PUT", f"{WORKSPACE.format('ws-elsewhere')}/jobs/there", host_job("true"))
    desk.smalt("workspace create --name ws-empty -g rg-empty")
    said = in_terminal("job", "list", "-w", "ws-empty")
    assert "no jobs in workspace 'ws-empty' of resource group 'rg-empty' (named on the command line)" in said
    [command] = re.findall(r"'ws-elsewhere' has 1 job: smalt ([^\r\n]*)", said)
    assert [one["name"] for one in desk.smalt(command).json] == ["there"]
    piped = desk.smalt("job list -w ws-empty")
    assert (piped.out, piped.err) == ("[]\n", "")


def in_terminal(*arguments: str) -> str:
    master, slave = pty.openpty()
    done = subprocess.Popen([*SMALT, *arguments], stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    said = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # the terminal's other end is closed
            break
        if not part:
            break
        said += part
    assert done.wait(timeout=LONGEST) == 0
    os.close(master)
    return said.decode()


def test_names_with_blanks_are_printed_in_quotes(home: Home) -> None:
    """As `<SUBSCRIPTION_ID>` stands in examples."""
    without = choose_workspace({}, home)
    text = format_options(("<SUB ID>", "rg", "w"), without)
    assert shlex.split(text) == ["-g", "rg", "-w", "w", "--subscription", "<SUB ID>"]


def test_a_remote_command_line_is_told_the_same(desk: Desk) -> None:
    """Over SMALT_URL the workspaces are the server's; a program's first request makes its workspace there too."""
    remote = {"SMALT_URL": f"http://127.0.0.1:{desk.server.port}", "SMALT_TOKEN": str(desk.server.home.read_token())}
    desk.smalt("workspace create --name remote-one -g rg-remote")
    shown = run(*SMALT, "workspace", "show", "-w", "remote-one", "-o", "json", **remote)
    assert json.loads(shown.stdout)["resource_group"] == "rg-remote"
    assert "there is no workspace 'remote-onf'" in run(*SMALT, "job", "list", "-w", "remote-onf", **remote).stderr


def test_options_stand_after_the_verb_of_each_command_of_a_workspace() -> None:
    """Verbs with hyphens too; a command that names its workspace, or needs none, stays as it is."""
    text = (
        "see: smalt job show-services j; 'smalt data list'; smalt job list -g a -w b; smalt prune; smalt workspace list"
    )
    assert add_workspace_options(text, lambda: " -g G -w W") == (
        "see: smalt job show-services -g G -w W j; 'smalt data list -g G -w W'; smalt job list -g a -w b; smalt prune; "
        "smalt workspace list"
    )
