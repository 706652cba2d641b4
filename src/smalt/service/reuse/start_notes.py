"""Notes taken when a step starts, by which the content of its inputs at that time can be determined later.

They become `records.reuse.ReuseStep.contents`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from smalt.service.data.job_data import mltable_inputs
from smalt.service.data.job_data.access_modes import COPIED
from smalt.service.reuse.candidate_contents import make_input_place
from smalt.service.reuse.content_lookup import ContentLookup, LookupPlace
from smalt.service.reuse.contents import ContentFilter, PathContent
from smalt.service.reuse.keys import ReuseCandidate


def make_start_notes(candidate: ReuseCandidate, turn: float, *, is_early: bool) -> dict[str, Any]:
    """Return the notes of a step that is about to run: those of its fetched inputs, and those taken in this `turn`.

    `is_early` says that its inputs are not all there yet.
    """
    notes = {
        **candidate.noted,
        "names": dict(_list_renamed_inputs(candidate)),
        "inodes": {} if is_early else dict(_list_inodes(candidate)),
    }
    if "copied" not in notes:  # copies were made in this turn
        notes["copied"] = {
            name: str(turn) for name in candidate.inputs if make_input_place(candidate, name).mode in COPIED
        }
    if candidate.host is not None:
        notes["host"] = candidate.host()
    return {key: note for key, note in notes.items() if note}


async def make_fetch_notes(
    lookup: ContentLookup,
    candidate: ReuseCandidate,
    paths: Mapping[str, Path],
    read: Mapping[str, Mapping[str, str]],
    since: float,
) -> dict[str, Any]:
    """Return the notes of the inputs brought to the step `since` then: the originals may differ by now.

    `paths` are those of the inputs, and `read` those of the data that tables among them refer to by URI.
    """
    fetched, copied, named = {}, {}, {}
    for name, data in candidate.inputs.items():
        place = make_input_place(candidate, name)
        if lookup.is_elsewhere(place):
            found = await lookup.examine(paths[name], place)
            if isinstance(found, PathContent):
                fetched[name] = found.id
        elif place.mode in COPIED:
            copied[name] = str(since)
        if data.type == "mltable":
            named[name] = await _examine_references(lookup, place, paths[name], read.get(name, {}))
    return {"inputs": fetched, "copied": copied, "named": named}


async def _examine_references(
    lookup: ContentLookup, place: LookupPlace, folder: Path, read: Mapping[str, str]
) -> dict[str, list[str]]:
    """Return, by the text that refers to it, each reference's path, pattern, and content id if it was fetched."""
    rows = {}
    for one in mltable_inputs.list_references(folder):
        if lookup.explain_unreadable(place, one):
            rows[one.written] = ["", "", ""]
            continue
        path, id = read[one.uri] if one.is_remote else one.uri, ""
        if one.is_remote and lookup.is_elsewhere(LookupPlace(one.uri, "", place.workspace)):
            chosen = place._replace(type="", choice=ContentFilter(pattern=one.pattern))
            found = await lookup.examine(Path(path), chosen)
            id = found.id if isinstance(found, PathContent) else ""
            path = path if id else ""
        rows[one.written] = [path, one.pattern, id]
    return rows


def _list_renamed_inputs(candidate: ReuseCandidate) -> Iterator[tuple[str, str]]:
    """Yield the inputs that are files with other names than their real paths have."""
    for name, location in candidate.places.items():
        if location.path is not None and location.name not in (None, location.path.name):
            yield name, str(location.name)


def _list_inodes(candidate: ReuseCandidate) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the inputs on this machine, each with what tells it from another file moved to its path later."""
    for name, location in candidate.places.items():
        if location.path is not None and (inode := get_inode(str(location.path))):
            yield name, (str(location.path), inode)


def get_inode(path: str) -> str:
    try:
        status = os.stat(path)
    except OSError:
        return ""
    return f"{status.st_dev}:{status.st_ino}"
