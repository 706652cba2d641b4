"""Jobs in real containers: a real engine, launcher and Podman, with an image made of this machine's own files."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from smalt.machine.home import Home
from smalt.service.compute.containers import engine as container_engine
from smalt.service.compute.containers.supervision import remove_orphans
from smalt.service.environments.builders.interpreters import Interpreters
from smalt.service.records.jobs import Job
from tests.durability.test_hand_over import kill_launcher
from tests.engine.bench import Workbench
from tests.engine.bench import workbench as opened
from tests.helpers import LIMITS, WORKSPACE, Server, eventually

from .podman import Podman, remove
from .test_shared_files import OWNERS, make_pair

SAVING = """
import pathlib, signal, sys, time
def end(*_):
    with open("saved", "a") as file:
        file.write("x")
    time.sleep(1.5)
    sys.exit(3)
signal.signal(signal.SIGTERM, end)
pathlib.Path("begun").touch()
time.sleep(600)
"""


SLOWLY_SAVING = """
import os, pathlib, signal, sys, time
def end(*_):
    with open("told", "a") as file:
        file.write("x")
    while not os.path.exists("go"):
        time.sleep(0.05)
    pathlib.Path("saved").touch()
    sys.exit(3)
signal.signal(signal.SIGTERM, end)
pathlib.Path("begun").touch()
time.sleep(600)
"""


ASKING = """
import json, os, urllib.request
def get(url, **headers):
    return json.load(urllib.request.urlopen(urllib.request.Request(url, headers=headers)))
told = os.environ
url = told["IDENTITY_ENDPOINT"] + "?resource=https://vault.azure.net&api-version=2019-08-01"
token = get(url, **{"X-IDENTITY-HEADER": told["IDENTITY_HEADER"]})["access_token"]
secret = get(told["AZURE_KEYVAULT_URL"] + "/secrets/word?api-version=7.4", Authorization="Bearer " + token)
print("asked", len(secret["value"]))
"""


OWN = os.getpid()
"""In the names of containers, which all suites on this machine see."""


@pytest.fixture
def marks(home: Home) -> Path:
    return home.path("run", "containers")


@pytest.fixture
def within(home: Home, podman: Podman) -> Callable[[Callable[[Workbench], Coroutine[Any, Any, None]]], None]:
    """Runs a test with an engine that uses Podman."""

    def run(test: Callable[[Workbench], Coroutine[Any, Any, None]]) -> None:
        async def go() -> None:
            async with opened(home) as bench:
                bench.settings.update({"container-command": podman.command, "container-arguments": podman.arguments})
                await test(bench)

        asyncio.run(go())

    return run


def environment(bench: Workbench, name: str, **properties: Any) -> str:
    from smalt.service.records import assets

    assets.put_version(bench.db, bench.workspace.id, "environments", name, "1", properties, "tester")
    return f"azureml:{name}:1"


def log(bench: Workbench, job: Job, name: str = "user_logs/std_log.txt") -> str:
    return Path(bench.engine.context.artifacts(bench.workspace, job.name), name).read_text()


def folder(bench: Workbench, job: Job) -> Path:
    return bench.home.path("workspaces", bench.workspace.folder, "jobs", job.name, "wd")


def test_a_job_runs_in_its_image(within: Any, podman: Podman, tmp_path: Path, marks: Path) -> None:
    """With its inputs and outputs at the paths that it is told, its variables, and its exit code; nothing is left."""
    (tmp_path / "x.txt").write_text("content")

    async def test(bench: Workbench) -> None:
        job = bench.submit(
            f"inside-{OWN}",
            {
                "command": 'cat ${{inputs.x}} /proc/1/comm; echo made >${{outputs.o}}/f; echo "$WORD" $AZUREML_RUN_ID;'
                " echo no >>${{inputs.x}} || echo kept; ls /boot; exit 7",
                "environment": environment(bench, "own", image=podman.image),
                "environment_variables": {"WORD": "a  'b'\nc"},
                "inputs": {"x": {"type": "uri_file", "path": str(tmp_path / "x.txt")}},
                "outputs": {"o": {"path": f"file://{tmp_path}/out"}},
            },
        )
        over = await bench.over(job)
        said = log(bench, job)
        assert over.status == "Failed"
        assert "exited with code 7" in str(over.error)
        assert said.startswith(f"contentsh\na  'b'\nc inside-{OWN}\n")
        assert "kept\n" in said
        assert "ls: command not found" in said

    within(test)
    assert (tmp_path / "out" / "f").read_text() == "made\n"
    assert (tmp_path / "x.txt").read_text() == "content"
    assert list(marks.iterdir()) == []
    assert not any(f"inside-{OWN}" in name for name in podman.containers)


@pytest.mark.parametrize("how", ["cancel", "timeout"])
def test_what_ends_a_job_reaches_inside(within: Any, podman: Podman, marks: Path, how: str) -> None:
    """SIGTERM comes once, the job may save its work, and the container is gone."""

    async def test(bench: Workbench) -> None:
        asked: dict[str, Any] = {
            "command": f"python3 -c '{SAVING}'; echo after >>saved",
            "environment": environment(bench, "own", image=podman.image),
        }
        for limit in LIMITS if how == "timeout" else (None,):
            job = bench.submit(f"ends-{OWN}-{limit}", asked | ({"limits": {"timeout": limit}} if limit else {}))
            begun = folder(bench, job) / "begun"
            if how == "cancel":
                await asyncio.to_thread(eventually, begun.exists)
                bench.engine.cancel(job)
            over = await bench.over(job)
            if begun.exists():
                break
        assert over.status == ("Canceled" if how == "cancel" else "Failed")
        assert (folder(bench, job) / "saved").read_text() == "x"

    within(test)
    assert list(marks.iterdir()) == []
    assert not any(f"ends-{OWN}" in name for name in podman.containers)


def test_a_stop_while_the_container_starts_reaches_inside(within: Any, podman: Podman, marks: Path) -> None:
    """What has begun hears of it, though the engine's client is not done with the start."""

    async def test(bench: Workbench) -> None:
        text = 'trap "echo ended >ended; exit 0" TERM; : >begun; sleep 60 & wait'
        own = environment(bench, "own", image=podman.image)
        for number in range(6):
            job = bench.submit(f"young-{OWN}-{number}", {"command": text, "environment": own})
            begun = folder(bench, job) / "begun"
            while not begun.exists():
                await asyncio.sleep(0.001)
            bench.engine.cancel(job)
            assert (await bench.over(job)).status == "Canceled"
            assert (folder(bench, job) / "ended").read_text() == "ended\n"

    within(test)
    assert list(marks.iterdir()) == []
    assert not any(f"young-{OWN}" in name for name in podman.containers)


