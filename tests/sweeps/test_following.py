"""What a sweep's stream says: in a pipe, on a terminal, and to a program."""

from __future__ import annotations

import io
from collections.abc import Iterable

import pytest
from rich.console import Console

from smalt.cli.jobs.log_output import LineView
from smalt.cli.jobs.step_tree import StepTree
from smalt.cli.jobs.stream import print_summary, show_events
from smalt.cli.jobs.watch import JobWatch
from smalt.client.jobs.stream_printer import StreamPrinter
from tests.sweeps.events import Event, play
from tests.sweeps.recorded import TERMINATED, RecordedTrial, make_trials

FAILURE = {"code": "UserError", "message": "the command exited with code 3", "exit_code": 3}
TRIALS = [
    RecordedTrial({"lr": 0.1}, 0.5),
    RecordedTrial({"lr": 0.25}, None, "Failed", FAILURE),
    RecordedTrial({"lr": 0.012345678}, 0.75),
    RecordedTrial({"lr": 0.5}, 0.25, "Canceled", {"code": "EarlyTermination", "message": TERMINATED}),
    RecordedTrial({"lr": 0.75}, 0.75),
]


def pipe(events: Iterable[Event], root: str = "s") -> tuple[list[str], list[str]]:
    """Return the lines that a pipe gets on its two streams."""
    out, err = io.StringIO(), io.StringIO()
    watch = JobWatch(root)
    with LineView(watch, out, err) as view:
        show_events(watch, view, events)
    print_summary(watch, err, quiet=False)
    return out.getvalue().splitlines(), err.getvalue().splitlines()


def screen(events: Iterable[Event], root: str = "s", width: int = 90, height: int = 40) -> list[str]:
    """Return the lines that a terminal shows after these events."""
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=False, highlight=False)
    watch = JobWatch(root)
    for event in events:
        if event["t"] == "job":
            watch.apply_event(event)
    console.print(StepTree(watch, console=console).render_tree())
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue().splitlines()


def test_a_pipe_gets_a_line_for_each_trial_that_ends() -> None:
    """Each has the metric and the point; a failed one the end of its log; the summary says how to get the best."""
    out, err = pipe(play(TRIALS))
    assert out == []
    assert err == [
        "trial_0: Completed in 2.0 s, accuracy 0.5 (lr=0.1), the best so far",
        "trial_1: Failed in 2.0 s (lr=0.25): the command exited with code 3",
        "    first 1",
        "    the last words 1",
        "trial_2: Completed in 2.0 s, accuracy 0.75 (lr=0.01235), the best so far",
        f"trial_3: Terminated in 2.0 s, accuracy 0.25 (lr=0.5): {TERMINATED}",
        "trial_4: Completed in 2.0 s, accuracy 0.75 (lr=0.75)",
        "job s Completed after 9.0 s (3 Completed, 1 Failed, 1 Terminated)",
        "best trial: s_2, accuracy 0.75 (lr=0.01235)",
        "to get its files: smalt job download --name s --all",
        "to see all trials: smalt job compare s --html s.html",
    ]


def test_a_sweep_in_a_pipeline_has_a_line_for_a_tenth_of_its_trials() -> None:
    """1,000 trials are no 1,000 lines, and the failed ones show three logs."""
    _, err = pipe(play(make_trials(1000), "p"), "p")
    progress = [line for line in err if line.startswith("s: ") and " trials" in line]
    assert len(progress) == 10
    assert progress[-1].startswith("s: Completed in 9.0 s, 1000/1000 trials, 91 failed, best 0.9658 (trial_933)")
    assert sum("the last words" in line for line in err) == 3
    assert len(err) < 25
    assert err[-1] == "job p Completed after 10.0 s (1 Completed)"


def test_a_failed_pipeline_does_not_blame_the_failed_trials_of_a_completed_sweep() -> None:
    events = [event for event in play(TRIALS, "p") if event["name" if "name" in event else "t"] not in ("p", "end")]
    events.insert(0, {"t": "job", "name": "p", "type": "pipeline", "status": "Running"})
    events += [
        {"t": "job", "name": "p-x", "node": "x", "parent": "p", "status": "Failed", "error": {"message": "boom"}},
        {"t": "job", "name": "p", "status": "Failed", "start": 1.0, "end": 2.0},
        {"t": "end", "status": "Failed"},
    ]
    _, err = pipe(events, "p")
    assert [line for line in err if line.startswith("error")] == [
        "error: step x failed: boom (it wrote no log)",
        "error: job p Failed after 1.0 s (1 Completed, 1 Failed)",
    ]


def test_a_sweep_of_failed_trials_explains_each_once() -> None:
    events = [*play([RecordedTrial({"lr": 1}, None, "Failed", FAILURE)] * 5)][:-2]
    error = {"message": "all 5 trials failed; the first: the command exited with code 3"}
    end = {"t": "job", "name": "s", "status": "Failed", "start": 1.0, "end": 2.0, "error": error}
    _, err = pipe([*events, end, {"t": "end", "status": "Failed"}])
    assert sum("the last words 0" in line for line in err) == 1
    assert err[-3:] == [
        "error: trial_2 failed: the command exited with code 3",
        "error: 2 more trials failed; see: smalt job list -p s",
        "error: job s Failed after 1.0 s (5 Failed)",
    ]


def test_a_terminal_shows_the_best_the_last_and_what_runs() -> None:
    events = [*play(TRIALS)]
    there = events[: next(n for n, event in enumerate(events) if event.get("status") == "Canceled") + 1]
    lines = screen(there)
    assert "s  Running" in lines[0]
    assert lines[1] == "  trials   4 of 5: 2 Completed, 1 Failed, 1 Terminated, 1 running"
    assert lines[2] == "  best     trial_2  accuracy 0.75  lr=0.01235"
    assert lines[3] == "  last     trial_3  accuracy 0.25  Terminated  lr=0.5"
    assert lines[4].startswith("  running  trial_4  Running")
    assert len(lines) == 5


def test_a_narrow_and_low_terminal_keeps_each_line_whole() -> None:
    """No line wraps, and of many trials that run a few are shown and the others counted."""
    events = [*play(make_trials(40), at_once=30)]
    there = events[: next(n for n, event in enumerate(events) if event.get("status") == "Completed")]
    lines = screen(there, width=30, height=16)
    assert all(len(line) <= 30 for line in lines)
    assert lines[-1] == "           … and 28 more"
    assert len(lines) <= 7


def test_a_tree_has_a_sweep_as_one_row() -> None:
    lines = screen(play(make_trials(1000), "p"), "p", width=100)
    assert len(lines) == 2
    assert "s  Completed  9.0 s  1000/1000 trials, 91 failed, best 0.9658 (trial_933)" in lines[1]


def test_a_program_is_told_of_trials_as_they_end(capsys: pytest.CaptureFixture[str]) -> None:
    """The client's own stream has the same lines, and the call that downloads the best."""
    printer = StreamPrinter()
    for event in play(TRIALS):
        printer(event)
    out, err = capsys.readouterr()
    assert out == "--- s_1\nfirst 1\nthe last words 1\n"
    lines = err.splitlines()
    assert lines[0] == "trial_0: Completed in 2.0 s, accuracy 0.5 (lr=0.1), the best so far"
    assert lines[-3:] == [
        "job s Completed after 9.0 s (3 Completed, 1 Failed, 1 Canceled)",
        "best trial: s_2, accuracy 0.75 (lr=0.01235)",
        "to get its files: ml_client.jobs.download('s', all=True)",
    ]
