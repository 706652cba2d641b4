"""Metrics and tables on their way to the server: at once, but the script does not wait for it.

What waits is sent together, so a loop that logs without pause costs one call for many metrics. What is lost when the
process is killed is what the call under way had not brought over: a few milliseconds' worth.
"""

from __future__ import annotations

import atexit
import functools
import itertools
import os
import sys
import threading

from .client import RequestRefused, TrackingUnreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .client import RunClient

_MOST_AT_ONCE = 1000  # MLflow's own limit of a batch
_MOST_WAITING = 20_000  # then the script waits, as memory is finite


class RunWriter:
    """A background sender of metrics and files, one per process."""

    def __init__(self, client: RunClient) -> None:
        self._client = client
        self._reset()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._reset_after_fork)
        atexit.register(self._flush_at_exit)

    def _reset(self) -> None:
        self._changes, self._sending = threading.Lock(), threading.Lock()
        self._work = threading.Event()
        self._metrics: list[tuple[str, dict[str, Any]]] = []
        self._uploads: dict[str, Callable[[], Any]] = {}
        self._thread: threading.Thread | None = None
        self._failure: Exception | None = None
        self._at_once = False

    def _reset_after_fork(self) -> None:
        """The parent sends what waits. A forked process mostly ends without atexit, so it sends at once itself."""
        self._reset()
        self._at_once = True

    def add_metric(self, run_id: str, metric: dict[str, Any]) -> None:
        with self._changes:
            self._metrics.append((run_id, metric))
        self._wake_thread()

    def add_upload(self, key: str, send: Callable[[], Any]) -> None:
        """`send` is called soon; only the last one that waits under a key is."""
        with self._changes:
            self._uploads[key] = send
        self._wake_thread()

    def _wake_thread(self) -> None:
        if self._at_once or len(self._metrics) > _MOST_WAITING:
            self.flush()
            return
        self._raise_failure()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run_thread, name="azureml-metrics", daemon=True)
            self._thread.start()
        self._work.set()

    def flush(self) -> None:
        """Everything is with the server when this returns."""
        self._send_all()
        self._raise_failure()

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _run_thread(self) -> None:
        while True:
            self._work.wait()
            self._work.clear()
            try:
                self._send_all()
            except TrackingUnreachable:
                self._work.set()  # it waits on, and is tried again

    def _send_all(self) -> None:
        with self._sending:
            while self._metrics:
                with self._changes:
                    run_id, group = next(itertools.groupby(self._metrics, key=lambda item: item[0]))
                    batch = [metric for _, metric in itertools.islice(group, _MOST_AT_ONCE)]
                body = {"run_id": run_id, "metrics": batch}
                self._send_call(functools.partial(self._client.send_json, "runs/log-batch", body))
                with self._changes:
                    del self._metrics[: len(batch)]
            while self._uploads:
                with self._changes:
                    key, upload = next(iter(self._uploads.items()))
                self._send_call(upload)
                with self._changes:
                    if self._uploads.get(key) is upload:
                        del self._uploads[key]

    def _send_call(self, call: Callable[[], Any]) -> None:
        """Send a call. A call that the server refuses is dropped, and the script hears of it at its next call."""
        try:
            call()
        except RequestRefused as problem:
            self._failure = problem

    def _flush_at_exit(self) -> None:
        try:
            self.flush()
        except Exception as problem:
            print("error: what was logged last is lost:", problem, file=sys.stderr)
