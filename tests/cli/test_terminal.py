"""What a terminal shows: tables that fit it, states in colours, local times; a pipe gets none of this."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest

from smalt.cli.output import results as output
from smalt.cli.output import table
from tests.cli.conftest import smalt
from tests.cli.test_job_report import on_a_terminal

ROWS = [
    {
        "name": "a-name-of-a-job-that-is-rather-long-001", "status": "Failed", "type": "command",
        "display_name": "a display name that says a lot about the job", "experiment_name": "experiment-of-the-year",
        "created_at": "2026-01-31T23:30:00.5+00:00",
    },
    {
        "name": "b", "status": "Completed", "type": "pipeline", "display_name": "b", "experiment_name": "e",
        "created_at": "2026-07-01T00:00:00Z",
    },
]  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch, columns: int = 80, form: str | None = "table") -> str:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TZ", "Europe/Berlin")
    output.write_result(ROWS, form, stream=stream)
    return stream.getvalue()


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 200])
def test_tables_fit_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No line is longer than the terminal is wide, as far as the first column, which is never cut, allows."""
    monkeypatch.setenv("NO_COLOR", "1")
    lines = on(Terminal(), monkeypatch, columns).splitlines()
    assert max(map(len, lines)) <= max(columns, len(str(ROWS[0]["name"])))
    assert any(line.startswith(str(ROWS[0]["name"])) for line in lines)


def test_what_does_not_fit_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns that are left out are named below, with how to see them."""
    monkeypatch.setenv("NO_COLOR", "1")
    last = " ".join(on(Terminal(), monkeypatch, 60).splitlines()[-2:])
    assert re.search(r"\(.*Created at: see --output json\)$", last)
    assert "see --output json" not in on(Terminal(), monkeypatch, 200)


def test_states_have_colours_unless_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\033[31mFailed\033[0m" in on(Terminal(), monkeypatch)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\033" not in on(Terminal(), monkeypatch)
    assert "\033" not in on(io.StringIO(), monkeypatch)


def test_a_terminal_has_local_times_and_a_pipe_has_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Local times have their zone; pipes get ISO 8601 in UTC, in every format."""
    import time

    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        shown = on(Terminal(), monkeypatch, 200)
        assert "2026-02-01 00:30 CET" in shown
        assert "2026-07-01 02:00 CEST" in shown
        assert "2026-01-31T23:30:00.5+00:00" in on(io.StringIO(), monkeypatch)
        assert "2026-01-31T23:30:00.5+00:00" in on(Terminal(), monkeypatch, form="yaml")
        assert table.to_local_time("2026-07-01 is a day") == "2026-07-01 is a day"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_job_list_and_job_show_on_a_terminal(tmp_path: Path) -> None:
    """`job list` fits 80 columns; a failure's last lines are shown once where log and summary share a terminal."""
    text = "type: pipeline\ndisplay_name: a display name that says a lot about what this job is for\njobs:\n  bad:\n"
    text += "    type: command\n    environment: azureml:host@latest\n    compute: azureml:local\n"
    (tmp_path / "job.yml").write_text(f"{text}    command: echo the only traceback; exit 3\n")
    streamed = on_a_terminal("job", "create", "--file", str(tmp_path / "job.yml"), "--name", "p", "--stream")
    assert streamed.count("the only traceback") == 1
    assert "error: step bad failed: the command exited with code 3\n" in streamed
    assert max(map(len, on_a_terminal("job", "list").splitlines())) <= 80
    apart = smalt("job", "stream", "p")
    assert (apart.out.count("the only traceback"), apart.err.count("the only traceback")) == (1, 1)
    assert json.loads(smalt("job", "list").out)[0]["creation_context"]["created_at"].endswith("+00:00")
