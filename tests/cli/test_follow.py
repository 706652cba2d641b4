from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import pytest

from smalt.cli.jobs.log_output import LineView
from smalt.cli.jobs.stream import print_summary, show_events
from smalt.cli.jobs.watch import JobWatch, format_duration
from smalt.exceptions import JobException

Event = dict[str, Any]


def job(name: str, status: str, **rest: Any) -> Event:
    return {"t": "job", "name": name, "status": status, **rest}


def log(name: str, text: str, file: str = "user_logs/std_log.txt") -> Event:
    return {"t": "log", "name": name, "file": file, "text": text}


PIPELINE = [
    job("p", "Running", type="pipeline", start=100.0),
    job("c1", "Running", node="train", parent="p", type="command", start=101.0),
    log("c1", "environment ready\n", "system_logs/smalt.log"),
    log("c1", "epoch 1\nepo"),
    log("c1", "ch 2\n10%\r50%\r\n"),
]
FAILED = [
    *PIPELINE,
    job("c2", "NotStarted", node="score", parent="p", type="command"),
    log("c1", "boom"),
    job("c1", "Failed", node="train", parent="p", end=103.5, error={"code": "UserError", "message": "Exit code 3."}),
    job("c2", "Canceled", node="score", parent="p", end=103.5),
    job("p", "Failed", end=104.0),
    {"t": "tick"},
    {"t": "end", "status": "Failed"},
]


def shown(events: Iterable[Event], root: str = "p", quiet: bool = False) -> tuple[str, str]:
    """What a pipe gets on its two streams."""
    out, err = io.StringIO(), io.StringIO()
    watch = JobWatch(root)
    with LineView(watch, out, None if quiet else err) as view:
        show_events(watch, view, events)
    print_summary(watch, err, quiet)
    return out.getvalue(), err.getvalue()


def test_a_pipelines_log_has_the_step_before_each_line() -> None:
    """Lines arrive whole, prefixed by node; of a progress bar the last drawing; what does not end is ended."""
    out, _ = shown(FAILED)
    assert out.splitlines() == ["train | epoch 1", "train | epoch 2", "train | 50%", "train | boom"]


def test_news_and_smalts_own_log_are_no_part_of_the_log() -> None:
    """States, the building of environments and the summary go to the other stream."""
    _, err = shown(FAILED)
    assert err.splitlines()[:3] == ["train: Running", "train | environment ready", "train: Failed in 2.5 s"]


def test_a_failure_names_the_step_why_and_the_end_of_its_log() -> None:
    """The step that failed, not the pipeline that failed with it, is explained."""
    _, err = shown(FAILED, quiet=True)
    assert err.splitlines() == [
        "error: step train failed: Exit code 3; its log ends:",
        "    epoch 1",
        "    epoch 2",
        "    50%",
        "    boom",
        "error: job p Failed after 4.0 s (1 Failed, 1 Canceled)",
    ]


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("the table has one class", "the table has one class"),
        ("the search failed: Exit code 2.", "Exit code 2"),
        ("", "Exit code 2"),
    ],
)
def test_a_failed_search_is_explained_by_the_sentence_that_it_gave(reason: str, told: str) -> None:
    """Of an AutoML job, whose step's command tells its exit code only."""
    events = [
        job("a", "Running", type="AutoML", start=100.0),
        job("a_search", "Running", node="search", parent="a", type="command", start=101.0),
        job("a_search", "Failed", node="search", parent="a", end=103.0, error={"message": "Exit code 2."}),
        job("a", "Failed", end=104.0, error={"message": reason}),
        {"t": "end", "status": "Failed"},
    ]
    _, err = shown(events, "a", quiet=True)
    assert err.splitlines()[0] == f"error: step search failed: {told} (it wrote no log)"


def test_a_single_jobs_log_is_passed_on_unchanged() -> None:
    """No prefix, partial lines at once, and a success ends with one sentence."""
    out, err = shown(
        [
            job("j", "Running", type="command", start=1.0),
            log("j", "10%\r"),
            log("j", "20%"),
            job("j", "Completed", end=3.0),
            {"t": "end", "status": "Completed"},
        ],
        root="j",
    )
    assert out == "10%\r20%"
    assert err == "job j Completed after 2.0 s\n"


def test_the_summary_begins_a_line_where_the_log_is_above_it() -> None:
    """A log without a newline at its end is ended on the stream of the summary, so that the log is unchanged."""
    for shares_lines in (True, False):
        out, err = io.StringIO(), io.StringIO()
        watch = JobWatch("j")
        with LineView(watch, out, err, shares_lines=shares_lines) as view:
            show_events(watch, view, [job("j", "Running"), log("j", "0.5"), {"t": "end", "status": "Completed"}])
        assert (out.getvalue(), err.getvalue()) == ("0.5", "\n" if shares_lines else "")


def test_steps_of_nested_pipelines_have_their_whole_path() -> None:
    """`outer/inner` tells two steps of one name apart."""
    events = [
        job("p", "Running", type="pipeline"),
        job("q", "Running", node="outer", parent="p", type="pipeline"),
        job("c", "Running", node="inner", parent="q", type="command"),
        log("c", "hi\n"),
        {"t": "end", "status": "Completed"},
    ]
    assert shown(events)[0] == "outer/inner | hi\n"


def test_a_log_waits_until_its_job_is_named() -> None:
    """Of a step that is over the server tells the log first; its lines get the step's name all the same."""
    events = [
        job("p", "Completed", type="pipeline"),
        log("c", "hi\n"),
        job("c", "Completed", node="train", parent="p", type="command"),
        {"t": "end", "status": "Completed"},
    ]
    assert shown(events)[0] == "train | hi\n"


def test_a_step_that_never_began_took_no_time() -> None:
    """It was canceled as it stood; no seconds are told."""
    events = [
        job("p", "Failed", type="pipeline"),
        job("c", "Canceled", node="last", parent="p", start=5.0, end=5.0),
        {"t": "end", "status": "Failed"},
    ]
    assert shown(events)[1].splitlines()[0] == "last: Canceled"


def test_the_details_of_smalts_own_log_are_not_shown() -> None:
    """Indented lines, such as the packages of an environment, stay in the job's log."""
    events = [
        job("j", "Running", type="command"),
        log("j", "building\n + numpy==2\nbuilt\n", "system_logs/smalt.log"),
        {"t": "end", "status": "Completed"},
    ]
    assert shown(events, root="j")[1].splitlines()[:2] == ["building", "built"]


def test_a_canceled_job_is_told_as_one() -> None:
    """Cancelling is not a failure of a step."""
    events = [job("p", "Canceled", type="pipeline"), {"t": "end", "status": "Canceled"}]
    assert shown(events)[1] == "error: job p was canceled\n"


def test_a_stream_that_ends_without_an_end_is_an_error() -> None:
    """Following never claims that a job ended which did not."""
    with pytest.raises(JobException):
        show_events(JobWatch("j"), LineView(JobWatch("j"), io.StringIO(), None), [job("j", "Running")])


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (0.04, "0.0 s"), (59.9, "59.9 s"), (125, "2:05"), (3605, "1:00:05")]
)
def test_durations_read_well(seconds: float | None, text: str) -> None:
    """Seconds, then minutes, then hours."""
    assert format_duration(seconds) == text
