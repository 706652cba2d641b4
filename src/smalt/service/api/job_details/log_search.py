"""GET /smalt/v1{WS}/jobs/{name}/log-search?file=&text=: the lines of a log with a text, whatever the log's size.

{"matches": [{"line", "at", "text"}], "next": {"from", "line"} or null, "size"}. `at` is the byte at which the line
begins. Large and small letters (A to Z) are the same, unless `case=true`. An answer has at most `limit` lines (200) and
looks at some 64 MB; where that is not all, `next` says what to send as `from=` and `line=` to go on. `file` is a log
as it is named in the job's folder; `user_logs/std_log.txt` if none is given.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from smalt.exceptions import NotFound, ValidationException
from smalt.service.api.arm.jobs import find_job
from smalt.service.api.job_details.log_files import NAMES
from smalt.service.api.request import ApiRequest
from smalt.service.data.files.path_containment import resolve_inside
from smalt.service.secrets.masks import LOGS, SecretMask

_PIECE = 1 << 20
_MOST_BYTES = 64 * _PIECE
_MOST_MATCHES = 1000
_LONGEST_TEXT = 1000
_SHOWN = 400
"""Bytes of a line that are shown."""


class LogPosition(NamedTuple):
    """The beginning of a line in a file; lines are counted from 1."""

    at: int
    line: int


async def search_log(request: ApiRequest) -> dict[str, Any]:
    job, text, name = find_job(request), request.get_query("text"), request.get_query("file", NAMES[-1])
    if not text or len(text) > _LONGEST_TEXT or "\n" in text:
        raise ValidationException(f'"text" must be a line of 1 to {_LONGEST_TEXT} characters')
    if name.partition("/")[0] not in LOGS:
        raise NotFound(f"'{name[:200]}' is no log of a job; logs are {', '.join(NAMES)}, and what is below logs/")
    context = request.server.engine.context
    path = resolve_inside(context.artifacts(request.workspace, job.name), name)
    search = _LogSearch(
        path,
        context.vault.get_mask(request.workspace) or SecretMask(()),
        text.encode("utf-8", "surrogatepass"),
        has_case=request.get_flag("case"),
        limit=max(1, min(request.get_number("limit", 200), _MOST_MATCHES)),
    )
    start = LogPosition(max(0, request.get_number("from", 0)), max(1, request.get_number("line", 1)))
    return await asyncio.get_running_loop().run_in_executor(request.server.readers, search.find_matches, start)


class _LogSearch:
    """A search for a text in a file, from a line on. Call nothing here on the event loop."""

    def __init__(self, path: Path, mask: SecretMask, text: bytes, *, has_case: bool, limit: int) -> None:
        self._path = path
        self._mask = mask
        self._text = text if has_case else text.lower()
        self._has_case = has_case
        self._limit = limit
        self._matches: list[dict[str, Any]] = []

    def find_matches(self, start: LogPosition) -> dict[str, Any]:
        try:
            with open(self._path, "rb", buffering=0, opener=_open_regular) as file:
                size = os.fstat(file.fileno()).st_size
                after = self._search_pieces(file, start, size)
        except OSError:
            raise NotFound(f"there is no log at '{self._path.name}' yet, or no more") from None
        more = {"from": after.at, "line": after.line} if after.at < size else None
        return {"matches": self._matches, "next": more, "size": size}

    def _search_pieces(self, file: BinaryIO, start: LogPosition, size: int) -> LogPosition:
        place = start
        while place.at < min(size, start.at + _MOST_BYTES) and len(self._matches) < self._limit:
            piece = self._mask.read_piece(file, place.at, _PIECE)
            if not piece:
                return LogPosition(size, place.line)
            end = len(piece) if place.at + len(piece) >= size else piece.rfind(b"\n") + 1
            piece = piece[: end or len(piece)]  # of a line that is longer than a piece, each piece is searched
            place = self._search_piece(piece, place)
        return place

    def _search_piece(self, piece: bytes, place: LogPosition) -> LogPosition:
        """Note the matches of a piece, and return where the search goes on."""
        counted, line = 0, place.line
        for begin, end in self._find_lines(piece):
            line += piece.count(b"\n", counted, begin)
            counted = begin
            text = piece[begin : min(end, begin + _SHOWN)].decode("utf-8", "replace").rstrip("\r")
            self._matches.append({"line": line, "at": place.at + begin, "text": text})
            if len(self._matches) >= self._limit:
                return LogPosition(place.at + min(end + 1, len(piece)), line + piece.count(b"\n", begin, end + 1))
        return LogPosition(place.at + len(piece), line + piece.count(b"\n", counted))

    def _find_lines(self, piece: bytes) -> Iterator[tuple[int, int]]:
        """Yield begin and end of each line with the text."""
        searched = piece if self._has_case else piece.lower()
        at = searched.find(self._text)
        while at >= 0:
            end = piece.find(b"\n", at)
            end = len(piece) if end < 0 else end
            yield piece.rfind(b"\n", 0, at) + 1, end
            at = searched.find(self._text, end)


def _open_regular(path: str, flags: int) -> int:
    """Open without waiting: a job may have put a pipe in the place of its log."""
    return os.open(path, flags | os.O_NONBLOCK)


ROUTES = [("GET", "/jobs/{name}/log-search", search_log)]
