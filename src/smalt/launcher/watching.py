"""A note of how a step's inputs were when it started, and the first difference when it has ended.

It is for machines on which nothing keeps a step from writing what it reads (`sealing`).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import time
from collections.abc import Collection, Iterable, Mapping
from typing import Any

_MOST = 2_000
"""Entries of an input that the launcher looks at (some 10 ms); of a larger one, only the time is noted."""
_QUICK = 500
"""Entries that the server looks at again within a turn of its loop."""
_YOUNG = 20_000_000
"""Nanoseconds within which a file can be written twice without another time: its content is noted."""
_SMALL = 1 << 20


class _TooManyEntries(Exception):
    pass


def write_input_facts(claim: str, inputs: Mapping[str, str], writes: Collection[str]) -> None:
    """Write beside the claim the state of `inputs` (names by path), except entries at or below `writes`.

    An input that is, or lies in, one of `writes` is the step's to write.
    """
    now = time.time_ns()
    noted: dict[str, Any] = {}
    reals = [os.path.realpath(path) for path in writes]
    for path, name in inputs.items():
        top = f"{os.path.realpath(path).rstrip('/')}/"
        if any(top.startswith(f"{real.rstrip('/')}/") for real in reals):
            continue
        known: dict[str, Any] = {"name": name, "written": [r.removeprefix(top) for r in reals if r.startswith(top)]}
        try:
            noted[path] = {**known, "entries": _read_entries(path, now, _MOST, known["written"])}
        except _TooManyEntries:
            noted[path] = {**known, "since": now}
    with open(_make_path(claim), "w") as file:
        json.dump(noted, file)


def is_large(noted: Mapping[str, Any]) -> bool:
    """Return whether to look again at the inputs that were noted takes long."""
    entries = [known.get("entries") for known in noted.values()]
    return any(each is None for each in entries) or sum(len(each) for each in entries) > _QUICK


def find_change(claim: str, noted: Mapping[str, Any] | None = None) -> str | None:
    """Return a sentence on the first entry of an input that is not as it was noted; None where all are, or none was.

    A note that says nothing more is removed: the step's folder is then as it was made. `noted` is the note where it
    was read already.
    """
    noted = read_note(claim) if noted is None else noted
    for path, known in noted.items():
        found = _find_change(path, known)
        if found is not None:
            return f"its input '{known['name']}' was changed while it ran ({found}), and may only be read"
    if noted:
        os.unlink(_make_path(claim))
    return None


def _find_change(path: str, known: Mapping[str, Any]) -> str | None:
    if "since" in known:
        return next(
            (f"{place} was written" for place, time in _list_times(path, known["written"]) if time > known["since"]),
            None,
        )
    before, after = known["entries"], _read_entries(path, None, None, known["written"], known["entries"])
    for place in sorted({*before, *after}):
        if _is_changed(before.get(place), after.get(place)):
            what = "written" if place in before and place in after else "added" if place in after else "removed"
            return f"{os.path.join(path, place) if place else path} was {what}"
    return None


def _is_changed(before: list[Any] | None, after: list[Any] | None) -> bool:
    """Return whether an entry was written, also where its time was set back: nothing sets back the time of the inode.

    That time changes, too, when the mode loses the right to write (a version is protected) or a name comes or goes.
    """
    if before is None or after is None or before[:4] != after[:4] or before[7:] != after[7:]:
        return True
    if len(before) < 7 or before[6] == after[6]:  # a folder, or a note of an earlier server
        return False
    gained = after[4] & ~before[4] & 0o222
    return bool(gained) or before[4:6] == after[4:6]


def _read_entries(
    path: str,
    now: int | None,
    most: int | None,
    written: Collection[str],
    before: Mapping[str, list[Any]] | None = None,
) -> dict[str, list[Any]]:
    """Return kind, size, time, inode, mode, names and inode's time of each entry; and the content of what is young.

    What was young when it was looked at before is read again.

    The times of folders are not looked at: what is added to or removed from one is an entry itself.
    """
    found: dict[str, list[Any]] = {}
    for place, status in _walk_entries(path, written):
        kind, size = stat.S_IFMT(status.st_mode), status.st_size
        if stat.S_ISDIR(kind):
            found[place] = [kind]
            continue
        found[place] = [kind, size, status.st_mtime_ns, status.st_ino]
        found[place] += [stat.S_IMODE(status.st_mode), status.st_nlink, status.st_ctime_ns]
        is_young = now is not None and status.st_mtime_ns > now - _YOUNG
        was_young = before is not None and len(before.get(place, ())) > 7
        if stat.S_ISREG(kind) and size <= _SMALL and (is_young or was_young):
            found[place].append(_compute_digest(os.path.join(path, place) if place else path))
        if most is not None and len(found) > most:
            raise _TooManyEntries
    return found


def _list_times(path: str, written: Collection[str]) -> Iterable[tuple[str, int]]:
    """Yield when each entry was written last; the inode's time counts where protecting or naming it cannot be why."""
    for place, status in _walk_entries(path, written):
        is_plain = stat.S_ISREG(status.st_mode) and status.st_mode & 0o222 and status.st_nlink == 1
        time = max(status.st_mtime_ns, status.st_ctime_ns) if is_plain else status.st_mtime_ns
        yield (os.path.join(path, place) if place else path), time


def _walk_entries(path: str, written: Collection[str]) -> Iterable[tuple[str, os.stat_result]]:
    """Yield each entry at and below `path`, by its path below `path`, except those at and below `written`.

    No link is followed but `path` itself; entries that cannot be read are left out.
    """
    try:
        status = os.stat(path)
    except OSError:
        return
    yield "", status
    folders = [""] if stat.S_ISDIR(status.st_mode) else []
    while folders:
        prefix = folders.pop()
        with contextlib.suppress(OSError), os.scandir(os.path.join(path, prefix)) as entries:
            for entry in entries:
                place = prefix + entry.name
                if place in written:
                    continue
                try:
                    status = entry.stat(follow_symlinks=False)
                except OSError:  # gone meanwhile, and the others are not
                    continue
                yield place, status
                if stat.S_ISDIR(status.st_mode):
                    folders.append(f"{place}/")


def _compute_digest(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return ""


def _make_path(claim: str) -> str:
    return f"{claim}.reads"


def read_note(claim: str) -> dict[str, Any]:
    """Return what was noted beside the claim, by path; nothing where no note was made."""
    try:
        with open(_make_path(claim)) as file:
            found: dict[str, Any] = json.load(file)
    except FileNotFoundError:
        return {}
    return found
