"""What jobs use of the machine, as a server records it."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import Any

from tests.helpers import Server, begin_long_job, eventually, host_job


def test_a_running_job_is_sampled_and_the_samples_go_with_it(own_server: Server) -> None:
    """A job that lasts has samples of its memory, one that does not has none; both are gone once the job is."""
    workspace = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
    own_server.start()
    own_server.ask("PUT", f"{workspace}/jobs/short", host_job("true"))
    begin_long_job(own_server, workspace, "long")
    name, cpu, memory, gpu = eventually(lambda: _samples(own_server))[0]
    assert name == "long"
    assert 0 <= cpu < 1
    assert memory > 100_000
    assert gpu is None
    own_server.ask("POST", f"{workspace}/jobs/long/cancel")
    eventually(lambda: own_server.ask("GET", f"{workspace}/jobs/long").body["properties"]["status"] == "Canceled")
    told = own_server.ask("POST", "/smalt/v1/prune", {"older_than": 0, "dry_run": True}).body["items"]
    assert [int(item["name"]) > 0 for item in told if item["kind"] == "usage samples"] == [True]
    assert _samples(own_server)
    own_server.ask("DELETE", f"{workspace}/jobs/long")
    assert _samples(own_server, joined=False) == []


def _samples(server: Server, joined: bool = True) -> list[Any]:
    with contextlib.closing(sqlite3.connect(f"file:{server.home.path('smalt.db')}?mode=ro", uri=True)) as db:
        join = "JOIN jobs j ON j.id=u.job_id" if joined else "LEFT JOIN jobs j ON j.id=u.job_id"
        return db.execute(f"SELECT j.name, u.cpu, u.memory, u.gpu FROM usage u {join} ORDER BY u.at").fetchall()
