"""A job is followed over as many connections as it takes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from smalt.client.connection.http1 import ConnectionLost
from smalt.client.jobs import event_stream as following
from smalt.client.jobs import wait_lines
from smalt.client.jobs.stream_printer import StreamPrinter
from smalt.exceptions import Unavailable


def log(text: str, name: str = "j", file: str = "user_logs/std_log.txt") -> dict[str, Any]:
    return {"t": "log", "name": name, "file": file, "text": text}


END = {"t": "end", "status": "Completed"}
TICK = {"t": "tick"}


class Streams:
    """Each stream tells all from the beginning; one that ends in None breaks off there."""

    def __init__(self, *streams: list[dict[str, Any] | None]) -> None:
        self._streams = iter(streams)

    def __call__(self) -> Iterator[bytes]:
        for event in next(self._streams):
            if event is None:
                raise ConnectionLost("gone", started=True)
            yield json.dumps(event).encode()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_PAUSE", 0.0)


def test_what_was_seen_is_not_seen_again() -> None:
    """Whatever pieces it comes in the second time."""
    streams = Streams(
        [log("ab"), log("c"), log("x", "k"), None], [log("a"), log("bcde"), None], [log("abcdef"), log("x", "k"), END]
    )
    texts = [event for event in following.stream_events(streams) if event["t"] == "log"]
    assert "".join(event["text"] for event in texts if event["name"] == "j") == "abcdef"
    assert "".join(event["text"] for event in texts if event["name"] == "k") == "x"


def test_the_end_and_the_reason_are_told() -> None:
    """The job's own, and that of a step where the job has none."""
    failed = {"t": "job", "name": "s", "status": "Failed", "error": {"error": {"message": "exit code 3"}}}
    streams = Streams([failed, {"t": "end", "status": "Failed"}])
    assert following.follow_events(streams, lambda event: None) == ("Failed", "exit code 3")


def test_a_server_that_does_not_come_back_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while, not at once."""
    clock = itertools.count()
    monkeypatch.setattr(following, "time", SimpleNamespace(monotonic=lambda: next(clock), sleep=lambda _: None))
    monkeypatch.setattr(following, "PATIENCE", 5.0)
    tried = 0

    def gone() -> Iterator[bytes]:
        nonlocal tried
        tried += 1
        raise ConnectionLost("gone", started=False)
        yield b""

    with pytest.raises(Unavailable, match="lost the smalt server"):
        list(following.stream_events(gone))
    assert tried > 2


def test_an_error_of_the_server_is_not_waited_for() -> None:
    """Only a lost connection is opened again."""

    def full() -> Iterator[bytes]:
        raise Unavailable("the disk is full")
        yield b""

    with pytest.raises(Unavailable, match="the disk is full"):
        list(following.stream_events(full))


JOB = {"t": "job", "name": "j", "status": "Running"}


def test_steps_are_told_apart_in_print(capsys: pytest.CaptureFixture[str]) -> None:
    """A line names the step where it changes, the first one too; smalt's own log is apart."""
    show = StreamPrinter()
    other = log("x", file="system_logs/smalt.log")
    for event in (JOB, log("1\n", "a"), log("2\n", "a"), other, log("3\n", "b"), log("4\n", "a"), END):
        show(event)
    assert capsys.readouterr().out == "--- a\n1\n2\n--- b\n3\n--- a\n4\n"


def test_a_log_without_a_last_newline_does_not_run_into_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    """The next step's name begins a line of its own, and so does what comes after the last step."""
    show = StreamPrinter()
    for event in (JOB, log("1", "a"), log("2", "a"), log("3", "b"), log("4", "b"), END):
        show(event)
    assert capsys.readouterr().out == "--- a\n12\n--- b\n34\n"


