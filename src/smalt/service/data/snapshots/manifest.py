"""A snapshot's manifest: what a folder holds, in one exact text whose sha256 is the content id.

The format is specified in docs/internals/content-ids.md; change it there, and its number, first.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from smalt.exceptions import ValidationException
from smalt.machine.ignore_rules import stays_inside
from smalt.service.data.files.path_containment import can_be_named, inside

FORMAT = b"smalt-snapshot 1\0"

FILE, EXECUTABLE, LINK, FOLDER = "f", "x", "l", "d"

_SHA = re.compile(r"[0-9a-f]{64}")


class Entry(NamedTuple):
    """One line: a file ("f"), an executable file ("x"), a link ("l") or an empty folder ("d")."""

    path: str
    kind: str
    content: str
    """The sha256 of a file's bytes, the target of a link, or nothing."""
    size: int


def encode(entries: Iterable[Entry]) -> bytes:
    """The manifest's bytes, its lines in the order of the paths' bytes."""
    lines = [(_bytes(entry.path), entry) for entry in entries]
    lines.sort(key=lambda line: line[0])
    parts = [FORMAT]
    for path, entry in lines:
        parts.append(b"%s %d %s\0%s\0" % (entry.kind.encode(), entry.size, _bytes(entry.content), path))
    return b"".join(parts)


def decode(text: bytes) -> list[Entry]:
    """The lines of a manifest that `encode` made."""
    fields = text.removeprefix(FORMAT).split(b"\0")
    entries = []
    for head, path in zip(fields[0:-1:2], fields[1::2], strict=True):
        kind, size, content = head.split(b" ", 2)
        entries.append(Entry(_text(path), kind.decode(), _text(content), int(size)))
    return entries


def content_id(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def read(items: Sequence[Mapping[str, Any]]) -> list[Entry]:
    """Entries from a client's JSON; refused where a path is not plain, twice there, or below a file or link."""
    entries = [_entry(item) for item in items]
    kinds = {entry.path: entry.kind for entry in entries}
    if len(kinds) != len(entries):
        raise ValidationException("the manifest names a path twice")
    for path in kinds:
        above = path
        while "/" in above:
            above = above.rpartition("/")[0]
            if above in kinds:
                raise ValidationException(f"the manifest has both {above!r} and {path!r} below it")
    return entries


def sha256(text: str) -> str:
    """`text` when it is a sha256 in hexadecimal; refused else, so it can name a file."""
    if not isinstance(text, str) or not _SHA.fullmatch(text):
        raise ValidationException(f"{text!r} is not a sha256")
    return text


def _entry(item: Mapping[str, Any]) -> Entry:
    path = item.get("path") if isinstance(item, Mapping) else None
    if not isinstance(path, str) or not path or inside(path) != path:
        raise ValidationException(f"the manifest's path {path!r} is not a plain relative path")
    if item.get("folder"):
        return Entry(path, FOLDER, "", 0)
    link = item.get("link")
    if link:
        if not isinstance(link, str) or not stays_inside(path, link) or not can_be_named(link):
            raise ValidationException(f"the manifest's link {path!r} leads out of the folder ({link!r})")
        return Entry(path, LINK, link, 0)
    sha, size = item.get("sha256"), item.get("size")
    if not isinstance(sha, str) or not _SHA.fullmatch(sha):
        raise ValidationException(f"the manifest gives no sha256 for {path!r}")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise ValidationException(f"the manifest gives no size for {path!r}")
    return Entry(path, EXECUTABLE if item.get("executable") else FILE, sha, size)


def _bytes(text: str) -> bytes:
    """As file names are on disks, whatever this machine's locale; bytes that are no UTF-8 stay what they are."""
    return text.encode("utf-8", "surrogateescape")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
