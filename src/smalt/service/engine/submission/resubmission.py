"""A job that is submitted again under its name: the same only where the data that it names is the same, too."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from smalt.entities.syntax.references import parse_reference
from smalt.exceptions import Conflict, SmaltError
from smalt.service.data.job_data import mltable_inputs
from smalt.service.engine import kinds
from smalt.service.engine.context import EngineContext
from smalt.service.engine.submission import lookup
from smalt.service.engine.submission.pins import Body, Pins
from smalt.service.records import jobs, pins
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.wire.encoding.casing import to_snake

_FILE = "file://"


def check_data_unchanged(job: Job, properties: Mapping[str, Any]) -> None:
    """Refuse a job whose local inputs were changed since `job` was submitted: it would read other data.

    What a client uploads has another URI where it has other content; a path of this machine is the same text. A time
    of change counts rather than the content, which nobody may have read yet.
    """
    for name, path in _find_local_inputs(properties):
        if any(_is_newer(place, job.created_at) for place in (path, *_read_table_paths(path))):
            raise Conflict(
                f"job '{job.name}' exists and is another job: its {name} ({path}) was changed after it was submitted; "
                "choose another name"
            )


def check_references_unmoved(context: EngineContext, workspace: Workspace, job: Job) -> None:
    """Refuse a job whose labels, or names without a version, mean other versions than when `job` was submitted."""
    for kind, texts in pins.get_job_pins(context.db, job).items():
        for text, before in texts.items():
            if text == before:  # it was written with its version
                continue
            type = "custom_model" if "/models/" in before else None
            try:
                now = lookup.resolve_version(context, workspace, kind, text, type)
            except SmaltError:
                now = "not there"
            if now != before:
                raise Conflict(
                    f"job '{job.name}' exists and is another job: {text} was {_format_reference(before)} "
                    f"when it was submitted, and is {_format_reference(now)} now; choose another name"
                )


def _format_reference(reference: str) -> str:
    """Return a reference with a version as users write it."""
    found = parse_reference(reference)
    return f"{found.name}:{found.version}" if found is not None and found.version else reference


def describe_difference(context: EngineContext, workspace: Workspace, job: Job, sent: Body) -> str:
    """Return the sentence that refuses another job of the name of `job`."""
    submitted = _remove_notes(jobs.read_properties(context.db, job.id))
    sent = _remove_notes(Pins(pins.get_job_pins(context.db, job)).apply_to(kinds.expand_body(context, workspace, sent)))
    keys = [key for key in {**submitted, **sent} if submitted.get(key) != sent.get(key) and key != "services"]
    words = ", ".join(repr(_format_key(key)) for key in keys[:3])
    differs = f": {words} {'differ' if len(keys) > 1 else 'differs'}" if keys else ""
    return f"job '{job.name}' exists and is another job{differs}; choose another name"


def _remove_notes(body: Body) -> Body:
    """Return the body without the properties that smalt itself adds."""
    notes = body.get("properties") or {}
    if not isinstance(notes, Mapping):
        return body
    left = {name: value for name, value in notes.items() if not name.startswith("smalt.")}
    return {**body, "properties": left or None}


def _format_key(key: str) -> str:
    """Return the key as users write it: `code` for `codeId`."""
    return to_snake(key.removesuffix("Id"))


def _find_local_inputs(body: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, str]]:
    """Yield each input of the job and of its steps that is a path of this machine."""
    inputs, steps = body.get("inputs"), body.get("jobs")
    for name, value in inputs.items() if isinstance(inputs, Mapping) else ():
        uri = value.get("uri") if isinstance(value, Mapping) else None
        if isinstance(uri, str) and uri.startswith(_FILE):
            yield f"input '{where}{name}'", unquote(uri.removeprefix(_FILE).removeprefix("localhost"))
    for name, step in steps.items() if isinstance(steps, Mapping) else ():
        if isinstance(step, Mapping):
            yield from _find_local_inputs(step, f"{where}{name}.")


def _read_table_paths(path: str) -> list[str]:
    """Return the paths of this machine that the MLTable of a folder names outside of it, if the folder has one."""
    if not os.path.isfile(os.path.join(path, "MLTable")):
        return []
    try:
        return [one.uri for one in mltable_inputs.list_references(Path(path)) if one.uri.startswith("/")]
    except SmaltError:
        return []  # what is wrong with it was told when it was submitted


def _is_newer(path: str, moment: float) -> bool:
    """Return whether anything at the path, or the path itself, changed after the moment, or is gone."""
    try:
        if os.lstat(path).st_ctime > moment or os.stat(path).st_ctime > moment:
            return True
        if not os.path.isdir(path):
            return False
        with os.scandir(path) as entries:
            return any(
                _is_newer(entry.path, moment)
                if entry.is_dir(follow_symlinks=False)
                else entry.stat(follow_symlinks=False).st_ctime > moment or entry.stat().st_ctime > moment
                for entry in entries
            )
    except FileNotFoundError:
        return True
    except OSError:
        return False  # what cannot be looked at now was looked at then