def test_what_is_inside_ends_with_its_killed_keeper(within: Any, podman: Podman, marks: Path) -> None:
    """It gets SIGTERM, and the job's end is told after it, while other steps run."""

    async def test(bench: Workbench) -> None:
        own = environment(bench, "own", image=podman.image)
        other = bench.submit("beside", {"command": "until [ -e go ]; do sleep 0.05; done", "environment": own})
        await asyncio.to_thread(eventually, lambda: marks.is_dir() and any(marks.iterdir()))
        text = 'trap "echo ended >ended; exit 0" TERM; : >begun; while :; do sleep 0.05; done'
        job = bench.submit("orphan", {"command": text, "environment": own})
        await asyncio.to_thread(eventually, (folder(bench, job) / "begun").exists)
        (mark,) = (each for each in marks.iterdir() if "orphan" in each.name)
        os.kill(int(mark.name.rpartition("-")[2]), signal.SIGKILL)
        assert (await bench.over(job)).status == "Failed"
        assert (folder(bench, job) / "ended").read_text() == "ended\n"
        (folder(bench, other) / "go").touch()
        assert (await bench.over(other)).status == "Completed"

    within(test)


def find_monitor(podman: Podman, mark: Path) -> int:
    """Return the pid of conmon."""
    return int(podman.run("inspect", "--format", "{{.State.ConmonPid}}", mark.name))


def find_processes(podman: Podman, mark: Path) -> dict[str, int]:
    """Return the processes that a container outlives."""
    supervisor = int(mark.name.rpartition("-")[2])
    (client,) = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    return {"supervisor": supervisor, "client": int(client), "monitor": find_monitor(podman, mark)}


