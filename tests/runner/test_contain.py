"""The supervisor of a container, with a stand-in for the engine."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smalt.runner import contain
from smalt.service.compute.containers.supervision import remove_orphans
from tests.helpers import LONGEST, eventually

RUN = "import pathlib, sys, time\nheard, deaf = pathlib.Path(sys.argv[1]), int(sys.argv[2])\nheard.touch()\n"
RUN += "while len(heard.read_text().splitlines()) <= deaf: time.sleep(0.01)\nsys.exit(7)\n"
CONTAIN = "import json, sys\nfrom smalt.runner import contain\ncontain.PAUSE = contain.LONGEST_PAUSE = 0.05\n"
CONTAIN += "sys.exit(contain.main(json.loads(sys.argv[1])))\n"


class Box:
    """A container, as far as its supervisor can tell."""

    def __init__(self, folder: Path) -> None:
        self._marks, self._heard, self.sentence = folder / "marks", folder / "heard", folder / "sentence"
        self._marks.mkdir()
        self.process: subprocess.Popen[str] | None = None

    def start(
        self, deaf: int, command: str | None, by: str = "signal", grace: float = 1000.0, outlives: bool = False
    ) -> subprocess.Popen[str]:
        """Start one on which the first `deaf` of the engine's verb `by` have no effect.

        One that outlives the engine's client runs until then.
        """
        verbs = {
            "signal": ["true"],
            "remove": ["true"],
            "state": ["sh", "-c", f"[ $(wc -l <{self._heard}) -gt {deaf} ] || echo {str(outlives).lower()}"],
            by: ["sh", "-c", f"echo $0 >>{self._heard}"],
        }
        plan: dict[str, Any] = {
            "run": [sys.executable, "-c", RUN, str(self._heard), str(deaf)],
            **verbs,
            "image": "an-image", "command": command, "path": None, "name": "box", "marks": str(self._marks),
            "grace": grace, "hidden": [], "pid_options": [], "sentence": str(self.sentence),
        }  # fmt: skip
        process = self.process = subprocess.Popen([sys.executable, "-c", CONTAIN, json.dumps(plan)], text=True)
        eventually(lambda: self._heard.exists() or process.poll() is not None, "the container")
        return process

    def count_signals(self) -> int:
        return len(self._heard.read_text().splitlines())

    def end(self) -> None:
        self._heard.write_text("end\n" * 100)
        if self.process is not None:
            self.process.wait(LONGEST)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = Box(tmp_path)
    yield made
    made.end()


def test_sigterm_is_sent_until_the_container_ends(box: Box) -> None:
    """Its first process may hear none before it has set its trap, however long the machine takes for that."""
    process = box.start(5, "a command")
    process.terminate()
    assert process.wait(LONGEST) == 7
    assert box.count_signals() >= 6


def test_a_program_of_an_image_gets_sigterm_once(box: Box) -> None:
    """It may take a second one for the wish to end at once."""
    process = box.start(1, None)
    process.terminate()
    eventually(box.count_signals, "SIGTERM")
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    assert box.count_signals() == 1
    box.end()
    assert process.returncode == 7


def test_a_container_that_appears_late_is_removed_all_the_same(box: Box) -> None:
    """The engine may still be making it when the grace is over: there is nothing to remove yet."""
    process = box.start(deaf=3, command="sleep 60", by="remove", grace=0.0)
    process.terminate()
    assert process.wait(LONGEST) == 7
    assert box.count_signals() >= 4


def test_a_container_whose_client_was_killed_is_removed(box: Box) -> None:
    """Nobody asked for a stop. No mark is left by which the server would remove it, and no old reason."""
    box.sentence.write_text("of an earlier attempt")
    process = box.start(deaf=1000, command="sleep 60", by="remove")
    (client,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(client), signal.SIGKILL)
    assert process.wait(LONGEST) == 128 + signal.SIGKILL
    assert box.count_signals() == 1
    assert not box.sentence.exists()


def test_a_container_whose_client_was_killed_saves_its_work(box: Box) -> None:
    """It hears of the end as in a stop, and is waited for; the job is told why it was ended."""
    process = box.start(deaf=2, command="sleep 60", outlives=True)
    (client,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(client), signal.SIGKILL)
    assert process.wait(LONGEST) == 128 + signal.SIGKILL
    assert box.count_signals() > 2
    assert f"'{sys.executable} run' was killed" in box.sentence.read_text()


def test_a_container_that_cannot_be_removed_keeps_its_mark(tmp_path: Path) -> None:
    """It is tried again; one that is not there, in the words of Docker and of Podman, is done with."""
    mark = tmp_path / "smalt-a-1"
    for says in ("Error: no such container smalt-a-1", "Error response from daemon: No such container: smalt-a-1", ""):
        mark.touch()
        remove_orphans(tmp_path, ["sh", "-c", "echo 'device is busy' >&2; exit 1"])
        assert mark.exists()
        remove_orphans(tmp_path, ["sh", "-c", f"echo '{says}' >&2; exit {int(bool(says))}"])
        assert not mark.exists()


def test_a_mark_that_is_not_locked_yet_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that starts just then takes it for that of a container whose supervisor was killed."""
    mark, lock = tmp_path / "smalt-box-1", fcntl.flock

    def lock_late(handle: int, how: int) -> None:
        monkeypatch.setattr(contain.fcntl, "flock", lock)
        remove_orphans(tmp_path, ["true"])
        assert not mark.exists()
        lock(handle, how)

    monkeypatch.setattr(contain.fcntl, "flock", lock_late)
    with contain.hold_mark(str(mark)):
        remove_orphans(tmp_path, ["true"])
        assert mark.exists()
    assert not mark.exists()


def test_without_descriptors_of_processes_podman_is_asked_for_no_pids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old kernel or a sandbox refuses them, though Python has the function."""

    def refuse(pid: int, flags: int = 0) -> int:
        raise OSError(errno.ENOSYS, "not implemented")

    assert contain._Processes(str(tmp_path / "c"), ["--pidfile"]).options == ["--pidfile", str(tmp_path / "c.0")]
    monkeypatch.setattr(os, "pidfd_open", refuse)
    assert contain._Processes(str(tmp_path / "c"), ["--pidfile"]).options == []
