"""Differences between two values of a part of a key, in the user's terms: files, lines, packages, names.

A change is {"where", "before", "now"}: `where` is a file, a file and line, a package or a name; `before` or
`now` is None for an entry that does not exist on that side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from smalt.service.data.snapshots.manifest import ManifestEntry

Change = dict[str, Any]
Read = Callable[[ManifestEntry], "bytes | None"]
"""A file's bytes, or None where they are not kept."""

_MOST = 50
_LARGE = 1_000_000


def compare_mappings(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    return [
        {"where": name, "before": before.get(name), "now": now.get(name)}
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]


def compare_packages(before: Sequence[str], now: Sequence[str]) -> list[Change]:
    """Return the changes between two lists of `name==version`."""
    return compare_mappings(
        *({name: version for name, _, version in map(_split_package, some)} for some in (before, now))
    )


def compare_files(before: Sequence[ManifestEntry], now: Sequence[ManifestEntry], read: Read) -> list[Change]:
    """Return the changes by file; for a text that changed, by line."""
    were, are = ({entry.path: entry for entry in some} for some in (before, now))
    changes: list[Change] = []
    for path in sorted({*were, *are}):
        old, new = were.get(path), are.get(path)
        if old == new:
            continue
        lines = _compare_file(path, old, new, read) if old and new and old.content != new.content else []
        changes += lines or [{"where": path, "before": _describe_entry(old), "now": _describe_entry(new)}]
        if len(changes) > _MOST:
            return [*changes[:_MOST], {"where": "…", "before": None, "now": "and more"}]
    return changes


def compare_lines(where: str, before: str, now: str) -> list[Change]:
    """Return the places where two texts differ, each with its line number in the current one."""
    old, new = before.splitlines(), now.splitlines()
    return [
        {"where": f"{where}:{there + 1}", "before": _join_lines(old[start:end]), "now": _join_lines(new[there:to])}
        for kind, start, end, there, to in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if kind != "equal"
    ]


def _compare_file(path: str, old: ManifestEntry, new: ManifestEntry, read: Read) -> list[Change]:
    if max(old.size, new.size) > _LARGE:
        return []
    texts = [_decode_text(read(entry)) for entry in (old, new)]
    if texts[0] is None or texts[1] is None:
        return []
    return compare_lines(path, texts[0], texts[1])


def _decode_text(data: bytes | None) -> str | None:
    """Return the text of a file; None if it is not text."""
    if data is None or b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _describe_entry(entry: ManifestEntry | None) -> str | None:
    """Return a file in a few words."""
    if entry is None:
        return None
    if entry.kind == "l":
        return f"a link to {entry.content}"
    if entry.kind == "d":
        return "an empty folder"
    executable = ", executable" if entry.kind == "x" else ""
    return f"{entry.size} bytes{executable}, sha256 {entry.content[:12]}"


def _join_lines(lines: Sequence[str]) -> str | None:
    return "\n".join(lines) if lines else None


def _split_package(package: str) -> tuple[str, str, str]:
    return package.partition("==")
