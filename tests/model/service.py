"""A workspace on a real home: what the server and its folders tell of jobs, outputs, versions and metrics."""

from __future__ import annotations

import contextlib
import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple

from smalt.cli.jobs import comparison
from smalt.client import MLClient
from smalt.client.jobs.metrics import MetricsReader
from smalt.exceptions import SmaltError
from smalt.machine.home import Home
from tests.model import step
from tests.model.facts import Asset, Tree, noun_of

OVER = {"Completed", "Failed", "Canceled"}
LONGEST = 300
"""Seconds in which a job must be over."""


class Ran(NamedTuple):
    """A step as the server tells it."""

    status: str
    job: str
    outputs: dict[str, tuple[str, Asset | None]]
    """By name: where its files are, and the version that it is."""


class Service:
    def __init__(self, home: Home, workspace: str, folder: Path) -> None:
        self.home = home
        self.workspace = workspace
        self.client = MLClient(home=home, workspace_name=workspace)
        self._folder = folder
        self._downloads = 0
        self._remote: MLClient | None = None

    def close(self) -> None:
        for client in filter(None, (self.client, self._remote)):
            client.connection.close()

    def far(self) -> MLClient:
        """Return a client that reaches the server over its port, as one on another machine does."""
        facts = self.home.read_json("server.json") or {}
        url = f"http://127.0.0.1:{facts['port']}"
        if self._remote:
            self._remote.connection.close()
        self._remote = MLClient(url=url, token=self.home.read_token(), workspace_name=self.workspace)
        return self._remote

    # Jobs

    def path(self, job: str) -> str:
        return f"{self.client.workspace_id}/jobs/{job}"

    def job(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.connection.get(self.path(name))["properties"]
        return found

    def wait(self, name: str) -> str:
        end = time.monotonic() + LONGEST
        while time.monotonic() < end:
            with contextlib.suppress(SmaltError, OSError):
                for _ in self.client.jobs.events(name):
                    pass
                status = str(self.job(name).get("status"))
                if status in OVER:
                    return status
            time.sleep(0.005)
        return "still running"

    def ran(self, name: str) -> dict[str, Ran]:
        """Return the steps of a job by their path in the pipeline; a job that has no steps is a step at ''."""
        tree = self.client.connection.get(f"/smalt/v1{self.path(name)}/tree")["jobs"]
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

    def _outputs(self, job: str) -> dict[str, tuple[str, Asset | None]]:
        found = {}
        for name, spec in (self.job(job).get("outputs") or {}).items():
            asset, noun = spec.get("assetName"), noun_of(str(spec.get("jobOutputType")))
            where = self.place(f"azureml://jobs/{job}/outputs/{name}/paths/")
            found[name] = where, Asset(noun, asset, spec.get("assetVersion")) if asset else None
        return found

    def last_lines(self, job: str) -> str:
        """Return the last lines of a step's log."""
        file = Path(self.place(f"azureml://jobs/{job}/outputs/artifacts/paths/user_logs/std_log.txt"))
        return "\n".join(file.read_text().splitlines()[-20:]) if file.is_file() else f"no log at {file}"

    def download(self, job: str, output: str | None) -> Tree | str:
        """Return what a download brings; every second one is over the server's port."""
        self._downloads += 1
        target = self._folder / "downloaded"
        try:
            client = self.client if self._downloads % 2 else self.far()
            client.jobs.download(job, download_path=target, output_name=output)
            inside = f"named-outputs/{output}" if output else "artifacts/outputs"
            return step_files(str(target / inside))
        except (SmaltError, OSError) as error:
            return str(error)
        finally:
            shutil.rmtree(target, ignore_errors=True)

    def download_model(self, asset: Asset) -> Tree | str:
        try:
            self.client.models.download(asset.name, str(asset.version), self._folder / "downloaded")
            return step_files(str(self._folder / "downloaded" / asset.name))
        except (SmaltError, OSError) as error:
            return str(error)
        finally:
            shutil.rmtree(self._folder / "downloaded", ignore_errors=True)

    def metrics(self, job: str) -> dict[str, dict[str, float]]:
        """Return what each step of a job logged, by its path; steps that logged nothing are left out."""
        found = {}
        for run in MetricsReader(self.client).get_runs(job):
            own = {one["name"]: one["value"] for one in run["metrics"] if not one["name"].startswith("system/")}
            if own:
                found[run["label"]] = own
        return found

    def differences(self, first: str, second: str) -> set[str]:
        """Return the rows of a comparison of two jobs that say that they differ."""
        rows = comparison.build_rows(MetricsReader(self.client).compare_jobs([first, second]))
        return {row["name"] for row in rows if row["differs"]}

    # Places

    def place(self, uri: str) -> str:
        """Return the local path of a URI, '' where there is none."""
        with contextlib.suppress(SmaltError):
            answer = self.client.connection.post(f"/smalt/v1{self.client.workspace_id}/resolve", {"uri": uri})
            return str(answer.get("local") or "")
        return ""

    def place_of(self, asset: Asset) -> str:
        if asset.noun == "data":
            return self.place(f"azureml:{asset.name}:{asset.version}")
        with contextlib.suppress(SmaltError):
            return self.place(str(self.client.models.get(asset.name, asset.version).path))
        return ""

    def versions(self, noun: str, name: str) -> set[str]:
        try:
            return {str(one.version) for one in getattr(self.client, noun).list(name, list_view_type="All")}
        except SmaltError:
            return set()


def step_files(where: str) -> Tree | str:
    """Return the tree at a place, or a sentence where nothing is."""
    try:
        return step.files_of(where) if where else "nothing"
    except SystemExit:
        return "nothing"
