"""The program: cut, run, and write what `run` returned."""

from __future__ import annotations

import os
import shutil
import signal
from typing import Any

from .coordinator import Coordinator
from .cutting import ROWS_FOLDER, cut_input
from .errors import ParallelError, StopRequested
from .model import find_script, provide_model
from .reports import Reports, format_count, write_result
from .row_settings import read_row_settings
from .script import check_script
from .settings import ParallelSettings, get_port
from .takeover import open_journal

_STOPPED = 128 + signal.SIGTERM


def _find_rows_path(settings: ParallelSettings) -> str:
    """Return the file that gets the rows: the output itself, or a file of the service's name in its folder."""
    path = get_port(os.environ, "outputs", settings.append_row_to)
    name = settings.append_row_file_name or "parallel_run_step.txt"
    return os.path.join(path, name) if os.path.isdir(path) else path


def _request_stop(*_: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise StopRequested


def _run_job(settings: ParallelSettings) -> int:
    script = find_script(settings, os.getcwd())
    has_shutdown = check_script(script)
    row_settings = read_row_settings(os.path.dirname(script))
    if settings.model:
        provide_model(settings, os.getcwd())
    cut = cut_input(settings)._replace(has_shutdown=has_shutdown)
    reports = Reports(os.getcwd(), len(cut.batches))
    for line in row_settings.list_idle(settings.append_row_to):
        reports.say(line)
    workers = min(settings.count_workers(), len(cut.batches))
    reports.say(f"{cut.words}; {format_count(workers, 'worker process')}, logs in logs/user")
    journal = open_journal(settings, cut, reports)
    try:
        error = Coordinator(settings, cut, journal, reports).run_all()
    except StopRequested:
        reports.show_progress(now=True)
        reports.write_result("stopped, as the job is to be cancelled")
        return _STOPPED
    reports.show_progress(now=True)
    reports.list_failed()
    if error:
        reports.write_result(error)
        return 1
    end = "all mini-batches ended"
    if settings.append_row_to:
        rows = journal.write_rows(_find_rows_path(settings), len(cut.batches))
        words = f"{format_count(rows, 'row')} {'was' if rows == 1 else 'were'} written"
        end = f"{words} to the output '{settings.append_row_to}'"
    shutil.rmtree(ROWS_FOLDER, ignore_errors=True)
    succeeded = len(journal.records)
    journal.remove_file()
    reports.write_result(f"{succeeded} of {format_count(len(cut.batches), 'mini-batch')} succeeded; {end}")
    return 0


def main() -> int:
    signal.signal(signal.SIGTERM, _request_stop)
    try:
        return _run_job(ParallelSettings.read(os.environ))
    except StopRequested:
        return _STOPPED
    except (ParallelError, OSError) as error:
        print(error, flush=True)
        write_result(os.getcwd(), str(error))
        return 1
