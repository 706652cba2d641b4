"""Manifests of snapshots: the entries of a folder in one exact text, whose sha256 is the content id.

The format is specified in docs/internals/content-ids.md; change it there, and its number, first.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from smalt.exceptions import ValidationException
from smalt.machine.ignore_rules import is_link_inside
from smalt.service.data.files.path_containment import is_storable, normalize_relative

FORMAT = b"smalt-snapshot 1\0"

FILE, EXECUTABLE, LINK, FOLDER = "f", "x", "l", "d"

_SHA = re.compile(r"[0-9a-f]{64}")


class ManifestEntry(NamedTuple):
    """A line of a manifest: a file ("f"), an executable file ("x"), a link ("l") or an empty folder ("d")."""

    path: str
    kind: str
    content: str
    """The sha256 of a file's bytes, the target of a link, or nothing."""
    size: int


def encode_manifest(entries: Iterable[ManifestEntry]) -> bytes:
    """Return the manifest's bytes, its lines in the order of the paths' bytes."""
    lines = [(_encode_name(entry.path), entry) for entry in entries]
    lines.sort(key=lambda line: line[0])
    parts = [FORMAT]
    for path, entry in lines:
        parts.append(b"%s %d %s\0%s\0" % (entry.kind.encode(), entry.size, _encode_name(entry.content), path))
    return b"".join(parts)


def decode_manifest(text: bytes) -> list[ManifestEntry]:
    """Return the entries of a manifest that `encode_manifest` made."""
    fields = text.removeprefix(FORMAT).split(b"\0")
    entries = []
    for head, path in zip(fields[0:-1:2], fields[1::2], strict=True):
        kind, size, content = head.split(b" ", 2)
        entries.append(ManifestEntry(_decode_name(path), kind.decode(), _decode_name(content), int(size)))
    return entries


def make_content_id(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def parse_entries(items: Sequence[Mapping[str, Any]]) -> list[ManifestEntry]:
    """Parse the entries of a client's JSON; raise ValidationException if a path is not plain, a duplicate, or
    below a file or link.
    """
    entries = [_parse_entry(item) for item in items]
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


def check_sha256(text: str) -> str:
    """Return `text` if it is a sha256 in hexadecimal, so that it can name a file; raise ValidationException else."""
    if not isinstance(text, str) or not _SHA.fullmatch(text):
        raise ValidationException(f"{text!r} is not a sha256")
    return text


def _parse_entry(item: Mapping[str, Any]) -> ManifestEntry:
    path = item.get("path") if isinstance(item, Mapping) else None
    if not isinstance(path, str) or not path or normalize_relative(path) != path:
        raise ValidationException(f"the manifest's path {path!r} is not a plain relative path")
    if item.get("folder"):
        return ManifestEntry(path, FOLDER, "", 0)
    link = item.get("link")
    if link:
        if not isinstance(link, str) or not is_link_inside(path, link) or not is_storable(link):
            raise ValidationException(f"the manifest's link {path!r} leads out of the folder ({link!r})")
        return ManifestEntry(path, LINK, link, 0)
    sha, size = item.get("sha256"), item.get("size")
    if not isinstance(sha, str) or not _SHA.fullmatch(sha):
        raise ValidationException(f"the manifest gives no sha256 for {path!r}")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise ValidationException(f"the manifest gives no size for {path!r}")
    return ManifestEntry(path, EXECUTABLE if item.get("executable") else FILE, sha, size)


def _encode_name(text: str) -> bytes:
    """Encode a name as disks hold it, whatever this machine's locale; bytes that are not UTF-8 stay as they are."""
    return text.encode("utf-8", "surrogateescape")


def _decode_name(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
