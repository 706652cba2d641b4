"""The outputs of a parallel_for: one place each, with the output of every iteration below it, under the item's key.

The iterations write there themselves, so nothing is moved when they have ended. A file `MLTable` beside them makes the
place a table; those of tables that are alike are merged in it. Of values, which are small, the place has JSON text of
all. Outputs of iterations that are elsewhere, as an earlier run's were reused, are read there if all are, and lie as
that run gathered them; else they are copied (by reflink if the file system can), so that the place is plain data, which
can be registered, downloaded and deleted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from smalt.entities import Output
from smalt.entities.jobs.control_flow import ParallelFor, find_body, get_gathered_type
from smalt.entities.syntax.literals import PRIMITIVES, convert
from smalt.exceptions import ValidationException
from smalt.service.data.data_access import DataAccess
from smalt.service.data.files.copying import copy_tree, make_temporary_name, remove_tree
from smalt.service.data.files.durable_files import write_durably
from smalt.service.data.job_data import primitive_values
from smalt.service.data.uris.locations import Location
from smalt.service.engine.kinds.protocol import CompositeView

if TYPE_CHECKING:
    from smalt.service.engine.kinds.pipeline_plan import Planner

TABLE = "MLTable"
_VALUES = ".items"
"""The end of the name of the folder, beside the place of gathered values, with those of the iterations."""


class GatheredOutput(NamedTuple):
    """An output of a parallel_for, and where those of its iterations are."""

    name: str
    type: str
    """The type in the iterations."""
    uri: str
    """The place of the gathered output."""
    parts: dict[str, str]
    """Key of the item → URI of the output of its iteration."""


class Gathered(NamedTuple):
    """The gathered outputs of a parallel_for."""

    moved: dict[str, str]
    """Planned URI → URI of an output that an earlier run has gathered."""
    absent: list[str]
    """Outputs that no iteration wrote."""
    notes: list[str]


def make_gathered_outputs(planner: Planner, node: ParallelFor) -> dict[str, Output]:
    """Return the outputs of a parallel_for as they are declared: those of its body, gathered."""
    body = find_body(node, planner.nodes)
    component = planner.find_component(body)
    declared = {**((component.outputs if component is not body else {}) or {}), **(body.outputs or {})}
    for name in node.outputs or {}:
        if name not in declared:
            raise ValidationException(f"pipeline '{planner.name}': the body of a parallel_for has no output '{name}'")
    made = {}
    for name, form in declared.items():
        gathered = get_gathered_type(getattr(form, "type", None))
        own = getattr((node.outputs or {}).get(name), "type", None)
        made[name] = Output(type=own if own == "uri_folder" and gathered != "string" else gathered)
    return made


def get_part_uri(base: str, type: str | None, key: str) -> str:
    """Return where an iteration writes an output that is gathered at `base`."""
    return f"{base.rstrip('/')}{_VALUES if type in PRIMITIVES else ''}/{key}/"


def make_gatherer(view: CompositeView, outputs: Sequence[GatheredOutput], is_mapping: bool) -> Callable[[], Gathered]:
    """Return a function that gathers outputs in a thread; doing it twice has the same result."""
    data, workspace = view.context.data, view.workspace
    found = [
        (
            output,
            data.resolve(output.uri, workspace),
            {key: data.resolve(uri, workspace) for key, uri in output.parts.items()},
        )
        for output in outputs
    ]

    def gather_outputs() -> Gathered:
        gathered = Gathered({}, [], [])
        for output, place, parts in found:
            if output.type in PRIMITIVES:
                _write_values(data, output, place, parts, is_mapping)
            else:
                _gather_data(data, output, place, parts, gathered, view.context.root)
        return gathered

    return gather_outputs


def _write_values(
    data: DataAccess, output: GatheredOutput, place: Location, parts: Mapping[str, Location], is_mapping: bool
) -> None:
    """Write the values of an output as JSON: a list for a list of items, else by key."""
    values = {}
    for key, part in parts.items():
        path = data.prepare_input(part, None, None, "")
        text = primitive_values.value_read(f"the output '{output.name}' of item {key}", path, output.type)
        values[key] = convert(text, output.type)
    text = json.dumps(values if is_mapping else list(values.values()))
    _write_file(place, "output", text)


def _gather_data(
    data: DataAccess,
    output: GatheredOutput,
    place: Location,
    parts: Mapping[str, Location],
    gathered: Gathered,
    root: str,
) -> None:
    base = f"{output.uri.rstrip('/')}/"
    elsewhere = {key for key, uri in output.parts.items() if not uri.startswith(base)}
    written = {key: part for key, part in parts.items() if _has_data(part)}
    missing = [key for key in parts if key not in written]
    if missing:
        names = ", ".join(f"'{key}'" for key in missing[:5]) + (" …" if len(missing) > 5 else "")
        gathered.notes.append(f"the output '{output.name}' has nothing of {names}, as these iterations wrote none")
    if not written:
        gathered.absent.append(output.name)
        return
    table = _merge_tables(written) if output.type == "mltable" else None
    if table is None:
        table = _make_table({key: _is_file(part, output.type) for key, part in written.items()})
        if output.type == "mltable":
            words = "are not alike, so the MLTable of all names their folders and nothing else"
            gathered.notes.append(f"the tables of the output '{output.name}' {words}")
    if not missing and len(elsewhere) == len(parts):
        earlier = _find_earlier(output, parts, table)
        if earlier is not None:
            gathered.moved[output.uri] = earlier
            return
    for key in sorted(elsewhere & written.keys()):
        _copy_part(data, place, key, written[key])
    _write_file(place, TABLE, table)


def _make_table(parts: Mapping[str, bool]) -> str:
    """Return the text of an MLTable with these parts: key → True for a file, False for a folder."""
    lines = [f"  - {'file' if is_file else 'folder'}: ./{key}" for key, is_file in parts.items()]
    return "\n".join(["type: mltable", "paths:", *lines, ""])


def _merge_tables(parts: Mapping[str, Location]) -> str | None:
    """Return the text of an MLTable with the paths of the tables in all parts; None if they differ in anything else."""
    import yaml
    from smalt.mltable import document, locations  # for tables only

    paths: list[dict[str, str]] = []
    rests: list[dict[str, Any]] = []
    for key, part in parts.items():
        try:
            text = Path(part.path or "", TABLE).read_text(encoding="utf-8")
            if part.path is None or document.find_text_problems(text, TABLE):
                return None
        except (OSError, UnicodeDecodeError):
            return None
        rest = yaml.safe_load(text)
        for entry in rest.pop("paths"):
            ((kind, written),) = entry.items()
            stays = locations.is_remote(written) or os.path.isabs(locations.strip_scheme(written))
            paths.append({kind: written if stays else f"./{key}/{locations.strip_scheme(written).removeprefix('./')}"})
        rests.append(rest)
    if any(rest != rests[0] for rest in rests):
        return None
    merged: str = yaml.safe_dump({"type": "mltable", "paths": paths, **rests[0]}, sort_keys=False)
    return merged


def _find_earlier(output: GatheredOutput, parts: Mapping[str, Location], table: str) -> str | None:
    """Return where an earlier run gathered these very outputs, and nothing else; None if none did."""
    bases = {uri.rstrip("/")[: -len(key)] for key, uri in output.parts.items() if uri.rstrip("/").endswith(f"/{key}")}
    paths = {part.path.parent if part.path is not None else None for part in parts.values()}
    folder = next(iter(paths), None)
    if len(bases) != 1 or len(paths) != 1 or folder is None:
        return None
    try:
        if set(os.listdir(folder)) != {TABLE, *parts} or Path(folder, TABLE).read_text(encoding="utf-8") != table:
            return None
    except (OSError, UnicodeDecodeError):
        return None
    return bases.pop()


def _copy_part(data: DataAccess, place: Location, key: str, part: Location) -> None:
    source = part.path if part.path is not None else data.prepare_input(part, None, None, "")
    if place.store is not None:
        place.store.upload_tree(source, _join_path(place, key))
        return
    assert place.path is not None
    target = place.path / key
    if target.exists():
        return  # before a crash
    temporary = make_temporary_name(target)
    remove_tree(temporary)
    copy_tree(source, temporary)
    os.rename(temporary, target)


def _write_file(place: Location, name: str, text: str) -> None:
    if place.store is not None:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, name)
            file.write_text(text, encoding="utf-8")
            place.store.upload_tree(file, _join_path(place, name))
        return
    assert place.path is not None
    place.path.mkdir(parents=True, exist_ok=True)
    target = place.path / name
    write_durably(make_temporary_name(target), target, [text.encode()])


def _join_path(place: Location, name: str) -> str:
    return f"{(place.relative or '').rstrip('/')}/{name}".lstrip("/")


def _has_data(part: Location) -> bool:
    if part.store is not None:
        return bool(part.store.find_files(part.relative or ""))
    return part.exists


def _is_file(part: Location, type: str) -> bool:
    return part.path.is_file() if part.path is not None else type == "uri_file"
