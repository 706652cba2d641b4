"""smalt's shared access signatures: a query that opens one container for a limited time, as storage clients send it."""

from __future__ import annotations

import datetime
import hmac
import re
from urllib.parse import parse_qs, urlencode

from smalt.service.records.jobs import Job

VERSION = "2023-11-03"
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_JOB = "si"
"""The field of a stored access policy; storage clients drop those that they do not know."""
_ID = re.compile(r"[0-9]{1,15}")
_READS = frozenset({"GET", "HEAD"})


class SharedAccessSignatures:
    """Signs with a key of the home, so that an upload continues after a restart of the server."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign_container(
        self, account: str, container: str, *, permissions: str = "racwdl", hours: float = 24, job: Job | None = None
    ) -> str:
        """Return the query that opens the container; `permissions` are the service's letters.

        A link for a job ends with the job's token, and contains only the job's name: proxies log queries.
        """
        until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
        fields = {"sv": VERSION, "sr": "c", "sp": permissions, "se": until.strftime(_TIME)}
        signature = self._compute_signature(account, container, fields["sp"], fields["se"], job)
        named = {_JOB: f"{job.workspace_id}.{job.name}"} if job else {}
        return urlencode({**fields, **named, "sig": signature})

    def parse_job(self, query: str) -> tuple[int, str] | None:
        """Return workspace id and name of the job for which a link was signed; None for other links."""
        workspace, _, name = parse_qs(query).get(_JOB, [""])[0].partition(".")
        return (int(workspace), name) if _ID.fullmatch(workspace) else None

    def is_valid(self, method: str, account: str, container: str, query: str, job: Job | None) -> bool:
        """True if the link permits the request; `job` is the job that it names."""
        given = {name: values[0] for name, values in parse_qs(query).items()}
        permissions, until = given.get("sp", ""), given.get("se", "")
        right = self._compute_signature(account, container, permissions, until, job)
        if not hmac.compare_digest(right.encode(), given.get("sig", "").encode("utf-8", "surrogateescape")):
            return False
        is_over = until < datetime.datetime.now(datetime.timezone.utc).strftime(_TIME)  # texts of one form: as times
        wanted = "rl" if method in _READS else "d" if method == "DELETE" else "cw"
        return not is_over and any(letter in permissions for letter in wanted)

    def _compute_signature(self, account: str, container: str, permissions: str, until: str, job: Job | None) -> str:
        """Sign the fields and the job's creation time: a later job of the same name is another job."""
        of_job = (f"{job.workspace_id}.{job.name}", repr(job.created_at)) if job else ()
        text = "\n".join((account, container, permissions, until, *of_job))
        return hmac.digest(self._key, text.encode("utf-8", "surrogateescape"), "sha256").hex()
