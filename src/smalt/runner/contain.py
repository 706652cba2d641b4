"""A command in a container, as long as we live: `python contain.py '<JSON>'`. Python 3.8 or newer, by path.

The JSON: run (the engine's command line up to the options of `run`), remove, signal and state (those that remove a
container, send it SIGTERM and say "true" while it runs; its name is added), pid_options (options of `run` that each
take a file for a pid, of the container's monitor and of its PID 1; Podman has them), image, command (null: the image's
own program), path (PATH inside; null: the image's own), name, marks (a folder), grace, hidden (variables that stay
outside), sentence (a file for why we ended the command; null: none).
Everything else of our environment goes inside, by name: no value stands in a command line.

The container is removed before we end. Where we cannot (SIGKILL), `marks` has a file of its name: the server removes
what such files name that nobody has locked. The engine's client has it locked, too, while it lives.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from typing import Any

MARGIN = 5.0
"""Seconds of the grace that are kept for removing the container."""
PAUSE, LONGEST_PAUSE = 0.5, 4.0
"""Seconds between two SIGTERMs, each pause twice the last: PID 1 loses one that comes before its trap is set."""
STEP, SIGNALLED_BY_PARENT = "SMALT_STEP", "SMALT_SIGNALLED_BY_PARENT"
"""The launcher finds processes of a step by the first; the second says that SIGTERM is not the launcher's to send."""
ENGINE_CODES = (125, 126, 127)
"""Exit codes of an engine that failed itself; a command may have them too."""
SENTENCE = "logs/smalt_container_error.txt"
"""The file of the working directory in which we say why we ended a command that could have gone on."""
LOOK = 0.1
"""Seconds between two looks for the pids of a container that is being started."""
RLIMIT_LOCKS = 10
"""The limit by which the launcher finds processes of a step (launcher/marks.py)."""
MONITOR = "Podman's monitor of the container (conmon)"
KILLED = "{} was killed (possibly out of memory), so the command was ended, as its output was lost; run the job again"

# PID 1 is sent signals only if it handles them, and no one else inside hears of those that it is sent; with it ends all
# else, so it stays while others are saving their work. One that is not PID 1 (--pid=host) signals only its own child:
# there `kill -1` would be the whole machine.
INSIDE = """shell=$(command -v bash || echo sh)
"$shell" -c "$1" & child=$!
trap 'trap : TERM; ended=1; if [ $$ = 1 ]; then kill -TERM -1; else kill -TERM $child; fi' TERM
while :; do wait $child; code=$?; kill -0 $child 2>/dev/null || break; done
if [ "$ended" ] && [ $$ = 1 ]; then while set -- /proc/[0-9]*; [ $# -gt 1 ]; do sleep 0.1; done; fi
exit $code"""


def main(plan: dict[str, Any]) -> int:
    name = f"{plan['name']}-{os.getpid()}"
    with hold_mark(os.path.join(plan["marks"], name)) as mark:
        return _Container(plan, name, mark).run()


class _Container:
    """A container and the engine's client that started it.

    A client that gets SIGTERM while the container starts ends, and the container never hears of it; what is inside
    would get it twice. So the launcher sends it to neither: the client has a session of its own, and all carry
    SIGNALLED_BY_PARENT, and a limit that cannot be raised again. They keep the step's mark, by which the launcher ends
    them if this process is killed.
    """

    def __init__(self, plan: dict[str, Any], name: str, mark: int) -> None:
        self._plan = plan
        self._name = name
        self._mark = mark
        self._is_stopped = False
        self._is_over = threading.Event()
        self._processes = _Processes(os.path.join(get_pid_folder(plan["marks"]), name), plan["pid_options"])

    def run(self) -> int:
        """Return the exit code of the command."""
        with contextlib.suppress(OSError, TypeError):  # of an earlier attempt in the same folder, or of none
            os.unlink(self._plan["sentence"])
        signal.signal(signal.SIGTERM, self._handle_stop)
        if self._is_stopped:
            return 128 + signal.SIGTERM
        client = subprocess.Popen(
            self._make_command(),
            stdin=subprocess.DEVNULL,
            env={**os.environ, SIGNALLED_BY_PARENT: "1"},
            start_new_session=True,
            pass_fds=[self._mark],  # a server must not remove what is saving its work if we are killed
            preexec_fn=_fix_limit,
        )
        with self._processes:
            code = client.wait() if self._processes.wait_for_client(client) else None
            is_failed = code is None or code < 0 or code in ENGINE_CODES
            is_cut_off = is_failed and self._end_inside(MONITOR if code is None else f"'{self._plan['run'][0]} run'")
        self._is_over.set()
        if is_failed or self._is_stopped:
            self._call_engine("remove")
        code = _end_client(client)
        if is_cut_off:
            return 128 + signal.SIGKILL
        return 128 - code if code < 0 else code

    def _end_inside(self, killed: str) -> bool:
        """End what runs inside as a stop does; return False if nothing does.

        `killed` passed on its output until now, and is no more.
        """
        if not self._is_running():
            return False
        if not self._is_stopped:
            self._say(KILLED.format(killed))
            self._handle_stop()
        while self._is_running():
            self._processes.wait_for_inside(PAUSE)
        return True

    def _is_running(self) -> bool:
        known = self._processes.is_inside_alive()
        return self._call_engine("state", b"true") == 0 if known is None else known

    def _say(self, sentence: str) -> None:
        with contextlib.suppress(OSError):
            print(f"smalt: {sentence}", file=sys.stderr, flush=True)
        with contextlib.suppress(OSError):
            if self._plan["sentence"] is not None:
                with open(self._plan["sentence"], "w") as file:
                    file.write(sentence)

    def _make_command(self) -> list[str]:
        plan = self._plan
        hidden = {"PATH", STEP, *plan["hidden"]}
        names = [SIGNALLED_BY_PARENT, *(key for key in os.environ if key not in hidden)]
        passed = [word for name in names for word in ("--env", name)]
        path = [] if plan["path"] is None else ["--env", f"PATH={plan['path']}"]
        program = [plan["image"]]
        if plan["command"] is not None:
            program = ["--entrypoint", "sh", plan["image"], "-c", INSIDE, "sh", plan["command"]]
        pids = self._processes.options
        return [*plan["run"], "--rm", "--name", self._name, *pids, *passed, *path, *program]

    def _handle_stop(self, *_: Any) -> None:
        if not self._is_stopped:
            self._is_stopped = True
            for action in (self._send_term, self._remove_later):
                threading.Thread(target=action, daemon=True).start()

    def _send_term(self) -> None:
        """Send SIGTERM inside as soon as there is an inside, and again until it ends: our PID 1 passes on the first."""
        is_repeated, pause = self._plan["command"] is not None, PAUSE
        while not self._is_over.is_set():
            if self._call_engine("signal") == 0:
                if not is_repeated:
                    return
                pause = min(2 * pause, LONGEST_PAUSE)
            self._is_over.wait(pause)

    def _remove_later(self) -> None:
        """Remove the container when the grace is nearly over, and again while it may only be on its way."""
        pause = max(self._plan["grace"] - MARGIN, PAUSE)
        while not self._is_over.wait(pause):
            self._call_engine("remove")
            pause = PAUSE

    def _call_engine(self, verb: str, answer: bytes = b"") -> int | None:
        """Have the engine do to the container what the plan calls `verb`; return the exit code.

        Where an `answer` is given, any other is a failure, too.
        """
        with contextlib.suppress(OSError):
            command = [*self._plan[verb], self._name]
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
            )
            return done.returncode or int(answer not in done.stdout)
        return None


