"""The driver: does on a real home what a script says; what comes of it is compared with the oracle (`judge.py`)."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from smalt import load_component, load_job
from smalt.cli.framework import documents
from smalt.client import MLClient
from smalt.client.jobs.export import export_job
from smalt.entities import Data, Model
from smalt.exceptions import SmaltError
from smalt.machine.home import Home
from tests.helpers import Server, eventually
from tests.model import step
from tests.model.facts import REFUSED, Asset, Expected, Unknown, noun_of
from tests.model.judge import Judge, Made
from tests.model.oracle import Disk, Oracle
from tests.model.service import Service, step_files

PROGRAM = f"{os.path.realpath(sys.executable)} -S -E {step.__file__}"

Operation = dict[str, Any]


class Rig:
    """A home with its server, on which scripts are played one after the other."""

    def __init__(self, folder: Path, mlflow_python: str = "") -> None:
        self.folder = folder
        self.home = Home(folder / "home")
        self.has_mlflow = bool(mlflow_python)
        self._count = 0
        if mlflow_python:
            Server(self.home).set(mlflow_python=mlflow_python)

    def play(self, script: list[Operation]) -> list[str]:
        """Play a script in workspaces and a folder of its own; return what is not as the oracle says."""
        self._count += 1
        name = f"w{self._count}"
        place = self.folder / name
        place.mkdir()
        before = os.getcwd()
        os.chdir(place)
        try:
            return Player(self.home, name, place).play(script)
        finally:
            os.chdir(before)
            shutil.rmtree(place, ignore_errors=True)

    def close(self) -> None:
        Server(self.home).end()


class Room:
    """A workspace with what is expected of it."""

    def __init__(self, home: Home, name: str, folder: Path, disk: Disk) -> None:
        self.service = Service(home, name, folder)
        self.oracle = Oracle(disk)
        self.judge = Judge(self.service, self.oracle)


class Player:
    def __init__(self, home: Home, name: str, folder: Path) -> None:
        self.home = home
        self.name = name
        self.folder = folder
        self.disk = Disk()
        self._busy: list[MLClient] = []
        self.context: dict[str, Room] = {}
        self.do_switch("")

    def play(self, script: list[Operation]) -> list[str]:
        try:
            for number, operation in enumerate(script):
                for room in self.context.values():
                    room.judge.at = number + 1
                self._do(operation)
                for room in self.context.values():
                    room.judge.check_versions()
            for room in self.context.values():
                room.judge.check_kept()
        except SmaltError as error:
            self.judge.tell("an edit", "no error", str(error))
        finally:
            self._end()
        return [problem for room in self.context.values() for problem in room.judge.problems]

    def _do(self, operation: Operation) -> None:
        arguments = {key: value for key, value in operation.items() if key != "do"}
        getattr(self, f"do_{operation['do']}")(**arguments)

    def do_switch(self, to: str) -> None:
        """Go on in another workspace."""
        room = self.context.get(to)
        if room is None:
            name = self.name.replace("w", "other") if to else self.name  # a name like another workspace's is refused
            room = self.context[to] = Room(self.home, name, self.folder, self.disk)
        self.service, self.client, self.oracle, self.judge = room.service, room.service.client, room.oracle, room.judge

    # Edits

    def do_write(self, path: str, text: str, executable: bool = False) -> None:
        self.disk.write(path, text, executable)
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(self._real(text))
        target.chmod(0o755 if executable else 0o644)

    def do_remove(self, path: str) -> None:
        self.disk.files.pop(path, None)
        (self.folder / path).unlink(missing_ok=True)

    def do_link(self, path: str, to: str) -> None:
        self.disk.link(path, to)
        (self.folder / path).unlink(missing_ok=True)
        (self.folder / path).symlink_to(to)

    def do_yaml(self, path: str, document: Any) -> None:
        self.disk.documents[path] = document
        self._write_yaml(path, document)

    def do_map(self, prefix: str, folder: str) -> None:
        self.disk.mapped[prefix] = folder
        self.client.connection.patch("/smalt/v1/config", {"url-map": {self._real(prefix): str(self.folder / folder)}})

    def do_datastore(self, name: str, folder: str) -> None:
        self.oracle.datastores[f"azureml://datastores/{name}/paths/"] = folder
        body = {"properties": {"datastoreType": "LocalPath", "path": str(self.folder / folder)}}
        self.client.connection.put(f"{self.client.workspace_id}/datastores/{name}", body)

    def do_data(self, name: str, path: str, type: str, version: str | None = None, remote: bool = False) -> None:
        """Register data or a model: a local path, or what a job made."""
        client = self.service.far() if remote else self.client
        place = path if "://" in path else str(self.folder / path)
        noun = noun_of(type)
        made: list[Any] = []

        def register() -> None:
            entity = (Model if noun == "models" else Data)(name=name, version=version, path=place, type=type)
            made.append(getattr(client, noun).create_or_update(entity))

        try:
            expected = self.oracle.register(name, version, path, type)
        except Unknown:
            expected = REFUSED | {"ok"}
        if self.judge.compare(f"{noun} {name}:{version}", expected, register) and expected > REFUSED:
            asset = Asset(noun, name, str(made[0].version))
            found = step_files(self.service.place_of(asset))
            self.oracle.adopt([(asset, found)] if isinstance(found, dict) else [])

    def do_many(self, name: str, path: str, count: int) -> None:
        """Register the same folder several times at once."""
        refused: list[str] = []

        def register() -> None:
            client = MLClient(home=self.home, workspace_name=self.service.workspace)
            try:
                client.data.create_or_update(Data(name=name, path=str(self.folder / path), type="uri_folder"))
            except SmaltError as error:
                refused.append(str(error))
            finally:
                client.connection.close()

        threads = [threading.Thread(target=register) for _ in range(count)]
        expected = [self.oracle.register(name, None, path, "uri_folder") for _ in range(count)]
        if REFUSED in expected:
            return
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for one in refused[:1]:
            self.judge.tell(f"data {name}, {count} at once", f"{count} versions", one)

    def do_component(self, path: str) -> None:
        expected = self.oracle.component(path)
        self.judge.compare(
            f"component {path}", expected, lambda: self.client.components.create_or_update(load_component(path))
        )

    def do_archive(self, noun: str, name: str, version: str) -> None:
        self.oracle.archive(name, version)
        with contextlib.suppress(SmaltError):
            getattr(self.client, noun).archive(name, version)

    def do_delete(self, job: str) -> None:
        self.oracle.delete(job)
        self.judge.forget(job)
        with contextlib.suppress(SmaltError):
            self.client.jobs.begin_delete(job).result()

    def do_update(self, job: str, changes: Mapping[str, Any]) -> None:
        """Change a job that was got from the server: it is done, or refused."""
        if job not in self.oracle.jobs:
            return
        try:
            got = self.client.jobs.get(job)
            if not all(hasattr(got, key) for key in changes):
                return
            for key, value in changes.items():
                setattr(got, key, value)
            self.client.jobs.create_or_update(got)
        except SmaltError:
            return
        after = self.client.jobs.get(job)
        found = {key: getattr(after, key, None) for key in changes}
        if found != dict(changes):
            self.judge.tell(f"update of {job}", changes, found)

    def do_prune(self) -> None:
        for room in self.context.values():
            room.oracle.prune()
        self.client.connection.post("/smalt/v1/prune", {"older_than": 0})

    def do_drop(self, job: str) -> None:
        """Remove the artifacts of all steps of a job."""
        store = self.home.root / "workspaces"
        for folder in store.glob(f"*/datastores/workspaceartifactstore/ExperimentRun/dcid.{job}*/outputs"):
            shutil.rmtree(folder, ignore_errors=True)
        for room in self.context.values():
            room.oracle.drop_artifacts(job)

    def do_busy(self) -> None:
        """Keep the server from ever being idle."""
        body = {"jobType": "Command", "command": "sleep 600", "environmentId": "azureml:host@latest"}
        self.client.connection.put(self.service.path("busy"), {"properties": body})
        self._busy.append(self.client)

    def do_compare(self, first: str, second: str) -> None:
        self.judge.judge_comparison(first, second)

    # Runs

    def do_run(self, jobs: list[Operation], during: Operation | None = None) -> None:
        """Run jobs at once, with something that happens while they run."""
        expected = [self._expected(job) for job in jobs]
        if during and "cancel" in during:
            for one in expected:
                _make_unsure(one)
        states = [self._submit(job) for job in jobs]
        names = [job["name"] for job, state in zip(jobs, states, strict=True) if state != "Refused"]
        if during:
            self._disturb(during, names)
        for number, job in enumerate(jobs):
            if states[number] != "Refused":
                states[number] = self.service.wait(job["name"])
        made: Made = []
        for job, one, state in zip(jobs, expected, states, strict=True):
            made += self.judge.judge(job["name"], one, state)
        self.oracle.adopt(made)
        self.judge.check_lists(made)

    def _expected(self, job: Operation) -> Expected:
        if "export" in job:
            return self.oracle.export(job["export"], job["name"])
        return self.oracle.run(job["document"], job.get("sets") or {}, job["name"], job.get("only"), job.get("of"))

    def _submit(self, job: Operation) -> str:
        try:
            entity = self._load(job)
            entity.name = job["name"]
            chosen = {key: job[key] for key in ("only", "of") if key in job}
            self.client.jobs.create_or_update(entity, **chosen)
        except SmaltError as error:
            self.judge.why = str(error)
            return "Refused"
        return "accepted"

    def _load(self, job: Operation) -> Any:
        if "export" in job:
            shutil.rmtree("exported", ignore_errors=True)
            return load_job(export_job(self.client, job["export"], "exported"))
        self._write_yaml(f"{job['name']}.yml", job["document"])
        return documents.read_document(
            "job", f"{job['name']}.yml", [f"{key}={value}" for key, value in job.get("sets", {}).items()], {}
        )

    def _disturb(self, during: Operation, names: list[str]) -> None:
        time.sleep(during.get("after", 0) / 1000)
        for name in names if "cancel" in during else ():
            with contextlib.suppress(SmaltError):
                self.client.connection.post(f"{self.service.path(name)}/cancel")
        if "kill" in during:
            self._kill(during["kill"])
        for operation in during.get("edits", ()):
            self._do(operation)

    def _kill(self, whom: str) -> None:
        facts = self.home.read_json("server.json") or {}
        pids = [int(facts.get("pid", 0))] if whom in ("server", "both") else []
        if whom in ("launcher", "both"):
            pids += list(_launchers(self.home))
        for pid in filter(None, pids):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        eventually(self._answers, "an answer after the kill")

    def _answers(self) -> bool:
        """Return whether a server answers; the client starts one where none runs."""
        with contextlib.suppress(SmaltError, OSError):
            return bool(self.client.connection.get("/smalt/v1/config"))
        return False

    # Files

    def _write_yaml(self, path: str, document: Any) -> None:
        (self.folder / path).write_text(self._real(yaml.safe_dump(document, sort_keys=False, width=1000)))

    def _real(self, text: str) -> str:
        """Scripts write STEP for the steps' program, SITE for a host and MARKS for a folder of their own."""
        text = text.replace("STEP ", f"{PROGRAM} ").replace("//SITE/", f"//{self.name}.test/")
        return text.replace("MARKS", str(self.folder))

    def _end(self) -> None:
        for client in self._busy:
            client.jobs.begin_cancel("busy").result()
        if self.disk.mapped:
            body = {"url-map": {self._real(one): None for one in self.disk.mapped}}
            self.client.connection.patch("/smalt/v1/config", body)
        for room in self.context.values():
            room.service.close()


def _make_unsure(expected: Expected) -> None:
    if expected.states != {"Refused"}:
        expected.states |= {"Canceled"}
    for leaf in expected.leaves.values():
        leaf.states |= {"Canceled", "absent"}


def _launchers(home: Home) -> Iterator[int]:
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if str(home.root).encode() in words and any(b"launcher" in word for word in words):
                yield int(process.name)
