"""The views that jobs have out, and spare ones for the next: one that a job left untouched serves again."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any, NamedTuple

from smalt.service.environments.store.removal import discard, sweep
from smalt.service.environments.views.overlay_layout import Template, lay, stamp

_MOST_SPARES = 16


class _Overlay(NamedTuple):
    template: Template
    folder: Path
    stamp: tuple[Any, ...]

    @property
    def is_untouched(self) -> bool:
        return bool(self.stamp) and stamp(self.template, self.folder) == self.stamp


class Overlays:
    """Makes overlays, takes them back, and gives out again those in which nothing was installed."""

    def __init__(self, folder: Path) -> None:
        """`folder` keeps the spare ones; it is on the file system of the jobs' folders."""
        self._folder = folder
        self._own = folder / str(os.getpid())
        self._out: dict[Path, _Overlay] = {}
        self._staying: dict[Path, _Overlay] = {}
        self._spares: dict[str, list[_Overlay]] = {}
        self._count = 0
        self._lock = threading.Lock()

    def make(self, template: Template, folder: Path) -> None:
        """An overlay at `folder`; what an interrupted attempt left there is replaced."""
        if folder.exists():
            discard(folder, self._folder)
        spare = self._spare(template)
        if spare is None:
            lay(template, folder)
        else:
            os.rename(spare.folder, folder)
        with self._lock:
            mark = spare.stamp if spare else stamp(template, folder)
            self._out[folder] = _Overlay(template, folder, mark)

    def stay(self, folder: Path) -> bool:
        """The job of the overlay at `folder` is over, and it was left untouched: it stays there, for `move`."""
        with self._lock:
            overlay = self._out.get(folder)
            if overlay is None or not overlay.is_untouched:
                return False
            self._staying[folder] = self._out.pop(folder)
            return True

    def move(self, old: Path, folder: Path) -> bool:
        """A folder above has been renamed: what stayed at `old` serves a job at `folder`; False where nothing did."""
        with self._lock:
            overlay = self._staying.pop(old, None)
            if overlay is None:
                return False
            self._out[folder] = overlay._replace(folder=folder)
            return True

    def release(self, folder: Path) -> None:
        """The job of the overlay at `folder` is over: keep it as a spare, or remove it in the background."""
        with self._lock:
            overlay = self._out.pop(folder, None)
            spares = self._spares.setdefault(overlay.template.key, []) if overlay else []
            if overlay is not None and overlay.is_untouched and len(spares) < _MOST_SPARES:
                self._count += 1
                place = self._own / str(self._count)
                self._own.mkdir(parents=True, exist_ok=True)
                os.rename(folder, place)
                spares.append(overlay._replace(folder=place))
                return
        discard(folder, self._folder)

    def serve(self, template: Template) -> bool:
        """Whether a job has an overlay of that template now."""
        with self._lock:
            return any(overlay.template.key == template.key for overlay in self._out.values())

    def sweep(self) -> None:
        """Remove the spares of servers that are no more."""
        sweep(self._folder)
        for left in self._folder.glob("[0-9]*"):
            if not _lives(int(left.name)):
                discard(left, self._folder)

    def _spare(self, template: Template) -> _Overlay | None:
        with self._lock:
            spares = self._spares.get(template.key, [])
            while spares:
                spare = spares.pop()
                if spare.is_untouched:
                    return spare
                discard(spare.folder, self._folder)
        return None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