@pytest.mark.parametrize("killed", ["supervisor", "client", "monitor", "launcher", "supervisor launcher"])
def test_a_container_keeps_its_grace(within: Any, podman: Podman, marks: Path, killed: str) -> None:
    """It saves its work to the end, told once, whatever is killed meanwhile and whatever other job ends."""

    async def test(bench: Workbench) -> None:
        own = environment(bench, "own", image=podman.image)
        job = bench.submit(f"saves-{OWN}", {"command": f"python3 -c '{SLOWLY_SAVING}'", "environment": own})
        place = folder(bench, job)
        await asyncio.to_thread(eventually, (place / "begun").exists)
        (mark,) = marks.glob("smalt-*")
        found = find_processes(podman, mark)
        bench.engine.cancel(job)
        await asyncio.to_thread(eventually, (place / "told").exists)
        for each in killed.split():
            if each == "launcher":
                kill_launcher(bench.home)
            else:
                os.kill(found[each], signal.SIGKILL)
                await asyncio.to_thread(eventually, lambda pid=found[each]: not Path(f"/proc/{pid}").exists())
        await asyncio.to_thread(remove_orphans, marks, [*podman.command.split(), "rm", "--force", "--time", "0"])
        other = bench.submit(f"beside-{OWN}", {"command": "sleep 2", "environment": own})
        assert (await bench.over(other)).status == "Completed"
        (place / "go").touch()
        assert (await bench.over(job)).status == "Canceled"
        assert (place / "saved").exists()
        assert (place / "told").read_text() == "x"

    within(test)
    assert not any(f"-{OWN}" in name for name in podman.containers)


def test_a_killed_monitor_ends_the_job_with_a_sentence(within: Any, podman: Podman, marks: Path) -> None:
    """At once, not when the engine's client is tired of waiting; what is inside may save its work."""

    async def test(bench: Workbench) -> None:
        own = environment(bench, "own", image=podman.image)
        job = bench.submit(f"blind-{OWN}", {"command": f"python3 -c '{SLOWLY_SAVING}'", "environment": own})
        place = folder(bench, job)
        await asyncio.to_thread(eventually, (place / "begun").exists)
        (mark,) = marks.glob("smalt-*")
        os.kill(find_monitor(podman, mark), signal.SIGKILL)
        (place / "go").touch()
        over = await bench.over(job)
        assert over.status == "Failed"
        assert str(over.error and json.loads(over.error)["message"]) == (
            "Podman's monitor of the container (conmon) was killed (possibly out of memory), so the command was ended, "
            "as its output was lost; run the job again"
        )
        assert (place / "saved").exists()
        assert (place / "told").read_text() == "x"

    within(test)
    assert list(marks.iterdir()) == []
    assert not any(f"blind-{OWN}" in name for name in podman.containers)


def test_a_program_without_variables_is_told_once(within: Any, podman: Podman, marks: Path) -> None:
    """`env -i` takes away the variable that says who sends SIGTERM inside."""

    async def test(bench: Workbench) -> None:
        asked = {
            "command": f"env -i python3 -c '{SLOWLY_SAVING}'",
            "environment": environment(bench, "own", image=podman.image),
        }
        job = bench.submit(f"bare-{OWN}", asked)
        place = folder(bench, job)
        await asyncio.to_thread(eventually, (place / "begun").exists)
        bench.engine.cancel(job)
        await asyncio.to_thread(eventually, (place / "told").exists)
        (place / "go").touch()
        assert (await bench.over(job)).status == "Canceled"
        assert (place / "told").read_text() == "x"

    within(test)
    assert not any(f"bare-{OWN}" in name for name in podman.containers)


def test_a_killed_keeper_leaves_no_container(within: Any, podman: Podman, marks: Path) -> None:
    """The server removes what a step that was killed by SIGKILL left running."""

    async def test(bench: Workbench) -> None:
        asked = {"command": "sleep 60", "environment": environment(bench, "own", image=podman.image)}
        job = bench.submit("killed", asked)
        await asyncio.to_thread(eventually, lambda: marks.is_dir() and any(marks.iterdir()))
        (mark,) = marks.iterdir()
        await asyncio.to_thread(eventually, lambda: mark.name in podman.containers)
        remove_orphans(marks, [*podman.command.split(), "rm", "--force", "--time", "0"])
        assert mark.name in podman.containers  # its keeper lives
        os.kill(int(mark.name.rpartition("-")[2]), signal.SIGKILL)
        assert (await bench.over(job)).status == "Failed"
        await asyncio.to_thread(eventually, lambda: not any(marks.iterdir()))
        assert mark.name not in podman.containers

    within(test)


