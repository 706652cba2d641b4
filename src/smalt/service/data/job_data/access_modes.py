"""How a job is given an input and where it writes an output, by mode and type."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from pathlib import Path

from smalt.entities.syntax.references import Reference, parse_uri
from smalt.exceptions import NotFound, Refused
from smalt.service.data.datastores.managed_folders import find_kept
from smalt.service.data.files.copying import Log, cannot_write, copy_tree, move_tree, remove_tree
from smalt.service.data.uris.locations import Location

COPIED = frozenset({"download", "eval_download"})
"""Input modes that give the job a copy of its own; the others give the path itself."""

_ASSET = re.compile(r"/subscriptions/.+/(?:data|models|environments)/([^/]+)/versions/([^/]+)")
UPLOADED = "upload"
FILE = "uri_file"
FOLDER = "uri_folder"


def prepare_input(
    location: Location,
    type: str | None,
    mode: str | None,
    folder: str | os.PathLike[str],
    log: Log | None = None,
) -> Path:
    """The path that the job reads: the data itself, or a copy in `folder`, this input's own in an attempt's folder.

    A copy that is there is whole, and is taken as it is: called again, this answers at once.
    """
    source = location.path
    if source is None or not location.exists:
        raise NotFound(missing(location))
    if wrong := not_a_file(location, type):
        raise Refused(wrong)
    name = location.name or source.name
    if mode not in COPIED:
        return _named(source, name, folder)
    target = Path(folder) if source.is_dir() else Path(folder, name)
    if not target.exists():
        partial = target.with_name(f"{target.name}.partial")
        remove_tree(partial)
        copy_tree(source, partial, log)
        os.rename(partial, target)
    return target


def _named(source: Path, name: str, folder: str | os.PathLike[str]) -> Path:
    """The path of a file under the name that it was asked for by: its ending tells programs what it is."""
    if source.name == name or source.is_dir():
        return source
    link = Path(folder, name)
    try:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        os.symlink(source, link)
    except OSError as error:
        raise cannot_write(link, error) from None
    return link


def prepare_output(location: Location, type: str | None, mode: str | None, folder: str | os.PathLike[str]) -> Path:
    """The path that the job writes: the place itself, or for `upload` one in `folder` until finish_output().

    A folder exists beforehand; of a file only what is above it.
    """
    target = output_place(location, type, mode, folder)
    try:
        os.makedirs(os.path.dirname(target) if type == FILE else target, exist_ok=True)
    except OSError as error:
        raise cannot_write(target, error) from None
    return target


def begin(folder: Path, place: str) -> None:
    """Forget what another place gave: a crash may have come before it was recorded where the input is."""
    note, mark = folder.with_name(f"{folder.name}.from"), hashlib.sha256(os.fsencode(place)).hexdigest()
    with contextlib.suppress(OSError):
        if os.readlink(note) == mark:
            return
    remove_tree(folder)
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        for old in (_note(folder), note):
            old.unlink(missing_ok=True)
        os.symlink(mark, note)
    except OSError as error:
        raise cannot_write(note, error) from None


def prepared(folder: Path) -> Path | None:
    """Where an input that came from elsewhere is, once it is ready for this attempt: nobody is asked for it again."""
    try:
        path = Path(os.readlink(_note(folder)))
    except OSError:
        return None
    return path if path.exists() else None


def note_prepared(folder: Path, path: Path) -> None:
    note = _note(folder)
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.unlink(missing_ok=True)
        os.symlink(path, note)
    except OSError as error:
        raise cannot_write(note, error) from None


def _note(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.at")  # no input's name has a dot


def finish_output(
    location: Location,
    type: str | None,
    mode: str | None,
    folder: str | os.PathLike[str],
    log: Log | None = None,
) -> None:
    """Bring what an `upload` output holds into place, and what is kept elsewhere there; it does no harm done twice."""
    if location.store is not None:
        location.store.put_tree(output_place(location, type, mode, folder), location.relative or "", log)
    elif mode == UPLOADED:
        move_tree(output_place(location, type, mode, folder), _place(location), log)


def missing(location: Location) -> str:
    """The sentence for a location where nothing is, or nothing that can be seen."""
    uri = shown(location)
    if location.path is not None and not os.access(_nearest(location.path), os.X_OK):
        return f"{uri} cannot be read: no permission for {_nearest(location.path)}"
    if location.store is not None:
        return f"{uri} does not exist: {location.store.name} has no {location.relative or 'data'!r}"
    if location.datastore is not None:
        return f"{uri} does not exist: datastore {location.datastore} has no {location.relative or 'data'!r}"
    if location.path is not None and str(location.path) not in location.uri:
        return f"{uri} does not exist: it leads to {location.path}, where nothing is"
    return f"{uri} does not exist; check the path"


def shown(location: Location) -> str:
    """Return the URI as users write it: an asset's id is its name and version."""
    return _ASSET.sub(r"azureml:\1:\2", location.uri)


def may_be_written(location: Location, mode: str | None, root: str) -> bool:
    """Return whether a job may write to an input: to a copy, or where mode rw_mount gives it what is not registered.

    `root` is the real path of the home.
    """
    if mode in COPIED:
        return True
    is_asset = isinstance(parse_uri(location.uri), Reference)
    return mode == "rw_mount" and not is_asset and not _holds_versions(location, root)


def _holds_versions(location: Location, root: str) -> bool:
    """Return whether smalt itself keeps the content of registered versions at, above or around the location.

    Whatever it is called by: a datastore of another name, or a path of this machine, may lead there.
    """
    return location.path is not None and find_kept(root, os.path.realpath(location.path)) is not None


def explain_read_only(location: Location, mode: str | None, root: str) -> str | None:
    """Return the sentence for an input of mode rw_mount that can only be read."""
    if mode != "rw_mount" or may_be_written(location, mode, root):
        return None
    return (
        f"mode rw_mount gives the job {shown(location)} only to be read, as a registered version never changes; "
        "with mode download it has a copy that it may write"
    )


def not_a_file(location: Location, type: str | None) -> str | None:
    """The sentence for a folder that an input takes for a file."""
    if type != FILE or location.path is None or not location.path.is_dir():
        return None
    return f"{location.uri} is a folder, but the input's type is uri_file; make it uri_folder or name a file"


def not_a_folder(location: Location, type: str | None) -> str | None:
    """The sentence for a file that an input takes for a folder; the job is given the file all the same."""
    if type != FOLDER or location.path is None or not location.path.is_file():
        return None
    return f"{location.uri} is a file, but the input's type is uri_folder; make it uri_file or name a folder"


def is_empty(place: str | os.PathLike[str]) -> bool:
    """Return whether there is neither a file nor a folder with something in it."""
    try:
        with os.scandir(place) as entries:
            return next(entries, None) is None
    except FileNotFoundError:
        return True
    except OSError:  # a file, or what cannot be read
        return False


def _nearest(path: Path) -> Path:
    """The nearest folder above that is seen to exist."""
    return next((folder for folder in path.parents if os.path.isdir(folder)), Path("/"))


def _place(location: Location) -> Path:
    if location.path is None:
        raise Refused(f"{location.uri} cannot be written; name a path of a datastore as the output's path")
    return location.path


def output_place(location: Location, type: str | None, mode: str | None, folder: str | os.PathLike[str]) -> Path:
    """Where the job writes; nothing is made."""
    if location.store is not None:
        name = (location.relative or "").rpartition("/")[2] or "output"
        return Path(folder, name) if type == FILE else Path(folder)
    place = _place(location)
    if mode != UPLOADED:
        return place
    return Path(folder, place.name) if type == FILE else Path(folder)
