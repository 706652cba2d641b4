"""Masks for logs: each byte of a secret becomes a `*`, so that sizes and offsets in a file stay."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO
from urllib.parse import quote, quote_plus

from smalt.wire.encoding import artifact_paths

SHORTEST = 4
"""Shorter values, and shorter lines of a value, are not looked for: they are in every log by chance."""

LOGS = ("user_logs", "system_logs", "logs", "azureml-logs")
"""The folders of a job's artifacts that are logs."""

_CHUNK = 1 << 20
_LOG = re.compile(re.escape(artifact_paths.PREFIX) + r"[^/]+/(?:" + "|".join(LOGS) + r")/.+", re.DOTALL)


_SHORTEST_CODE = 6
"""The length of the shortest base64 form to hide: shorter ones occur by chance."""
_CODED_LINE = 57
"""Bytes that make a line of 76 characters, as `base64` breaks them."""


class SecretMask:
    """A mask of some values: as they are, line by line, in JSON, percent-encoded as in URLs, and in base64."""

    def __init__(self, values: Iterable[str]) -> None:
        kept = list(values)
        forms = {form.encode("utf-8", "surrogateescape") for value in kept for form in _list_forms(value)}
        forms.update(code for value in kept for code in _list_base64_forms(value.encode("utf-8", "surrogateescape")))
        self._texts = sorted((form for form in forms if len(form) >= SHORTEST), key=len, reverse=True)
        self.longest = len(self._texts[0]) if self._texts else 0

    def __bool__(self) -> bool:
        return bool(self._texts)

    def hide_bytes(self, data: bytes) -> bytes:
        hidden: bytearray | None = None
        for text in self._texts:
            at = data.find(text)
            while at >= 0:
                hidden = hidden or bytearray(data)
                hidden[at : at + len(text)] = b"*" * len(text)
                at = data.find(text, at + 1)  # those that overlap, too
        return data if hidden is None else bytes(hidden)

    def hide_text(self, text: str) -> str:
        return self.hide_bytes(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def count_held(self, data: bytes) -> int:
        """Return the number of bytes at the end that may be the beginning of a value that is not fully written yet."""
        most = 0
        for text in self._texts:
            start = max(0, len(data) - len(text) + 1)
            at = data.find(text[:1], start)
            while 0 <= at < len(data) - most:
                if text.startswith(data[at:]):
                    most = len(data) - at
                at = data.find(text[:1], at + 1)
        return most

    def read_piece(self, file: BinaryIO, first: int, count: int) -> bytes:
        """Read a piece of a file, masked, including values that its ends cut."""
        margin = max(self.longest - 1, 0)
        start = max(0, first - margin)
        file.seek(start)
        data = self.hide_bytes(file.read(first - start + count + margin))
        return data[first - start : first - start + count]

    def read_pieces(self, path: str | os.PathLike[str], first: int, count: int) -> Iterator[bytes]:
        """Yield a part of a file, masked, in pieces."""
        with open(path, "rb") as file:
            while count > 0:
                piece = self.read_piece(file, first, min(_CHUNK, count))
                if not piece:
                    return
                first, count = first + len(piece), count - len(piece)
                yield piece

    def hide_in_logs(self, folder: str | os.PathLike[str]) -> None:
        """Mask the log files in a job's folder on the disk."""
        for name in LOGS:
            for top, _, names in os.walk(os.path.join(folder, name)):
                for each in names:
                    with contextlib.suppress(OSError):
                        self._rewrite_file(os.path.join(top, each))

    def _rewrite_file(self, path: str) -> None:
        """Mask a file in place: a reader that has it open continues at its position."""
        if os.path.islink(path) or not os.path.isfile(path):
            return
        with open(path, "r+b", buffering=0) as file:
            at, size = 0, os.path.getsize(path)
            while at < size:
                piece = self.read_piece(file, at, min(_CHUNK, size - at))
                if not piece:
                    return
                file.seek(at)
                if file.read(len(piece)) != piece:
                    file.seek(at)
                    file.write(piece)
                at += len(piece)


def is_log_path(path: str) -> bool:
    """True if a path of `workspaceartifactstore` is that of a job's log."""
    return _LOG.fullmatch(path) is not None


def _list_forms(value: str) -> Iterator[str]:
    for text in (value, *(line.strip() for line in value.splitlines())):
        yield text
        yield json.dumps(text)[1:-1]
        yield json.dumps(text, ensure_ascii=False)[1:-1]
        yield quote(text, safe="")
        yield quote(text)
        yield quote_plus(text)


def _list_base64_forms(value: bytes) -> Iterator[bytes]:
    """Yield the base64 forms of a value at any position in the encoded text, as in `user:VALUE`.

    Neighbouring bytes share the first and the last letters, which are left out.
    """
    if len(value) < SHORTEST:
        return
    codes = {base64.b64encode(value)}
    for shift, first in enumerate((0, 2, 3)):
        code = base64.b64encode(bytes(shift) + value)
        codes.add(code[first : len(code) - (0, 3, 2)[(shift + len(value)) % 3]])
    for start in range(0, len(value), _CODED_LINE):
        codes.add(base64.b64encode(value[start : start + _CODED_LINE]))
    for code in codes:
        if len(code) >= _SHORTEST_CODE:
            yield code
            yield code.translate(_URL_SAFE)


_URL_SAFE = bytes.maketrans(b"+/", b"-_")
