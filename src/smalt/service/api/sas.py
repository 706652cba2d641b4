"""Shared access signatures of our own: a query that opens one container for a while, as storage clients carry it."""

from __future__ import annotations

import datetime
import hmac
from urllib.parse import parse_qs, urlencode

VERSION = "2023-11-03"
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_JOB = "si"
"""The field of a stored access policy; storage clients drop those that they do not know."""
_READS = frozenset({"GET", "HEAD"})


class Sas:
    """`key` is the home's, so that an upload goes on over a restart of the server."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(
        self, account: str, container: str, *, permissions: str = "racwdl", hours: float = 24, job: str = ""
    ) -> str:
        """The query that opens the container; `permissions` are the service's letters. `job` is the token of the job
        that it is given to, with which it ends."""
        until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
        fields = {"sv": VERSION, "sr": "c", "sp": permissions, "se": until.strftime(_TIME)}
        signature = self._signature(account, container, fields["sp"], fields["se"], job)
        return urlencode({**fields, **({_JOB: job} if job else {}), "sig": signature})

    def job(self, query: str) -> str:
        """The token of the job that a link was given to; empty for all others."""
        return parse_qs(query).get(_JOB, [""])[0]

    def opens(self, method: str, account: str, container: str, query: str) -> bool:
        given = {name: values[0] for name, values in parse_qs(query).items()}
        permissions, until = given.get("sp", ""), given.get("se", "")
        right = self._signature(account, container, permissions, until, given.get(_JOB, ""))
        if not hmac.compare_digest(right.encode(), given.get("sig", "").encode("utf-8", "surrogateescape")):
            return False
        is_over = until < datetime.datetime.now(datetime.timezone.utc).strftime(_TIME)  # texts of one form: as times
        wanted = "rl" if method in _READS else "d" if method == "DELETE" else "cw"
        return not is_over and any(letter in permissions for letter in wanted)

    def _signature(self, account: str, container: str, permissions: str, until: str, job: str) -> str:
        text = "\n".join((account, container, permissions, until, *([job] if job else ())))
        return hmac.digest(self._key, text.encode("utf-8", "surrogateescape"), "sha256").hex()
