"""Metrics and resource usage of jobs, from the server's own routes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from smalt.client.connection.name_rules import check_name
from smalt.wire.encoding.ids import build_resource_id, build_url_path

if TYPE_CHECKING:
    from smalt.client.session import ClientSession

Json = dict[str, Any]

_AT_ONCE = 5000


class MetricsReader:
    """A reader of the metrics of a workspace's jobs. A value is a number, or "NaN", "Infinity" or "-Infinity"."""

    def __init__(self, session: ClientSession) -> None:
        self._connection = session.connection
        self._workspace = session.workspace_id

    def get_runs(
        self,
        job: str,
        metrics: Sequence[str] = (),
        *,
        extremes: bool = False,
        history: bool = False,
        points: int | None = None,
        trials: bool = True,
    ) -> list[Json]:
        """Return the job's own run and those below it with their last values: see `service/api/native/metrics.py`."""
        check_name("job", job)
        path = build_url_path(f"/smalt/v1{build_resource_id(self._workspace, 'jobs', job)}/metrics")
        flags = {"extremes": extremes, "history": history}
        query: Json = {"metric": list(metrics), **{name: "true" for name, given in flags.items() if given}}
        if points is not None:
            query["points"] = points
        if not trials:
            query["trials"] = "false"
        found: list[Json] = self._connection.get(f"{path}?{urlencode(query, doseq=True)}")["runs"]
        return found

    def get_latest(self, jobs: Sequence[str]) -> dict[str, Json]:
        """Return job → metric → its last value; jobs without metrics are left out."""
        found: dict[str, Json] = {}
        for start in range(0, len(jobs), _AT_ONCE):
            body = {"jobs": list(jobs[start : start + _AT_ONCE])}
            found.update(self._connection.post(f"/smalt/v1{self._workspace}/metrics", body)["metrics"])
        return found

    def get_costs(self, jobs: Sequence[str]) -> dict[str, Json]:
        """Return the CPU seconds and peak memory of each job, including its steps."""
        found: dict[str, Json] = self._connection.post(f"/smalt/v1{self._workspace}/costs", {"jobs": list(jobs)})[
            "costs"
        ]
        return found

    def compare_jobs(self, jobs: Sequence[str]) -> list[Json]:
        """Return the facts of each job for a comparison."""
        found: list[Json] = self._connection.post(f"/smalt/v1{self._workspace}/compare", {"jobs": list(jobs)})["jobs"]
        return found