def test_a_build_context_is_built_once_for_each_content(within: Any, podman: Podman, tmp_path: Path) -> None:
    """The engine's words are in the job's log; what changes in the context makes another image."""
    context = tmp_path / "context"
    (context / "docker").mkdir(parents=True)
    (context / "docker" / "Own").write_text(f"FROM {podman.image}\nCOPY word /word\nENV PATH=/somewhere:$PATH\n")
    images: set[str] = set()

    async def test(bench: Workbench) -> None:
        build = {"contextUri": f"file://{context}", "dockerfilePath": "docker/Own"}
        asked = {"command": "cat /word; echo $PATH", "environment": environment(bench, "context", build=build)}
        for number, word in enumerate(("one\n", "one\n", "two\n")):
            (context / "word").write_text(word)
            job = bench.submit(f"built-{number}", asked)
            assert (await bench.over(job)).status == "Completed", log(bench, job, "system_logs/smalt.log")
            said = log(bench, job)
            assert said.startswith(word)
            assert ":/somewhere:" in said
            built = Path(bench.engine.context.artifacts(bench.workspace, job.name), "system_logs", "smalt.log")
            assert built.exists() == (number != 1)
            if built.exists():
                assert "COPY word /word" in built.read_text()
        found = bench.engine.context.environments.list_stored()
        images.update(str(each.record.container and each.record.container["name"]) for each in found)
        assert len(images) == 2
        for each in found:
            await bench.engine.context.environments.remove(each.hash)

    try:
        within(test)
        assert not any(name in podman.run("images", "--format", "{{.Repository}}:{{.Tag}}") for name in images)
    finally:
        for name in images:
            remove(name)


def test_an_image_with_a_conda_file_has_its_packages_on_top(within: Any, podman: Podman) -> None:
    """In an environment of the image's own Python; the image itself is left as it is."""

    async def test(bench: Workbench) -> None:
        conda = "dependencies:\n- pip:\n  - shade==1.0\n"
        asked = {
            "command": "shade; python -c 'import os, sys; print(sys.prefix, os.path.exists(\"/smalt/variables\"))'",
            "environment": environment(bench, "both", image=podman.image, condaFile=conda),
        }
        job = bench.submit("both", asked)
        assert (await bench.over(job)).status == "Completed", log(bench, job, "system_logs/smalt.log")
        assert log(bench, job).startswith("1.0 /opt/smalt-environment\n/opt/smalt-environment False\n")
        for each in bench.engine.context.environments.list_stored():
            await bench.engine.context.environments.remove(each.hash)

    within(test)


def test_shared_files_in_an_image_are_those_that_pip_leaves(within: Any, podman: Podman, own_wheels: Path) -> None:
    """All files that two packages own are of the one that pip installs last."""
    make_pair(own_wheels)

    async def test(bench: Workbench) -> None:
        conda = "dependencies:\n- pip:\n  - paint\n  - brush\n  - shade==1.0\n"
        named = environment(bench, "shared", image=podman.image, condaFile=conda)
        job = bench.submit("shared", {"command": f"python -c '{OWNERS}'", "environment": named})
        assert (await bench.over(job)).status == "Completed", log(bench, job, "system_logs/smalt.log")
        assert log(bench, job).split() == ["paint"]
        for each in bench.engine.context.environments.list_stored():
            await bench.engine.context.environments.remove(each.hash)

    within(test)


