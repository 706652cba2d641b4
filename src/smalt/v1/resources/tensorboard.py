"""`azureml.tensorboard`: TensorBoard on the logs of runs, where the program's Python has the package tensorboard."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from smalt.v1.exceptions import UserErrorException
from smalt.v1.run import OVER

if TYPE_CHECKING:
    from smalt.v1.run import Run

_PAUSE = 5.0
"""Seconds between two looks at the files of runs that go on."""
_START = 60.0


class Tensorboard:
    def __init__(self, runs: Any, local_root: str | None = None, port: int = 6006) -> None:
        self._runs: list[Run] = list(runs) if isinstance(runs, Iterable) else [runs]
        self._root = os.path.abspath(local_root or tempfile.mkdtemp(prefix="smalt-tensorboard-"))
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._over = threading.Event()

    def start(self, start_browser: bool = False) -> str:
        """Fetch the logs of the runs, and again while they go on; return TensorBoard's address when it answers."""
        _check_package()
        os.makedirs(self._root, exist_ok=True)
        self._fetch_logs()
        if any(run.get_status() not in OVER for run in self._runs):
            threading.Thread(target=self._follow_logs, daemon=True, name="smalt-tensorboard").start()
        words = ["-m", "tensorboard.main", "--logdir", self._root, "--port", str(self._port), "--host", "localhost"]
        self._process = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        address = f"http://localhost:{self._port}/"
        self._wait_for_answer(address)
        if start_browser:
            import webbrowser

            webbrowser.open(address)
        return address

    def stop(self) -> None:
        self._over.set()
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def _wait_for_answer(self, address: str) -> None:
        deadline = time.monotonic() + _START
        while self._process is not None and self._process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5):
                return
            time.sleep(0.1)
        self.stop()
        raise UserErrorException(f"TensorBoard does not answer at {address}; is port {self._port} taken?")

    def _follow_logs(self) -> None:
        while not self._over.wait(_PAUSE):
            with contextlib.suppress(Exception):  # the next look may do
                self._fetch_logs()
                if all(run.get_status() in OVER for run in self._runs):
                    return

    def _fetch_logs(self) -> None:
        for run in self._runs:
            for name in run.get_file_names():
                if name.startswith("logs/"):
                    run.download_file(name, os.path.join(self._root, run.id, *name.split("/")[1:]))


def export_to_tensorboard(run_data: Any, logdir: str, logger: Any = None, recursive: bool = True) -> None:
    """Write the metrics of a run, of several, or of the runs of an experiment as TensorBoard's event files."""
    _check_package()
    for run in _list_runs(run_data):
        family = [run, *(run.get_children(recursive=True) if recursive else ())]
        for one in family:
            _write_metrics(one, os.path.join(logdir, one.id))


def _list_runs(run_data: Any) -> Iterator[Any]:
    if hasattr(run_data, "get_runs"):
        yield from run_data.get_runs()
    elif isinstance(run_data, Iterable):
        yield from run_data
    else:
        yield run_data


def _write_metrics(run: Any, folder: str) -> None:
    writing = importlib.import_module("tensorboard.summary.writer.event_file_writer")
    events = importlib.import_module("tensorboard.compat.proto.event_pb2")
    summaries = importlib.import_module("tensorboard.compat.proto.summary_pb2")
    writer = writing.EventFileWriter(folder)
    for name, values in run.get_metrics().items():
        for step, value in enumerate(values if isinstance(values, list) else [values]):
            if isinstance(value, (int, float)):
                point = summaries.Summary.Value(tag=name, simple_value=float(value))
                summary = summaries.Summary(value=[point])
                writer.add_event(events.Event(wall_time=time.time(), step=step, summary=summary))
    writer.close()


def _check_package() -> None:
    if importlib.util.find_spec("tensorboard") is None:
        raise UserErrorException("azureml.tensorboard needs the package tensorboard here: pip install tensorboard")
