"""Integrity checks of built environments, and leftovers of killed builds, for `smalt doctor`."""

from __future__ import annotations

import base64
import csv
import functools
import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import uv

from smalt.service.data import remove_tree
from smalt.service.data.integrity import IntegrityProblem
from smalt.service.environments.image_source import UnusedImage
from smalt.service.environments.store.environment_store import EnvironmentRecord, EnvironmentStore, get_hash
from smalt.service.environments.store.removal import list_removed

Remove = Callable[[Path], None]

_PATIENCE = 60.0
_AGAIN = "it is removed; the next job that needs it builds it again"


class _Damage(NamedTuple):
    files: list[str]
    packages: set[str]


def check_store(
    store: EnvironmentStore, kind: str, remove: Remove, thorough: bool, since: float
) -> list[IntegrityProblem]:
    """Return the problems of `store`, whose environments are called `kind`; `thorough` reads every file of every
    package.

    Folders whose deletion began after the server did, `since` then, are not problems.
    """
    found: list[IntegrityProblem] = []
    for grave in list_removed(store.folder):
        if grave.stat().st_mtime < since:
            found.append(_make_left_over(grave, "a process that has ended did not finish removing it"))
    for left in store.list_left_over():
        found.append(_make_left_over(left, "a build that was killed left it; no job uses it", store.remove_unused))
    records = {record.declared_hash: record for record in store.list_records()}
    for path in store.list_finished():
        again = functools.partial(remove, path)
        declared_hash = get_hash(path)
        record = records.get(declared_hash)
        if record is None:
            found.append(
                IntegrityProblem(kind, path.name[:12], "its record cannot be read; no job uses it", _AGAIN, again)
            )
        elif not store.is_usable(declared_hash):
            found.append(
                IntegrityProblem(kind, _get_label(record), f"its Python, {record.python}, is gone", _AGAIN, again)
            )
        elif thorough and (damage := _find_damage(path)).files:
            problem = f"{len(damage.files)} of its files are not as they were installed, {damage.files[0]} for one"
            repair = functools.partial(_remove_with_cache, again, sorted(damage.packages))
            found.append(
                IntegrityProblem(kind, _get_label(record), problem, f"{_AGAIN}, of packages fetched again", repair)
            )
    return found


def check_images(
    lost: dict[Path, EnvironmentRecord], unused: Sequence[UnusedImage], remove: Remove
) -> Iterator[IntegrityProblem]:
    """Yield the environments whose image the engine has `lost`, and images of this home that are `unused`."""
    for path, record in lost.items():
        problem = f"the container engine no longer has its image {(record.container or {}).get('name')}"
        yield IntegrityProblem("environment", _get_label(record), problem, _AGAIN, functools.partial(remove, path))
    for image in unused:
        yield IntegrityProblem(
            "image", image.name, "no environment of this home uses it", "it is removed", image.remove
        )


def check_containers(names: list[str], remove: Callable[[], None]) -> Iterator[IntegrityProblem]:
    for name in names:
        problem = "the process that supervised this container was killed"
        yield IntegrityProblem("container", name, problem, "it is ended and removed", remove)


def _make_left_over(path: Path, problem: str, remove: Remove = remove_tree) -> IntegrityProblem:
    return IntegrityProblem("left over", str(path), problem, "it is removed", functools.partial(remove, path))


def _get_label(record: EnvironmentRecord) -> str:
    return ", ".join(record.names) or record.declared_hash[:12]


def _find_damage(environment: Path) -> _Damage:
    """Return the files of Python packages that are missing or differ from their packages' lists."""
    wanted: dict[str, set[str]] = {}
    owners: dict[str, str] = {}
    for record in environment.glob("venv/lib/python*/site-packages/*.dist-info/RECORD"):
        for path, digest, *_ in csv.reader(record.read_text(errors="replace").splitlines()):
            if digest.startswith("sha256="):
                place = os.path.normpath(record.parent.parent / path)
                wanted.setdefault(place, set()).add(digest[7:])  # two packages may have one file, the last one's
                owners[place] = record.parent.name.split("-")[0]
    files = [place for place, digests in sorted(wanted.items()) if _hash_file(place) not in digests]
    names = [os.path.relpath(place, environment / "venv") for place in files]
    return _Damage(names, {owners[place] for place in files})


def _hash_file(path: str) -> str | None:
    try:
        content = Path(path).read_bytes()
    except OSError:
        return None
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _remove_with_cache(remove: Callable[[], None], packages: list[str]) -> None:
    """Remove an environment and its packages in uv's cache, which shares its files with what was installed from it."""
    remove()
    _run_command([uv.find_uv_bin(), "cache", "clean", *packages])


def _run_command(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=_PATIENCE)
    if done.returncode:
        raise OSError(" ".join(done.stderr.split())[:300] or f"{command[0]} failed")
