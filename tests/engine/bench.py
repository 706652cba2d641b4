"""An engine on a home of its own, composed as a server's is: real database, data, environments and launcher."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from smalt import wire
from smalt.entities import CommandJob, PipelineJob
from smalt.entities.jobs.sweep import SweepComponent, SweepJob
from smalt.machine.home import Home
from smalt.service.composition import build_engine
from smalt.service.compute.local.launcher_client import LauncherClient
from smalt.service.environments.views import host_python
from smalt.service.records import assets, jobs, workspaces
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.service.settings import ServerSettings
from tests.helpers import LONGEST

read_sites_once = functools.cache(host_python._read_sites)
"""Asks a Python for its folders once in this process: each engine asks anew, which takes longer than a test's job."""


class Workbench:
    def __init__(self, home: Home, cpus: int = 2) -> None:
        self.home = home
        home.create()
        home.make_socket_folder()
        if not home.path("config.json").exists():  # or a job that uses MLflow would begin to install it
            home.path("config.json").write_text(json.dumps({"mlflow-python": sys.executable}))
        self.settings = ServerSettings(home)
        self.db = Database(home.path("smalt.db"))
        self.workspace = workspaces.ensure_workspace(self.db, "sub", "group", "default", "tester")
        self.compute = LauncherClient(home, cpus=cpus, restart=["true"])
        self.engine = build_engine(home, self.settings, self.db, self.compute)

    def submit(self, name: str, document: dict[str, Any]) -> Job:
        entity: Any = SweepJob if "trial" in document else PipelineJob if "jobs" in document else CommandJob
        body = wire.to_rest(entity.from_dict(document))["properties"]
        return self.engine.submit(self.workspace, name, body, "tester")

    def register(self, name: str, document: dict[str, Any]) -> str:
        """A component of that document; its reference."""
        from smalt.entities import CommandComponent, PipelineComponent

        kind: Any = SweepComponent if "trial" in document else CommandComponent
        kind = PipelineComponent if "jobs" in document else kind
        body = wire.to_rest(kind.from_dict({"name": name, **document}))["properties"]
        assets.put_version(self.db, self.workspace.id, "components", name, "1", body, "tester")
        return f"azureml:{name}:1"

    async def over(self, job: Job) -> Job:
        """The job once it is over."""
        await self.until(job, lambda now: now.is_over)
        return jobs.get_job(self.db, job.id)

    async def until(self, job: Job, holds: Callable[[Job], bool]) -> None:
        news = self.engine.watch.add_watcher(job.root_id)
        try:
            async with asyncio.timeout(LONGEST) if hasattr(asyncio, "timeout") else contextlib.nullcontext():
                while not holds(jobs.get_job(self.db, job.id)):
                    await asyncio.wait_for(news.wait(), LONGEST)
                    news.clear()
        finally:
            self.engine.watch.remove_watcher(job.root_id, news)

    def child(self, parent: Job, node: str) -> Job:
        return next(one for one in jobs.list_children(self.db, parent.id) if one.node == node)

    def states(self, parent: Job) -> dict[str, str]:
        return {str(one.node): one.status for one in jobs.list_children(self.db, parent.id)}

    def log(self, job: Job | str) -> str:
        name = job if isinstance(job, str) else job.name
        return (self.artifacts(name) / "user_logs" / "std_log.txt").read_text()

    def artifacts(self, name: str) -> Path:
        return Path(self.engine.context.artifacts(self.workspace, name))

    def store(self, *parts: str) -> Path:
        return self.home.path("workspaces", self.workspace.folder, "datastores", "workspaceblobstore", *parts)

    async def until_taken(self) -> None:
        """Wait until the launcher has started what it was told to, also where it was not up yet then."""
        query = "SELECT a.step_id FROM job_attempts a JOIN jobs j ON j.id=a.job_id WHERE a.pid IS NULL"
        query += " AND a.compute='local' AND a.ended_at IS NULL AND j.status='Running'"
        async with asyncio.timeout(LONGEST) if hasattr(asyncio, "timeout") else contextlib.nullcontext():
            while any(step_id not in self.compute.running for (step_id,) in self.db.rows(query)):
                if self.engine.pending_exits:
                    return
                await asyncio.sleep(0.01)

    async def kill(self) -> None:
        """Leave as a killed server does: without a word to the launcher."""
        await self.until_taken()
        self.engine.pause()
        await self.compute.abort()
        for runner in self.engine.context.computes.runners.values():
            if runner is not self.compute:
                await runner.close()
        # Python 3.11 waits for ever if a loop ends while a process is being started.
        await self.engine.context.tracking.child.close()
        self.db.close()


@contextlib.asynccontextmanager
async def workbench(home: Home | None = None, cpus: int = 2) -> AsyncIterator[Workbench]:
    """Opened, and closed so that nothing is left running."""
    with tempfile.TemporaryDirectory(prefix="smalt-test-", ignore_cleanup_errors=True) as folder:
        bench = Workbench(home or Home(Path(folder, "home")), cpus)
        await bench.engine.open()
        try:
            yield bench
        finally:
            for job in jobs.list_unfinished(bench.db):
                if job.parent_id is None:
                    bench.engine.cancel(job)
                    await bench.over(job)
            await bench.engine.close()
            await bench.engine.context.tracking.close()
            bench.db.close()
