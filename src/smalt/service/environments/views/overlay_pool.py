"""The pool of overlays: those that jobs use, and spare ones for the next: an untouched overlay is used again."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any, NamedTuple

from smalt.service.environments.store.removal import remove_folder, resume_removals
from smalt.service.environments.views.command_watch import CommandWatch
from smalt.service.environments.views.overlay_layout import OverlayTemplate, make_stamp, write_overlay

_MOST_SPARES = 64
"""As many as the folders of attempts that are handed on; see compute/local/attempt_folders.py."""


class _Overlay(NamedTuple):
    template: OverlayTemplate
    folder: str
    stamp: tuple[Any, ...]
    watched: int
    """The number of its commands in the watch; 0 if they are not watched."""


class OverlayPool:
    """A pool that makes overlays, takes them back, and reuses those in which nothing was installed."""

    def __init__(self, folder: Path) -> None:
        """Take the folder of the spare overlays, which is on the file system of the jobs' folders."""
        self._folder = folder
        self._own = folder / f"{os.getpid()}-{os.urandom(6).hex()}"  # a later server may get the pid of this one
        self._out: dict[str, _Overlay] = {}
        self._staying: dict[str, _Overlay] = {}
        self._spares: dict[str, list[_Overlay]] = {}
        self._count = 0
        self._lock = threading.Lock()
        self._watch: CommandWatch | None = None
        self._has_opened_watch = False

    def make_overlay(self, template: OverlayTemplate, folder: str) -> None:
        """Make an overlay at `folder`; what an interrupted attempt left there is replaced."""
        if os.path.exists(folder):
            remove_folder(Path(folder), self._folder)
        spare = self._take_spare(template)
        if spare is None:
            write_overlay(template, folder)
        else:
            os.rename(spare.folder, folder)
        with self._lock:
            self._out[folder] = spare._replace(folder=folder) if spare else self._note_made(template, folder)

    def retain(self, folder: str) -> bool:
        """Keep the overlay of a finished job at `folder`, for `move`; False if it was modified."""
        with self._lock:
            overlay = self._out.get(folder)
            if overlay is None or not self._is_untouched(overlay):
                return False
            self._staying[folder] = self._out.pop(folder)
            return True

    def move(self, old: str, folder: str) -> bool:
        """Move a retained overlay along with its renamed folder, for the next job; False if there is none at `old`."""
        with self._lock:
            overlay = self._staying.pop(old, None)
            if overlay is None:
                return False
            self._out[folder] = overlay._replace(folder=folder)
            return True

    def release(self, folder: str) -> None:
        """Take back the overlay of a finished job: keep it as a spare, or delete it in the background."""
        with self._lock:
            overlay = self._out.pop(folder, None)
            spares = self._spares.setdefault(overlay.template.key, []) if overlay else []
            if overlay is not None and self._is_untouched(overlay) and len(spares) < _MOST_SPARES:
                self._count += 1
                place = f"{self._own}/{self._count}"
                self._own.mkdir(parents=True, exist_ok=True)
                os.rename(folder, place)
                spares.append(overlay._replace(folder=place))
                return
        remove_folder(Path(folder), self._folder)

    def is_used(self, template: OverlayTemplate) -> bool:
        """True if a job uses an overlay of that template now."""
        with self._lock:
            return any(overlay.template.key == template.key for overlay in self._out.values())

    def remove_left_over(self) -> None:
        """Remove the spares of servers that have ended."""
        resume_removals(self._folder)
        for left in self._folder.glob("[0-9]*"):
            pid = int(left.name.partition("-")[0])
            if left != self._own and (pid == os.getpid() or not _is_running(pid)):
                remove_folder(left, self._folder)

    def _note_made(self, template: OverlayTemplate, folder: str) -> _Overlay:
        """Return an overlay that has just been made, and watch its commands."""
        if not self._has_opened_watch:
            self._has_opened_watch = True
            self._watch = CommandWatch.open_at(self._folder)
        watched = self._watch.add_commands(f"{folder}/bin", template.commands) if self._watch else 0
        return _Overlay(template, folder, make_stamp(template, folder), watched)

    def _is_untouched(self, overlay: _Overlay) -> bool:
        is_quiet = self._watch is not None and self._watch.are_untouched(overlay.watched)
        stamp = make_stamp(overlay.template, overlay.folder, with_commands=not is_quiet)
        if not stamp or stamp != overlay.stamp[: len(stamp)]:
            return False
        if self._watch is not None and not is_quiet:
            self._watch.note_unchanged(overlay.watched)
        return True

    def _take_spare(self, template: OverlayTemplate) -> _Overlay | None:
        with self._lock:
            spares = self._spares.get(template.key, [])
            while spares:
                spare = spares.pop()
                if self._is_untouched(spare):
                    return spare
                remove_folder(Path(spare.folder), self._folder)
        return None


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
