"""Access modes: what a job is given as an input and where it writes an output, by mode and type."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from pathlib import Path

from smalt.entities.rules.content import explain_path_mismatch
from smalt.entities.syntax.references import Reference, parse_uri
from smalt.exceptions import NotFound, RefusedError
from smalt.service.data.datastores.managed_folders import find_managed
from smalt.service.data.files.copying import Log, copy_tree, make_write_error, move_tree, remove_tree
from smalt.service.data.uris.locations import Location

COPIED = frozenset({"download", "eval_download"})
"""Input modes that give the job a copy of its own; the others give the path itself."""

_ASSET = re.compile(r"/subscriptions/.+/(?:data|models|environments)/([^/]+)/versions/([^/]+)")
UPLOADED = "upload"
DIRECT = "direct"
FILE = "uri_file"


def prepare_input(
    location: Location,
    type: str | None,
    mode: str | None,
    folder: str | os.PathLike[str],
    log: Log | None = None,
) -> Path:
    """Return the path that the job reads: the data itself, or a copy in `folder`, this input's own in an attempt's
    folder.

    An existing copy is complete, and is used as it is: a second call returns at once.
    """
    source = location.path
    if source is None or not location.exists:
        raise NotFound(explain_missing(location))
    if mode != DIRECT and (wrong := explain_not_a_file(location, type)):  # what Spark calls a file may be a folder
        raise RefusedError(wrong)
    name = location.name or source.name
    if mode not in COPIED:
        return _link_as_named(source, name, folder)
    target = Path(folder) if source.is_dir() else Path(folder, name)
    if not target.exists():
        partial = target.with_name(f"{target.name}.partial")
        remove_tree(partial)
        copy_tree(source, partial, log)
        os.rename(partial, target)
    return target


def _link_as_named(source: Path, name: str, folder: str | os.PathLike[str]) -> Path:
    """Return the path of a file under the name by which it was requested: programs go by the ending."""
    if source.name == name or source.is_dir():
        return source
    link = Path(folder, name)
    try:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        os.symlink(source, link)
    except OSError as error:
        raise make_write_error(link, error) from None
    return link


def prepare_output(location: Location, type: str | None, mode: str | None, folder: str | os.PathLike[str]) -> Path:
    """Return the path that the job writes: the place itself, or for `upload` one in `folder` until
    finish_output().

    A folder is created beforehand; of a file only the folders above it.
    """
    target = get_output_path(location, type, mode, folder)
    try:
        _make_folder(os.path.dirname(target) if type == FILE else os.fspath(target))
    except OSError as error:
        raise make_write_error(target, error) from None
    return target


def _make_folder(path: str) -> None:
    """Make a folder with those above it, as os.makedirs does in twice the time; one that is there stays."""
    try:
        os.mkdir(path)
    except FileNotFoundError:
        _make_folder(os.path.dirname(path))
        _make_folder(path)
    except FileExistsError:
        if not os.path.isdir(path):
            raise


def begin_input(folder: Path, place: str) -> None:
    """Forget an input prepared from another place: a crash may have come before the new place was recorded."""
    note, mark = folder.with_name(f"{folder.name}.from"), hashlib.sha256(os.fsencode(place)).hexdigest()
    with contextlib.suppress(OSError):
        if os.readlink(note) == mark:
            return
    remove_tree(folder)
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        for old in (_get_note(folder), note):
            old.unlink(missing_ok=True)
        os.symlink(mark, note)
    except OSError as error:
        raise make_write_error(note, error) from None


def find_prepared(folder: Path) -> Path | None:
    """Return where a remote input is, once it is ready for this attempt; it is not requested again."""
    try:
        path = Path(os.readlink(_get_note(folder)))
    except OSError:
        return None
    return path if path.exists() else None


def record_prepared(folder: Path, path: Path) -> None:
    note = _get_note(folder)
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.unlink(missing_ok=True)
        os.symlink(path, note)
    except OSError as error:
        raise make_write_error(note, error) from None


def _get_note(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.at")  # no input's name has a dot


def finish_output(
    location: Location,
    type: str | None,
    mode: str | None,
    folder: str | os.PathLike[str],
    log: Log | None = None,
) -> None:
    """Move an `upload` output into place, and upload one of a remote datastore; safe to repeat."""
    if location.store is not None:
        location.store.upload_tree(get_output_path(location, type, mode, folder), location.relative or "", log)
    elif mode == UPLOADED:
        move_tree(get_output_path(location, type, mode, folder), _get_path(location), log)


def explain_missing(location: Location) -> str:
    """Return the sentence for a location where nothing is, or nothing that can be seen."""
    uri = format_uri(location)
    if location.path is not None and not os.access(_find_existing(location.path), os.X_OK):
        return f"{uri} cannot be read: no permission for {_find_existing(location.path)}"
    if location.store is not None:
        return f"{uri} does not exist: {location.store.name} has no {location.relative or 'data'!r}"
    if location.datastore is not None:
        return f"{uri} does not exist: datastore {location.datastore} has no {location.relative or 'data'!r}"
    if location.path is not None and str(location.path) not in location.uri:
        return f"{uri} does not exist: it leads to {location.path}, which does not exist"
    return f"{uri} does not exist; check the path"


def format_uri(location: Location) -> str:
    """Return the URI as users write it: an asset's id becomes its name and version."""
    return _ASSET.sub(r"azureml:\1:\2", location.uri)