@pytest.mark.parametrize("events", [[JOB, log("1\n"), log("2")], [log("1\n"), log("2"), JOB]])
def test_the_log_of_a_job_without_steps_is_printed_as_it_is(
    events: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a name, and without a newline that it does not have; a job that is over tells its log first."""
    show = StreamPrinter()
    for event in (*events, END):
        show(event)
    assert capsys.readouterr().out == "1\n2"


def test_another_holder_is_told_half_a_minute_later(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the last of them, and not one that came and went: a line must not name for ever who is long over."""
    now = 0.0
    monkeypatch.setattr(wait_lines.time, "monotonic", lambda: now)
    wait = {"t": "wait", "name": "j", "status": "Queued", "waits_for": "a free CPU; the only one is taken by a"}
    show = StreamPrinter()
    show({**JOB, "status": "Queued"})
    told = []
    for now, event in (
        (1.0, wait), (5.0, {**wait, "waits_for": "a free CPU; the only one is taken by b"}),
        (9.0, {**wait, "waits_for": "a free CPU; the only one is taken by c"}), (19.0, TICK),
        (35.0, TICK), (70.0, TICK),
        (71.0, {**wait, "waits_for": "a free CPU; the only one is taken by d"}),
        (72.0, {**wait, "waits_for": "a free CPU; the only one is taken by e"}), (73.0, {**wait, "waits_for": ""}),
        (200.0, TICK),
    ):  # fmt: skip
        show(event)
        told += [(now, line.rpartition(" ")[2]) for line in capsys.readouterr().err.splitlines()]
    assert told == [(1.0, "a"), (35.0, "c"), (71.0, "d")]


def test_a_wait_is_told_once_and_again_when_it_is_for_something_else(capsys: pytest.CaptureFixture[str]) -> None:
    """Beside the log; who else has what it waits for may change, and each connection repeats the last one."""
    wait = {"t": "wait", "name": "j", "status": "Queued", "waits_for": "a free CPU; the only one is taken by a"}
    show = StreamPrinter()
    for event in (
        {**JOB, "status": "Queued"}, wait, {**wait, "waits_for": "a free CPU; the only one is taken by b"}, wait,
        {**wait, "status": "Preparing", "waits_for": "its environment, which is being made ready"},
        {"t": "job", "name": "j-a", "node": "a", "parent": "j", "status": "NotStarted"},
        {**wait, "name": "j-a", "waits_for": "its turn"}, {**wait, "name": "j-a", "waits_for": ""}, END,
    ):  # fmt: skip
        show(event)
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines()[:-1] == [
        "job j: Queued, waits for a free CPU; the only one is taken by a",
        "job j: Preparing, waits for its environment, which is being made ready",
        "a: Queued, waits for its turn",
    ]


def test_the_progress_is_told_beside_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    """Environments, starts, ends, reuse and totals go to standard error; without progress nothing does."""
    step = {"t": "job", "name": "j-a", "node": "a", "parent": "j"}
    events: list[dict[str, Any]] = [
        JOB, {**step, "status": "NotStarted"}, log("building\n  numpy 1.0\n", "j-a", "system_logs/smalt.log"),
        {**step, "status": "Running", "start": 1.0}, log("hi\n", "j-a"),
        {**step, "status": "Completed", "start": 1.0, "end": 3.5},
        {"t": "job", "name": "j-b", "node": "b", "parent": "j", "status": "Completed", "reused": "i-b", "start": 2.0},
        {**JOB, "status": "Completed", "start": 1.0, "end": 4.0}, END,
    ]  # fmt: skip
    show, silent = StreamPrinter(), StreamPrinter(shows_progress=False)
    for event in events:
        show(event)
    told = capsys.readouterr()
    assert told.out == "--- j-a\nhi\n"
    assert told.err.splitlines() == [
        "a | building", "a: Running", "a: Completed in 2.5 s", "b: Completed, reused from i-b",
        "job j Completed after 3.0 s (2 Completed (1 reused))",
    ]  # fmt: skip
    for event in events:
        silent(event)
    assert capsys.readouterr().err == ""


def test_a_progress_bar_is_printed_as_it_comes(capsys: pytest.CaptureFixture[str]) -> None:
    """What is redrawn with carriage returns is not kept until its line ends."""
    show = StreamPrinter()
    show(JOB)
    show(log("\r10%"))
    assert capsys.readouterr().out == "\r10%"
    show(log("\r50%"))
    assert capsys.readouterr().out == "\r50%"
