"""The rooms and state of one running server, which the handlers work with."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property

from smalt.exceptions import Unauthorized, Unavailable
from smalt.machine.home import Home
from smalt.service.api.auth.access_tokens import AccessTokens as Jwt
from smalt.service.api.auth.signed_links import SignedLinks
from smalt.service.api.blob.sas import SharedAccessSignatures
from smalt.service.api.blob.shared_key import AccountKeys
from smalt.service.api.disk_count import DiskCount
from smalt.service.api.job_followers import JobFollowers
from smalt.service.api.studio.sessions import SignInCodes
from smalt.service.compute import LauncherClient
from smalt.service.data import DataAccess
from smalt.service.endpoints.online.online_endpoints import OnlineEndpoints
from smalt.service.endpoints.online.proxy import ScoringProxy
from smalt.service.engine import Engine
from smalt.service.records import jobs
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.service.schedules import Scheduler
from smalt.service.settings import ServerSettings
from smalt.service.tracking import Tracking
from smalt.service.tracking.curve_cache import CurveCache

_READERS = 4
_DOCUMENT_PROGRAMS = 4


class RequestActivity:
    """The number of open requests, and the time since the last one ended."""

    def __init__(self) -> None:
        self.open = 0
        self.last = time.monotonic()

    def __enter__(self) -> None:
        self.open += 1

    def __exit__(self, *_: object) -> None:
        self.open -= 1
        self.last = time.monotonic()

    def touch(self) -> None:
        self.last = time.monotonic()

    @property
    def idle_seconds(self) -> float:
        """Seconds without any request."""
        return 0.0 if self.open else time.monotonic() - self.last


async def _refuse_tls() -> tuple[str, str]:
    raise Unavailable("this server has no TLS listener")


@dataclass
class ServerContext:
    home: Home
    settings: ServerSettings
    db: Database
    engine: Engine
    online: OnlineEndpoints
    principal: str
    """The user whose server this is; whoever comes over the Unix socket."""
    port: int = 0
    host: str = "127.0.0.1"
    """The host by which programs of this machine reach the port, as URLs have it."""
    port_note: str | None = None
    """A sentence for users if another program has the home's port."""
    started: float = field(default_factory=time.time)
    activity: RequestActivity = field(default_factory=RequestActivity)
    signed_links: SignedLinks = field(default_factory=SignedLinks)
    job_followers: JobFollowers = field(default_factory=JobFollowers)
    sign_in_codes: SignInCodes = field(default_factory=SignInCodes)
    disk_count: DiskCount = field(default_factory=DiskCount)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    readers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_READERS, "reader"))
    """Read the logs of streams; apart, as what copies and fetches may take long."""
    document_programs: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_DOCUMENT_PROGRAMS))
    """Each program that submits a document for the studio holds one; more requests wait."""
    document_checks: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_DOCUMENT_PROGRAMS))
    """Each program that only checks a document holds one of these, so that checks do not wait for submissions."""
    launcher: LauncherClient | None = None
    """Starts a server for the next tick of a schedule, where none is there."""
    ends_idle: bool = False
    """True if the server ends because nobody needs it now, not because somebody ended it."""
    open_tls: Callable[[], Awaitable[tuple[str, str]]] = _refuse_tls
    """Opens the TLS listener; its URL, and the certificate of the authority that signs it."""

    @property
    def base_url(self) -> str:
        """The server's own URL, for callers that did not use one."""
        return self.settings.public_url or f"http://{self.host}:{self.port}"

    @property
    def curves(self) -> CurveCache:
        return self.engine.context.tracking.curves

    @cached_property
    def scheduler(self) -> Scheduler:
        return Scheduler(self.engine, wake_server_at=self.launcher.wake_server_at if self.launcher else None)

    @cached_property
    def access_tokens(self) -> Jwt:
        return Jwt(self.home.read_secret("jwt"))

    @cached_property
    def scoring_tokens(self) -> Jwt:
        """Signs tokens that open one online endpoint."""
        return Jwt(self.home.read_secret("endpoint-tokens"))

    @cached_property
    def scoring_proxy(self) -> ScoringProxy:
        return ScoringProxy(self.online)

    @cached_property
    def sas(self) -> SharedAccessSignatures:
        return SharedAccessSignatures(self.home.read_secret("storage"))

    @cached_property
    def account_keys(self) -> AccountKeys:
        return AccountKeys(self.home.read_secret("storage"))

    @property
    def data(self) -> DataAccess:
        return self.engine.context.data

    @property
    def tracking(self) -> Tracking:
        return self.engine.context.tracking

    def sign_container(self, workspace: Workspace, container: str, job: Job | None) -> str:
        """Return the query that opens a container of the workspace for a day; a job's query ends with the job."""
        return self.sas.sign_container(workspace.folder, container, job=job)

    def is_link_valid(self, method: str, workspace: str, container: str, query: str) -> bool:
        """True if the query opens the container; a job's query ends with the job's token."""
        return self.sas.is_valid(method, workspace, container, query, self.find_link_job(query))

    def find_link_job(self, query: str) -> Job | None:
        """Return the job for which a link was signed; None for a person's."""
        named = self.sas.parse_job(query)
        job = self.tracking.tokens.find_living_job(self.db, *named) if named else None
        if named and job is None:
            raise Unauthorized("the link was given to a job that has been over for more than an hour")
        return job

    @property
    def is_needed(self) -> bool:
        """True if the server must stay although nobody asks it: jobs are unfinished, or deployments serve."""
        return bool(self.count_unfinished()) or self.online.is_needed

    def count_unfinished(self) -> int:
        return self.engine.unfinished_count

    async def cancel_all_jobs(self, why: str, patience: float) -> None:
        """Cancel all unfinished jobs and wait until they have ended."""
        deadline = time.monotonic() + patience
        found = [job for job in jobs.list_unfinished(self.db) if job.parent_id is None]
        for job in found:
            self.engine.cancel(job, why)
        for job in found:
            await self.wait_until_over(job, deadline)

    async def wait_until_over(self, job: jobs.Job, deadline: float) -> bool:
        """Wait for the end of the job's tree or the deadline; return True if the job is over, and perhaps deleted."""
        news = self.engine.watch.add_watcher(job.root_id)
        try:
            while (found := jobs.find_job(self.db, job.id)) is not None and not found.is_over:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(news.wait(), left)
                news.clear()
            return True
        finally:
            self.engine.watch.remove_watcher(job.root_id, news)
