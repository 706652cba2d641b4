"""The writer of `MLTable.save`: the file, and with `colocated` the data beside it."""

from __future__ import annotations

import os
import re
import shutil
from typing import Any

import yaml

from . import locations
from .datatypes import MLTableSaveOverwriteOption as Overwrite
from .document import NAME
from .errors import UserErrorException


def save_table(
    content: dict[str, Any],
    paths: list[dict[str, str]],
    folder: str | None,
    overwrite: Overwrite,
    colocated: bool,
    remove_on_error: bool,
) -> None:
    """Write `content` into `folder`; `paths` are its paths, absolute."""
    target = locations.resolve_local(os.fspath(folder)) if folder else os.getcwd()
    target = os.path.abspath(target)
    os.makedirs(target, exist_ok=True)
    written: list[str] = []
    try:
        if colocated:
            made = [_copy_entry(entry, target, overwrite, written) for entry in paths]
        else:
            made = [{kind: _make_relative(path, target) for kind, path in entry.items()} for entry in paths]
        text = yaml.safe_dump({**content, "paths": made})
        file = os.path.join(target, NAME)
        if _check_writable(file, overwrite):
            with open(file, "w", encoding="utf-8") as opened:
                opened.write(text)
            written.append(file)
    except BaseException:
        if remove_on_error:
            for each in written:
                os.remove(each)
        raise


def _check_writable(path: str, overwrite: Overwrite) -> bool:
    if not os.path.exists(path):
        return True
    if overwrite is Overwrite.FAIL_ON_CONFLICT:
        raise UserErrorException(f"{path} exists; save elsewhere, or with overwrite=True")
    return overwrite is Overwrite.OVERWRITE


def _make_relative(path: str, target: str) -> str:
    if locations.is_remote(path):
        return path
    return os.path.relpath(locations.strip_scheme(path), target)


def _copy_entry(entry: dict[str, str], target: str, overwrite: Overwrite, written: list[str]) -> dict[str, str]:
    """Copy the files of an entry into `target`, and return the entry as it is there."""
    kind, path = next(iter(entry.items()))
    plain = locations.strip_scheme(path)
    steady = os.path.dirname(plain) if kind == "file" else plain
    if kind == "pattern":
        steady = re.split(r"[*?\[]", plain, maxsplit=1)[0].rpartition("/")[0]
    for uri in locations.list_files(entry):
        source = locations.get_readable(uri)
        name = (
            os.path.relpath(locations.strip_scheme(uri), steady)
            if not locations.is_remote(uri)
            else _make_name(uri, steady)
        )
        copied = os.path.join(target, name)
        if os.path.abspath(source) == os.path.abspath(copied) or not _check_writable(copied, overwrite):
            continue
        os.makedirs(os.path.dirname(copied), exist_ok=True)
        shutil.copyfile(source, copied)
        written.append(copied)
    rest = os.path.relpath(plain, steady) if not locations.is_remote(path) else _make_name(path, steady)
    return {kind: "./" + rest if rest != "." else "."}


def _make_name(uri: str, steady: str) -> str:
    return uri[len(steady) :].strip("/") or "."