class _Processes:
    """A container's monitor and its PID 1, by descriptors that tell their end; none where the engine names no pids.

    Without its monitor the engine's client learns nothing: it ends 20 s later, with an exit code of its own.
    """

    def __init__(self, path: str, options: list[str]) -> None:
        options = options if _can_open_processes() else []
        self._files = {option: f"{path}.{number}" for number, option in enumerate(options)}
        if self._files:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        self._handles: list[int] = []

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: Any) -> None:
        while self._handles:
            os.close(self._handles.pop())
        for file in self._files.values():
            with contextlib.suppress(OSError):
                os.unlink(file)

    @property
    def options(self) -> list[str]:
        """The options of `run` by which the engine leaves the pids."""
        return [word for option in self._files.items() for word in option]

    def wait_for_client(self, client: subprocess.Popen[bytes]) -> bool:
        """Wait until the client has ended; return False if the monitor was killed before."""
        if not self._files:
            client.wait()
            return True
        ended = os.pidfd_open(client.pid)
        try:
            while not self._handles and not _wait_for_end([ended], LOOK):
                self._open_handles()
            monitor = self._handles[:1]
            return ended in _wait_for_end([ended, *monitor]) or not self.is_inside_alive()
        finally:
            os.close(ended)

    def is_inside_alive(self) -> bool | None:
        """Tell whether PID 1 lives; None where that is unknown."""
        return not _wait_for_end(self._handles[1:], 0.0) if self._handles else None

    def wait_for_inside(self, seconds: float) -> None:
        """Wait until PID 1 has ended, for so long at most."""
        if not self._handles:
            time.sleep(seconds)
        _wait_for_end(self._handles[1:], seconds)

    def _open_handles(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # not written yet, or only in part
            for file in self._files.values():
                with open(file) as text:
                    self._handles.append(os.pidfd_open(int(text.read())))
        if len(self._handles) < len(self._files):
            while self._handles:
                os.close(self._handles.pop())


def _can_open_processes() -> bool:
    """Return True if the system has descriptors of processes: old kernels and some sandboxes refuse them."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


def _wait_for_end(handles: list[int], seconds: float | None = None) -> list[int]:
    """Return those of the descriptors whose processes have ended as soon as one has, or after so many seconds."""
    poll = select.poll()
    for handle in handles:
        poll.register(handle, select.POLLIN)
    return [handle for handle, _ in poll.poll(None if seconds is None else 1000 * seconds)]


def _end_client(client: subprocess.Popen[bytes]) -> int:
    """Return the client's exit code; it ends with its container, which is over."""
    try:
        return client.wait(MARGIN)
    except subprocess.TimeoutExpired:
        client.kill()
        return client.wait()


def _fix_limit() -> None:
    """Tell by the limit of the step's mark, which nothing inside can lose, what SIGNALLED_BY_PARENT tells."""
    with contextlib.suppress(OSError, ValueError):
        soft, hard = resource.getrlimit(RLIMIT_LOCKS)
        if sys.platform == "linux" and soft != hard:
            resource.setrlimit(RLIMIT_LOCKS, (soft, soft))


def get_pid_folder(marks: str) -> str:
    """Return the folder where the engine writes pids, beside that of the marks."""
    return f"{marks}-pids"


@contextlib.contextmanager
def hold_mark(path: str) -> Any:
    """Hold a mark while the container of its name exists; a mark that nobody locks is an orphan's."""
    handle = _make_locked_file(path)
    try:
        yield handle
        os.unlink(path)
    finally:
        os.close(handle)


def _make_locked_file(path: str) -> int:
    """Return a descriptor of the file; a server that starts may remove one that is not locked yet."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return handle
        os.close(handle)


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
