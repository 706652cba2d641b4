"""A worker process: it loads the entry script once, and calls `run` for each mini-batch that it is sent."""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import logging
import os
import pickle
import signal
import socket
import sys
import threading
import time
import traceback
from typing import Any

from .channel import Message, WorkerChannel
from .errors import ParallelError
from .model import find_script
from .row_settings import read_row_settings
from .rows import make_rows
from .script import MiniBatchContext, UserScript, provide_modules
from .settings import ParallelSettings

_LONGEST_TEXT = 20_000
DUMP_SIGNAL = signal.SIGUSR2
"""Lets a worker write where each of its threads is to its log."""


class WorkerPlace:
    """The name, logs and GPU of one worker process."""

    def __init__(self, workdir: str, node: str, name: str, gpu: str | None) -> None:
        self.workdir = workdir
        self.node = node
        self.name = name
        self.gpu = gpu

    def make_log_path(self, kind: str, ending: str) -> str:
        """Return the path of one of its logs, with the folders above it made."""
        folder = os.path.join(self.workdir, "logs", "user", kind, self.node)
        os.makedirs(folder, exist_ok=True)
        return os.path.join(folder, f"{self.name}{ending}")


def run_worker(settings: ParallelSettings, place: WorkerPlace, connection: socket.socket, output_dir: str) -> None:
    """Run as a worker; never returns."""
    code = 1
    try:
        _prepare_process(place)
        code = _Worker(settings, place, WorkerChannel(connection), output_dir).run_all()
    except (BrokenPipeError, ConnectionError):
        code = 1  # the coordinator is gone
    except BaseException:
        traceback.print_exc()
    finally:
        _leave_process(code)


class _Worker:
    def __init__(self, settings: ParallelSettings, place: WorkerPlace, channel: WorkerChannel, output_dir: str) -> None:
        self._settings = settings
        self._place = place
        self._channel = channel
        self._output_dir = output_dir

    def run_all(self) -> int:
        """Serve until the coordinator says stop; return the exit code."""
        self._pid = os.getpid()
        script = self._load_script()
        if script is None:
            return 1
        while True:
            message = self._channel.receive()
            if message is None:
                return 1
            if message.header.get("stop"):
                return self._stop_work(script)
            self._run_batch(script, message)

    def _load_script(self) -> UserScript | None:
        path = find_script(self._settings, self._place.workdir)
        try:
            sys.argv = [path, *self._settings.arguments]
            _provide_helpers(self._settings, self._place, self._output_dir)
            self._options = read_row_settings(os.path.dirname(path)).to_csv
            script = UserScript(path)
            if script.init is not None:
                script.init()
        except BaseException as error:
            self._channel.send({"failed": "init", **_describe_error(error, "init()")})
            return None
        self._channel.send({"ready": True})
        return script

    def _run_batch(self, script: UserScript, message: Message) -> None:
        header = message.header
        number, began = header["n"], 0.0
        try:
            mini_batch = self._load_batch(header)
            context = MiniBatchContext(number, header["keys"], header["retries"], mini_batch)
            began = time.perf_counter()
            returned = script.run(mini_batch, context)
            self._end_copy()
            rows = make_rows(returned, self._options, bool(self._settings.append_row_to))
        except BaseException as error:
            self._end_copy()
            took = time.perf_counter() - began if began else 0.0
            self._channel.send({"failed": "run", "n": number, "took": took, **_describe_error(error, "run()")})
            return
        took = time.perf_counter() - began
        self._channel.send({"done": number, "took": took, "returned": rows.row_count, "head": rows.head}, rows.text)

    def _end_copy(self) -> None:
        """End a process that the script made by fork and let go on: it must not answer for its parent."""
        if os.getpid() != self._pid:
            sys.stderr.write("a process that run() had forked came back from it, and was ended\n")
            sys.stderr.flush()
            os._exit(1)

    def _load_batch(self, header: dict[str, Any]) -> Any:
        if not header["table"]:
            return header["items"]
        with open(header["items"][0], "rb") as file:
            rows = pickle.load(file)
        self._channel.send({"loaded": header["n"]})
        return rows

    def _stop_work(self, script: UserScript) -> int:
        if script.shutdown is not None:
            try:
                script.shutdown()
            except BaseException as error:
                self._channel.send({"failed": "shutdown", **_describe_error(error, "shutdown()")})
                return 1
            sys.stdout.flush()
        self._channel.send({"stopped": True, "threads": _list_threads()})
        return 0


def _list_threads() -> list[str]:
    """Return the names of the threads that keep this process from ending."""
    others = (one for one in threading.enumerate() if one is not threading.current_thread())
    return [one.name for one in others if not one.daemon]


def _describe_error(error: BaseException, where: str) -> dict[str, str]:
    """Return the sentence and the traceback of an error in the user's code."""
    if isinstance(error, ParallelError):
        return {"error": str(error), "trace": ""}
    own = os.path.dirname(os.path.abspath(__file__))
    frames = [one for one in traceback.extract_tb(error.__traceback__) if os.path.dirname(one.filename) != own]
    lines = traceback.format_list(frames) + traceback.format_exception_only(type(error), error)
    text = "".join(lines)[-_LONGEST_TEXT:]
    if isinstance(error, SystemExit):
        sentence = f"{where} called sys.exit({error.code!r})"
    else:
        last = traceback.format_exception_only(type(error), error)[-1].strip()
        sentence = f"{where} raised {last.splitlines()[0]}"  # the traceback has the rest
    place = f" ({os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""
    sys.stderr.write("Traceback (most recent call last):\n" + text)
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.flush()
    return {"error": sentence + place, "trace": text}


def _prepare_process(place: WorkerPlace) -> None:
    """Lead the output to the process's own logs, and let signals do what they do to any program."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
    _die_with_coordinator()
    for stream, kind in ((1, "stdout"), (2, "stderr")):
        log = os.open(place.make_log_path(kind, f".{kind}.txt"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(log, stream)
        os.close(log)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    if place.gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = place.gpu
    with contextlib.suppress(AttributeError, ValueError, RuntimeError, OSError):
        faulthandler.register(DUMP_SIGNAL, file=2, all_threads=True)


def _die_with_coordinator() -> None:
    """Let the kernel end this process when the coordinator dies, where it can (Linux)."""
    parent = os.getppid()
    try:
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    except (ImportError, OSError, AttributeError):
        return
    if os.getppid() != parent:
        os._exit(1)


def _provide_helpers(settings: ParallelSettings, place: WorkerPlace, output_dir: str) -> None:
    """Make the names importable that entry scripts use of the service."""
    logging.basicConfig(stream=sys.stdout, level=logging.WARNING)
    logger = logging.getLogger("azureml_user.parallel_run")
    logger.setLevel(settings.logging_level)
    path = place.make_log_path("entry_script_log", ".log.txt")
    handler = logging.FileHandler(path, delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s|%(levelname)s|%(process)d|%(message)s"))
    logger.addHandler(handler)
    logger.propagate = False
    provide_modules(
        logger, log_dir=os.path.dirname(path), output_dir=output_dir, working_dir=place.workdir,
        agent_name=place.name, node_id=place.node,
    )  # fmt: skip


def _leave_process(code: int) -> None:
    """End the process as an interpreter does, but not the coordinator's part of it.

    Threads are waited for only if all went well: a worker whose init() failed is to make room for the next one.
    """
    if code == 0:
        with contextlib.suppress(BaseException):
            getattr(threading, "_shutdown", lambda: None)()
    with contextlib.suppress(BaseException):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BaseException):
            stream.flush()
    os._exit(code)