def is_writable(location: Location, mode: str | None, root: str) -> bool:
    """True if a job may write to an input: to a copy, or under mode rw_mount to data that is not registered.

    `root` is the real path of the home.
    """
    if mode in COPIED:
        return True
    is_asset = isinstance(parse_uri(location.uri), Reference)
    return mode == "rw_mount" and not is_asset and not _holds_versions(location, root)


def _holds_versions(location: Location, root: str) -> bool:
    """True if smalt itself stores the content of registered versions at, above or around the location.

    A datastore of another name, or a path of this machine, may lead there too.
    """
    return location.path is not None and find_managed(root, os.path.realpath(location.path)) is not None


def explain_read_only(location: Location, mode: str | None, root: str) -> str | None:
    """Return the sentence for an input of mode rw_mount that can only be read."""
    if mode != "rw_mount" or is_writable(location, mode, root):
        return None
    return (
        f"mode rw_mount gives the job {format_uri(location)} read-only, as a registered version never changes; "
        "mode download gives it a copy that it may write"
    )


def explain_not_a_file(location: Location, type: str | None) -> str | None:
    """Return the sentence for a folder given to an input of type uri_file."""
    return explain_path_mismatch(format_uri(location), location.path, type) if type == FILE and location.path else None


def is_empty(place: str | os.PathLike[str]) -> bool:
    """True if there is neither a file nor a folder with entries."""
    try:
        with os.scandir(place) as entries:
            return next(entries, None) is None
    except FileNotFoundError:
        return True
    except OSError:  # a file, or what cannot be read
        return False


def _find_existing(path: Path) -> Path:
    """Return the nearest folder above that can be seen to exist."""
    return next((folder for folder in path.parents if os.path.isdir(folder)), Path("/"))


def _get_path(location: Location) -> Path:
    if location.path is None:
        raise RefusedError(f"{location.uri} cannot be written; name a path of a datastore as the output's path")
    return location.path


def get_output_path(location: Location, type: str | None, mode: str | None, folder: str | os.PathLike[str]) -> Path:
    """Return the path that the job writes; nothing is created."""
    if location.store is not None:
        name = (location.relative or "").rpartition("/")[2] or "output"
        return Path(folder, name) if type == FILE else Path(folder)
    place = _get_path(location)
    if mode != UPLOADED:
        return place
    return Path(folder, place.name) if type == FILE else Path(folder)
