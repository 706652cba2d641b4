"""A job's token for MLflow and, by exchange, for the API. Computed, not stored.

`smaltjob.<workspace id>.<job name>.<HMAC-SHA256>`; the secret is the home's. A row per step would cost the engine
a write each.
"""

from __future__ import annotations

import hmac
import secrets
import time

from smalt.machine.home import Home
from smalt.service.records import jobs
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job

PREFIX = "smaltjob."

GRACE = 3600.0
"""Seconds after the job's end in which its token is still good: what a script left in the background may finish."""

_FILE = "tracking.key"


class JobTokens:
    """Issues and checks the tokens of jobs."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._signer: hmac.HMAC | None = None
        """The signature of nothing, by the home's secret; copied for each job."""
        self._last: tuple[tuple[int, str, float] | None, str] = (None, "")

    def get_token(self, job: Job) -> str:
        key = (job.workspace_id, job.name, job.created_at)
        if key != self._last[0]:  # asked for once by each of those who give a step its variables
            self._last = (key, f"{PREFIX}{job.workspace_id}.{job.name}.{self._compute_signature(job)}")
        return self._last[1]

    def find_job(self, db: Database, token: str) -> Job | None:
        """Return the token's job; None if it is forged, or if the job is long over or deleted."""
        parts = token.split(".")
        if len(parts) != 4 or not token.isascii() or not parts[1].isdecimal() or len(parts[1]) > 15:
            return None
        job = self.find_living_job(db, int(parts[1]), parts[2])
        return job if job and hmac.compare_digest(parts[3], self._compute_signature(job)) else None

    def find_living_job(self, db: Database, workspace_id: int, name: str) -> Job | None:
        """Return the job if its token and links are still valid, else None."""
        job = jobs.find_by_name(db, workspace_id, name)
        if job is None:
            return None
        return job if job.ended_at is None or job.ended_at + GRACE > time.time() else None

    def _compute_signature(self, job: Job) -> str:
        """Sign the job's name and creation time: a later job of the same name is another job."""
        text = f"{job.workspace_id}.{job.name}.{job.created_at!r}"
        signature = self._load_signer().copy()
        signature.update(text.encode())
        return signature.hexdigest()

    def _load_signer(self) -> hmac.HMAC:
        if self._signer is None:
            text = self._home.read(_FILE)
            if not text:
                text = secrets.token_hex(32)
                self._home.write(_FILE, text)
            self._signer = hmac.new(text.encode(), digestmod="sha256")
        return self._signer
