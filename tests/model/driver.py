"""The driver: does on a real home what a script says, and compares what came of it with the oracle."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from smalt import load_component, load_job
from smalt.cli import documents
from smalt.client import MLClient
from smalt.client.exporting import export_job
from smalt.entities import Data
from smalt.exceptions import SmaltError
from smalt.home import Home
from tests.helpers import Server, eventually
from tests.model import step
from tests.model.oracle import ANYTHING, Expected, Leaf, Oracle, Tree

PROGRAM = f"{os.path.realpath(sys.executable)} -S -E {step.__file__}"
OVER = {"Completed", "Failed", "Canceled"}
LONGEST = 60.0
"""Seconds in which a job must be over."""

Operation = dict[str, Any]


class Ran(NamedTuple):
    """A step as the server tells it."""

    status: str
    job: str
    outputs: dict[str, tuple[str, str | None, str | None]]
    """By name: where its files are, and the asset's name and version."""


class Rig:
    """A home with its server, on which scripts are played one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = Home(folder / "home")
        self._count = 0

    def play(self, script: list[Operation]) -> list[str]:
        """Play a script in a workspace and a folder of its own; return what is not as the oracle says."""
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


class Player:
    def __init__(self, home: Home, name: str, folder: Path) -> None:
        self.home = home
        self.name = name
        self.folder = folder
        self.client = MLClient(home=home, workspace_name=name)
        self.oracle = Oracle()
        self.problems: list[str] = []
        self._versions: dict[tuple[str, str], tuple[str, Tree]] = {}
        """Of every version that was ever registered: where it is, and its content."""
        self._kept: dict[str, list[tuple[str, str, Tree]]] = {}
        """By job: its outputs (step's path and name, place, content)."""
        self._busy: str | None = None
        self._downloads = 0
        self._remote: MLClient | None = None

    def play(self, script: list[Operation]) -> list[str]:
        try:
            self._at = 0
            for number, operation in enumerate(script):
                self._at = number + 1
                arguments = {key: value for key, value in operation.items() if key != "do"}
                getattr(self, f"do_{operation['do']}")(**arguments)
                self._check_versions()
            self._check_kept()
        except SmaltError as error:
            self.problems.append(self._told("an edit", "no error", str(error)))
        finally:
            self._end()
        return self.problems

    # Operations

    def do_write(self, path: str, text: str, executable: bool = False) -> None:
        self.oracle.write(path, text, executable)
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(self._real(text))
        target.chmod(0o755 if executable else 0o644)

    def do_remove(self, path: str) -> None:
        self.oracle.remove(path)
        (self.folder / path).unlink(missing_ok=True)

    def do_link(self, path: str, to: str) -> None:
        self.oracle.link(path, to)
        (self.folder / path).unlink(missing_ok=True)
        (self.folder / path).symlink_to(to)

    def do_yaml(self, path: str, document: Any) -> None:
        self.oracle.documents[path] = document
        self._write_yaml(path, document)

    def do_map(self, prefix: str, folder: str) -> None:
        self.oracle.map(prefix, folder)
        self.client.connection.patch("/smalt/v1/config", {"url-map": {self._real(prefix): str(self.folder / folder)}})

    def do_datastore(self, name: str, folder: str) -> None:
        self.oracle.map(f"azureml://datastores/{name}/paths/", folder)
        body = {"properties": {"datastoreType": "LocalPath", "path": str(self.folder / folder)}}
        self.client.connection.put(f"{self.client.workspace_id}/datastores/{name}", body)

    def do_data(self, name: str, path: str, type: str, version: str | None = None, remote: bool = False) -> None:
        expected = self.oracle.register(name, version, path, type)

        def register() -> str:
            client = self._far() if remote else self.client
            client.data.create_or_update(Data(name=name, version=version, path=str(self.folder / path), type=type))
            return "ok"

        self._compare(f"data {name}:{version}", expected, register)

    def do_many(self, name: str, path: str, count: int) -> None:
        """Register the same folder several times at once."""
        refused: list[str] = []

        def register() -> None:
            client = MLClient(home=self.home, workspace_name=self.name)
            try:
                client.data.create_or_update(Data(name=name, path=str(self.folder / path), type="uri_folder"))
            except SmaltError as error:
                refused.append(str(error))
            finally:
                client.connection.close()

        threads = [threading.Thread(target=register) for _ in range(count)]
        expected = [self.oracle.register(name, None, path, "uri_folder") for _ in range(count)]
        if {"Refused"} in expected:
            return
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.problems += [self._told(f"data {name}, {count} at once", f"{count} versions", one) for one in refused[:1]]

    def do_component(self, path: str, sets: Mapping[str, str] | None = None) -> None:
        expected = self.oracle.component(path)

        def create() -> str:
            self.client.components.create_or_update(load_component(path))
            return "ok"

        self._compare(f"component {path}", expected, create)

    def do_archive(self, noun: str, name: str, version: str) -> None:
        self.oracle.archive(name, version)
        with contextlib.suppress(SmaltError):
            getattr(self.client, noun).archive(name, version)

    def do_delete(self, job: str) -> None:
        self.oracle.delete(job)
        self._kept.pop(job, None)
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
            self.problems.append(self._told(f"update of {job}", changes, found))

    def do_prune(self) -> None:
        self.oracle.prune()
        self.client.connection.post("/smalt/v1/prune", {"older_than": 0})

    def do_drop(self, job: str) -> None:
        """Remove the artifacts of all steps of a job."""
        store = self.home.root / "workspaces"
        for folder in store.glob(f"*/datastores/workspaceartifactstore/ExperimentRun/dcid.{job}*/outputs"):
            shutil.rmtree(folder, ignore_errors=True)

    def do_busy(self) -> None:
        """Keep the server from ever being idle."""
        self._busy = "busy"
        body = {"jobType": "Command", "command": "sleep 600", "environmentId": "azureml:host@latest"}
        self.client.connection.put(self._path("busy"), {"properties": body})

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
                states[number] = self._wait(job["name"])
        made: list[tuple[str, str, Tree]] = []
        for job, one, state in zip(jobs, expected, states, strict=True):
            made += self._judge(job["name"], one, state)
        self.oracle.adopt(made)
        self._check_lists({name for name, _, _ in made})

    # Runs

    def _expected(self, job: Operation) -> Expected:
        if "export" in job:
            return self.oracle.export(job["export"])
        return self.oracle.run(
            job["document"], job.get("sets") or {}, job["name"], job.get("only"), job.get("of") or ""
        )

    def _submit(self, job: Operation) -> str:
        try:
            entity = self._load(job)
            entity.name = job["name"]
            chosen = {"only": job["only"], "of": job["of"]} if "only" in job else {}
            self.client.jobs.create_or_update(entity, **chosen)
        except SmaltError as error:
            self._why = str(error)
            return "Refused"
        return "accepted"

    def _load(self, job: Operation) -> Any:
        if "export" in job:
            shutil.rmtree("exported", ignore_errors=True)
            return load_job(export_job(self.client, job["export"], "exported"))
        self._write_yaml(f"{job['name']}.yml", job["document"])
        return documents.read(
            "job", f"{job['name']}.yml", [f"{key}={value}" for key, value in job.get("sets", {}).items()], {}
        )

    def _disturb(self, during: Operation, names: list[str]) -> None:
        time.sleep(during.get("after", 0) / 1000)
        for name in names if "cancel" in during else ():
            with contextlib.suppress(SmaltError):
                self.client.connection.post(f"{self._path(name)}/cancel")
        if "kill" in during:
            self._kill(during["kill"])
        for operation in during.get("edits", ()):
            arguments = {key: value for key, value in operation.items() if key != "do"}
            getattr(self, f"do_{operation['do']}")(**arguments)

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

    def _wait(self, name: str) -> str:
        end = time.monotonic() + LONGEST
        while time.monotonic() < end:
            with contextlib.suppress(SmaltError, OSError):
                for _ in self.client.jobs.events(name):
                    pass
                status = str(self._get(name).get("status"))
                if status in OVER:
                    return status
            time.sleep(0.005)
        return "still running"

    def _judge(self, name: str, expected: Expected, state: str) -> list[tuple[str, str, Tree]]:
        """Compare a job with what is expected; return the versions that it has registered."""
        if state == "Refused" or expected.states >= ANYTHING:
            self._judge_state(name, expected, state)
            return []
        made: list[tuple[str, str, Tree]] = []
        ran = self._ran(name)
        for path, leaf in expected.leaves.items():
            made += self._judge_step(name, path, leaf, ran.pop(path, None), expected)
        unexpected = [path for path in ran if expected.states != {"Refused"}]
        self.problems += [self._told(f"{name}/{path}", "no such step", ran[path].status) for path in unexpected]
        self._judge_state(name, expected, state)
        if state == "Completed" and state in expected.states:
            for output, place in expected.outputs.items():
                if not place.tree:
                    continue  # no step writes there
                self._compare_trees(f"{name} download {output}", place.tree, self._download(name, output))
        self.oracle.settle(name, expected, state)
        self._judge_words(name, expected)
        return made

    def _judge_words(self, name: str, expected: Expected) -> None:
        """Tags are the texts that were given."""
        wanted = expected.document[0].get("tags") or {} if expected.document else {}
        if wanted:
            tags = self._get(name).get("tags") or {}
            found = {key: tags.get(key) for key in wanted}
            if found != wanted:
                self.problems.append(self._told(f"{name} tags", wanted, found))

    def _judge_state(self, name: str, expected: Expected, state: str) -> None:
        if state not in expected.states:
            why = f" ({self._why})" if state == "Refused" else ""
            if state == "Failed":
                why = f" ({self._get(name).get('error')})"
            wanted = _either(expected.states) + (f" ({expected.why})" if expected.why else "")
            self.problems.append(self._told(name, wanted, state + why))

    def _judge_step(
        self, name: str, path: str, leaf: Leaf, ran: Ran | None, expected: Expected
    ) -> Iterator[tuple[str, str, Tree]]:
        what = f"{name}/{path}"
        status = ran.status if ran else "absent"
        if status not in leaf.states and not (status == "NotStarted" and "Canceled" in leaf.states):
            why = f" ({self._log(ran.job)})" if ran and status == "Failed" else ""
            self.problems.append(self._told(what, _either(leaf.states), status + why))
        if ran is None or status != "Completed":
            return
        kept = self._kept.setdefault(name, [])
        for output, place in leaf.outputs.items():
            if not expected.is_known(place):
                continue
            where, asset, version = ran.outputs.get(output, ("", None, None))
            found = step_files(where)
            self._compare_trees(f"{what} {output}", place.tree, found)
            if place.fixed:
                self._compare_trees(f"{what} {place.fixed}", place.tree, step_files(self._resolve(place.fixed)))
            else:
                kept.append((f"{what} {output}", where, found))
            wanted = leaf.assets.get(output)
            if wanted is None:
                continue
            if asset != wanted[0] or version is None or wanted[1] not in (None, version):
                self.problems.append(self._told(f"{what} {output}", f"registered as {wanted}", f"{asset}:{version}"))
            else:
                yield asset, version, dict(place.tree)
        if leaf.artifact is not None:
            found = self._download(ran.job, None)
            self._compare_trees(f"{what} artifacts", {"art.txt": leaf.artifact}, found)

    def _ran(self, name: str) -> dict[str, Ran]:
        """Return the steps of a job by their path in the pipeline; a job that has no steps is a step at ''."""
        tree = self.client.connection.get(f"/smalt/v1{self._path(name)}/tree")["jobs"]
        paths = {name: ""}
        found = {}
        parents = {row["parent"] for row in tree}
        for row in tree:
            if row["name"] != name:
                paths[row["name"]] = f"{paths[row['parent']]}/{row['node']}".strip("/")
            if row["name"] not in parents and (row["type"] != "pipeline" or row["name"] == name):
                found[paths[row["name"]]] = Ran(row["status"], row["name"], self._outputs(row["name"]))
        if len(tree) == 1 and tree[0]["type"] == "pipeline":
            return {}
        return found

    def _outputs(self, job: str) -> dict[str, tuple[str, str | None, str | None]]:
        found = {}
        for name, spec in (self._get(job).get("outputs") or {}).items():
            where = ""
            with contextlib.suppress(SmaltError):
                where = self._resolve(f"azureml://jobs/{job}/outputs/{name}/paths/")
            found[name] = where, spec.get("assetName"), spec.get("assetVersion")
        return found

    def _log(self, job: str) -> str:
        """Return the last line of a step's log."""
        for file in self.home.root.glob(f"workspaces/*/datastores/*/ExperimentRun/dcid.{job}/user_logs/std_log.txt"):
            return file.read_text().strip().rpartition("\n")[2]
        return "no log"

    def _downloader(self) -> MLClient:
        """Return the local client, and every second time one that reaches the server over its port."""
        self._downloads += 1
        return self.client if self._downloads % 2 else self._far()

    def _far(self) -> MLClient:
        """Return a client that reaches the server over its port, as one on another machine does."""
        facts = self.home.read_json("server.json") or {}
        url = f"http://127.0.0.1:{facts['port']}"
        if self._remote:
            self._remote.connection.close()
        self._remote = MLClient(url=url, token=self.home.token(), workspace_name=self.name)
        return self._remote

    def _download(self, job: str, output: str | None) -> Tree | str:
        target = self.folder / "downloaded"
        try:
            self._downloader().jobs.download(job, download_path=target, output_name=output)
            inside = f"named-outputs/{output}" if output else "artifacts/outputs"
            return step_files(str(target / inside))
        except (SmaltError, OSError) as error:
            return str(error)
        finally:
            shutil.rmtree(target, ignore_errors=True)

    # Checks

    def _check_lists(self, names: set[str]) -> None:
        """There are exactly the versions that were registered."""
        for name in names | set(self.oracle.data):
            known = self.oracle.data.get(name, {})
            try:
                there = {str(one.version) for one in self.client.data.list(name, list_view_type="All")}
            except SmaltError:
                there = set()
            if there != set(known):
                self.problems.append(self._told(f"versions of {name}", sorted(known), sorted(there)))

    def _check_versions(self) -> None:
        """Every version that was ever registered has the content that it had."""
        for name, versions in self.oracle.data.items():
            for version, data in versions.items():
                if (name, version) not in self._versions:
                    where = ""
                    with contextlib.suppress(SmaltError):
                        where = self._resolve(f"azureml:{name}:{version}")
                    self._versions[name, version] = where, data.tree
        for (name, version), (where, tree) in list(self._versions.items()):
            found = step_files(where)
            if found != tree:
                self._compare_trees(f"data {name}:{version}", tree, found)
                del self._versions[name, version]  # told once
                self._versions[name, version] = where, found if isinstance(found, dict) else tree

    def _check_kept(self) -> None:
        """The outputs of jobs that were not deleted are what they were."""
        for outputs in self._kept.values():
            for what, where, tree in outputs:
                self._compare_trees(f"{what} at the end", tree, step_files(where))

    def _compare(self, what: str, expected: frozenset[str], act: Callable[[], str]) -> None:
        try:
            found = act()
        except SmaltError as error:
            found = "Refused"
            self._why = str(error)
        if found not in expected:
            why = f" ({self._why})" if found == "Refused" else ""
            self.problems.append(self._told(what, _either(expected), found + why))

    def _compare_trees(self, what: str, expected: Tree, found: Tree | str) -> None:
        if found != expected:
            self.problems.append(self._told(what, _shown(expected), _shown(found)))

    def _told(self, what: str, expected: object, found: object) -> str:
        return f"at {self._at}: {what}: expected {expected}, got {found}"

    # The server

    def _path(self, job: str) -> str:
        return f"{self.client.workspace_id}/jobs/{job}"

    def _get(self, job: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.connection.get(self._path(job))["properties"]
        return found

    def _resolve(self, uri: str) -> str:
        answer = self.client.connection.post(f"/smalt/v1{self.client.workspace_id}/resolve", {"uri": uri})
        return str(answer.get("local") or "")

    def _write_yaml(self, path: str, document: Any) -> None:
        (self.folder / path).write_text(self._real(yaml.safe_dump(document, sort_keys=False, width=1000)))

    def _real(self, text: str) -> str:
        """Scripts write STEP for the steps' program and SITE for a host of their own."""
        return text.replace("STEP ", f"{PROGRAM} ").replace("//SITE/", f"//{self.name}.test/")

    def _end(self) -> None:
        for job in [self._busy] if self._busy else []:
            self.client.jobs.begin_cancel(job).result()
        mapped = [one for one in self.oracle.folders if one.startswith("http")]
        if mapped:
            self.client.connection.patch("/smalt/v1/config", {"url-map": {self._real(one): None for one in mapped}})
        for client in filter(None, (self.client, self._remote)):
            client.connection.close()


def step_files(where: str) -> Tree | str:
    """Return the tree at a place, or a sentence where nothing is."""
    try:
        return step.files_of(where) if where else "nothing"
    except SystemExit:
        return "nothing"


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


def _either(states: frozenset[str]) -> str:
    return " or ".join(sorted(states))


def _shown(tree: Tree | str) -> str:
    if isinstance(tree, str):
        return tree
    return json.dumps({name: text.decode(errors="replace") for name, text in sorted(tree.items())})