def test_an_image_with_another_python_than_its_conda_file(within: Any, podman: Podman) -> None:
    """Serves no job: the file's Python comes first, and the log says so; strict refuses."""
    asked = min(minor for minor in Interpreters().list_versions() if minor != sys.version_info[:2])

    async def test(bench: Workbench) -> None:
        conda = f"dependencies:\n- python={asked[0]}.{asked[1]}\n- pip:\n  - shade==1.0\n"
        named = environment(bench, "other", image=podman.image, condaFile=conda)
        job = bench.submit("other", {"command": "shade; python -V", "environment": named})
        assert (await bench.over(job)).status == "Completed", log(bench, job, "system_logs/smalt.log")
        assert f"Python {asked[0]}.{asked[1]}." in log(bench, job)
        why = f"it has Python {sys.version_info[0]}.{sys.version_info[1]}, not {asked[0]}.{asked[1]}"
        assert f"image '{podman.image}' is not used ({why})" in log(bench, job, "system_logs/smalt.log")
        bench.settings.update({"fidelity": "strict"})
        refused = await bench.over(bench.submit("strict", {"command": "true", "environment": named}))
        assert why in str(refused.error)

    within(test)


def test_a_build_may_take_longer_than_the_engine_is_known(
    within: Any, podman: Podman, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the engine still answers is asked anew from time to time; a job need not be quicker than that."""
    monkeypatch.setattr(container_engine, "_FRESH_SECONDS", 0.0)

    async def test(bench: Workbench) -> None:
        job = bench.submit("own", {"command": "true", "environment": environment(bench, "own", image=podman.image)})
        assert (await bench.over(job)).status == "Completed"

    within(test)


def test_variables_that_a_job_names_go_inside(within: Any, podman: Podman, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that say where things are on this machine do not, unless the job itself sets them."""
    monkeypatch.setenv("LD_LIBRARY_PATH", "/of/the/server")

    async def test(bench: Workbench) -> None:
        asked = {
            "command": 'echo "$LD_LIBRARY_PATH $HOME"',
            "environment": environment(bench, "own", image=podman.image),
        }
        plain = bench.submit("plain", asked)
        own = bench.submit("own", {**asked, "environment_variables": {"LD_LIBRARY_PATH": "/own", "HOME": "/tmp"}})
        assert [(await bench.over(job)).status for job in (plain, own)] == ["Completed", "Completed"]
        assert log(bench, plain).startswith(" /")
        assert log(bench, own) == "/own /tmp\n"

    within(test)


def test_a_killed_launcher_leaves_the_container_alone(within: Any, podman: Podman, marks: Path) -> None:
    """The job ends as it would have; nothing of it is left."""

    async def test(bench: Workbench) -> None:
        text = ": >begun; until [ -e go ]; do sleep 0.1; done; echo over"
        own = environment(bench, "own", image=podman.image)
        job = bench.submit(f"calm-{OWN}", {"command": text, "environment": own})
        begun = folder(bench, job) / "begun"
        await asyncio.to_thread(eventually, begun.exists)
        kill_launcher(bench.home)
        (folder(bench, job) / "go").touch()
        assert (await bench.over(job)).status == "Completed"
        assert log(bench, job) == "over\n"

    within(test)
    assert list(marks.iterdir()) == []
    assert not any(f"calm-{OWN}" in name for name in podman.containers)


def test_an_image_that_a_job_uses_is_not_removed(within: Any, podman: Podman, tmp_path: Path) -> None:
    """Nor is the job ended for it; afterwards the image goes."""
    (tmp_path / "Dockerfile").write_text(f"FROM {podman.image}\nENV OWN=1\n")

    async def test(bench: Workbench) -> None:
        named = environment(bench, "context", build={"contextUri": f"file://{tmp_path}"})
        job = bench.submit("uses", {"command": ": >begun; until [ -e go ]; do sleep 0.1; done", "environment": named})
        await asyncio.to_thread(eventually, (folder(bench, job) / "begun").exists)
        environments = bench.engine.context.environments
        (built,) = environments.list_stored()
        assert await environments.remove(built.hash) is None
        (folder(bench, job) / "go").touch()
        assert (await bench.over(job)).status == "Completed"
        assert await environments.remove(built.hash) == built.size
        assert str(built.record.container and built.record.container["name"]) not in podman.images

    within(test)


def test_doctor_knows_of_images_and_containers(within: Any, podman: Podman, tmp_path: Path, marks: Path) -> None:
    """An image of a build that was killed, one that somebody removed, a container whose keeper is gone."""
    (tmp_path / "Dockerfile").write_text(f"FROM {podman.image}\nENV OWN=2\n")

    async def test(bench: Workbench) -> None:
        named = environment(bench, "context", build={"contextUri": f"file://{tmp_path}"})
        assert (await bench.over(bench.submit("one", {"command": "true", "environment": named}))).status == "Completed"
        environments = bench.engine.context.environments
        (built,) = environments.list_stored()
        name = str(built.record.container and built.record.container["name"])
        left = f"{name.rpartition(':')[0]}:{'0' * 32}"
        podman.run("tag", name, left)
        podman.run("image", "rm", name)
        orphan = f"smalt-layer-{OWN}"
        podman.run("create", "--name", orphan, podman.image, "true")
        marks.mkdir(parents=True, exist_ok=True)
        (marks / orphan).touch()
        found = await environments.find_problems(False, 0.0)
        assert [(one.check, one.what) for one in found] == [
            ("container", orphan),
            ("environment", "context"),
            ("image", left),
        ]
        for one in found:
            assert one.repair is not None
            await asyncio.to_thread(one.repair)
        assert await environments.find_problems(False, 0.0) == []
        assert orphan not in podman.containers
        assert left not in podman.images

    within(test)


def test_secrets_reach_a_container(own_server: Server, podman: Podman, tmp_path: Path) -> None:
    """As variables, and by the vault of the job's workspace over TLS, which leads out to the server's loopback."""
    own_server.set(container_command=podman.command, container_arguments=podman.arguments)
    own_server.start()
    (tmp_path / "ask.py").write_text(ASKING)
    ws = WORKSPACE.format("default")
    assert own_server.ask("PUT", f"/smalt/v1{ws}/secrets/word", {"value": "s3cret"}).status < 300
    assert (
        own_server.ask("PUT", f"{ws}/environments/own/versions/1", {"properties": {"image": podman.image}}).status < 300
    )
    job = {
        "jobType": "Command",
        "command": 'echo ${#WORD}; python3 "${{inputs.script}}"',
        "environmentId": "azureml:own:1",
        "environmentVariables": {"WORD": "${{secrets.word}}"},
        "inputs": {"script": {"jobInputType": "uri_file", "uri": f"file://{tmp_path}/ask.py"}},
    }
    assert own_server.ask("PUT", f"{ws}/jobs/asks", {"properties": job}).status == 201
    messages = own_server.stream(f"/smalt/v1{ws}/jobs/asks/stream")
    said = "".join(message.get("text") or "" for message in messages).splitlines()
    assert "6" in said, said
    assert "asked 6" in said, said


def test_an_image_that_cannot_be_had_is_stood_for(within: Any) -> None:
    """The warning tells why; strict refuses with the same words."""

    async def test(bench: Workbench) -> None:
        name = "127.0.0.1:9/nowhere/nothing:1"
        asked = {"command": "python -V", "environment": environment(bench, "far", image=name)}
        job = bench.submit("near", asked)
        assert (await bench.over(job)).status == "Completed"
        warning = log(bench, job, "system_logs/smalt.log")
        assert f"image '{name}' is not used (it could not be pulled: " in warning
        bench.settings.update({"fidelity": "strict"})
        refused = await bench.over(bench.submit("strict", asked))
        assert refused.status == "Failed"
        assert f"image '{name}' is not used by smalt (it could not be pulled: " in str(refused.error)
        assert "fidelity is strict; correct that, or set fidelity=nearest" in str(refused.error)

    within(test)


def test_a_dockerfile_that_fails_is_the_jobs_failure(within: Any, podman: Podman, tmp_path: Path) -> None:
    """In one sentence, whatever the fidelity: nothing stands for what is wrong."""
    (tmp_path / "Dockerfile").write_text(f"FROM {podman.image}\nRUN no-such-program\n")

    async def test(bench: Workbench) -> None:
        build = {"contextUri": f"file://{tmp_path}"}
        job = bench.submit("wrong", {"command": "true", "environment": environment(bench, "wrong", build=build)})
        over = await bench.over(job)
        assert over.status == "Failed"
        assert "its Dockerfile could not be built" in str(over.error)
        assert "no-such-program" in log(bench, job, "system_logs/smalt.log")

    within(test)
