"""Whether built environments are what was installed, and what killed builds have left: for `smalt doctor`."""

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
from smalt.service.data.integrity import Trouble
from smalt.service.environments.image_source import UnusedImage
from smalt.service.environments.store.environment_store import Record, Store
from smalt.service.environments.store.removal import graves

Remove = Callable[[Path], None]

_PATIENCE = 60.0
_AGAIN = "it is removed; the next job that needs it builds it again"


class _Damage(NamedTuple):
    files: list[str]
    packages: set[str]


def examine(store: Store, kind: str, remove: Remove, thorough: bool, since: float) -> list[Trouble]:
    """What is in `store`, whose environments are called `kind`; `thorough` reads every file of every package.

    What is being removed since the server began, `since` then, is no trouble.
    """
    found: list[Trouble] = []
    for grave in graves(store.folder):
        if grave.stat().st_mtime < since:
            found.append(_left(grave, "a process that is gone did not finish removing it"))
    for left in store.left_over():
        found.append(_left(left, "a build that was killed left it; no job uses it", store.remove_left))
    records = {record.declared_hash: record for record in store.records()}
    for path in store.finished():
        again = functools.partial(remove, path)
        record = records.get(path.name)
        if record is None:
            found.append(Trouble(kind, path.name[:12], "its record cannot be read; no job uses it", _AGAIN, again))
        elif not store.stands(path.name):
            found.append(Trouble(kind, _called(record), f"its Python, {record.python}, is gone", _AGAIN, again))
        elif thorough and (damage := _damaged(path)).files:
            problem = f"{len(damage.files)} of its files are not as they were installed, {damage.files[0]} for one"
            repair = functools.partial(_reinstallable, again, sorted(damage.packages))
            found.append(Trouble(kind, _called(record), problem, f"{_AGAIN}, of packages fetched again", repair))
    return found


def images(lost: dict[Path, Record], unused: Sequence[UnusedImage], remove: Remove) -> Iterator[Trouble]:
    """Yield the environments whose image the engine has lost, and the images that no environment uses."""
    for path, record in lost.items():
        problem = f"the container engine has its image {(record.container or {}).get('name')} no more"
        yield Trouble("environment", _called(record), problem, _AGAIN, functools.partial(remove, path))
    for image in unused:
        yield Trouble("image", image.name, "no environment of this home uses it", "it is removed", image.remove)


def containers(names: list[str], remove: Callable[[], None]) -> Iterator[Trouble]:
    for name in names:
        problem = "what watched over this container was killed"
        yield Trouble("container", name, problem, "it is ended and removed", remove)


def _left(path: Path, problem: str, remove: Remove = remove_tree) -> Trouble:
    return Trouble("left over", str(path), problem, "it is removed", functools.partial(remove, path))


def _called(record: Record) -> str:
    return ", ".join(record.names) or record.declared_hash[:12]


def _damaged(environment: Path) -> _Damage:
    """The files of Python packages that are gone or other than their packages say."""
    wanted: dict[str, set[str]] = {}
    owners: dict[str, str] = {}
    for record in environment.glob("venv/lib/python*/site-packages/*.dist-info/RECORD"):
        for path, digest, *_ in csv.reader(record.read_text(errors="replace").splitlines()):
            if digest.startswith("sha256="):
                place = os.path.normpath(record.parent.parent / path)
                wanted.setdefault(place, set()).add(digest[7:])  # two packages may have one file, the last one's
                owners[place] = record.parent.name.split("-")[0]
    files = [place for place, digests in sorted(wanted.items()) if _digest(place) not in digests]
    names = [os.path.relpath(place, environment / "venv") for place in files]
    return _Damage(names, {owners[place] for place in files})


def _digest(path: str) -> str | None:
    try:
        content = Path(path).read_bytes()
    except OSError:
        return None
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _reinstallable(remove: Callable[[], None], packages: list[str]) -> None:
    """uv's cache shares its files with what was installed from it."""
    remove()
    _call([uv.find_uv_bin(), "cache", "clean", *packages])


def _call(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=_PATIENCE)
    if done.returncode:
        raise OSError(" ".join(done.stderr.split())[:300] or f"{command[0]} failed")
