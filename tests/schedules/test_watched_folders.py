"""Schedules that watch a folder of a datastore: a job for what was added or changed, once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smalt.machine.home import Home
from smalt.service.records import jobs
from tests.forked_programs import ForkedPrograms
from tests.schedules.rig import HELLO, ScheduleBench, moment, schedule_bench, settle

FOLDER = "azureml://datastores/workspaceblobstore/paths/incoming"
WATCH = {"triggerType": "Datastore", "path": FOLDER, "pollingInterval": 5}
BY_FILE = {**WATCH, "input": "file"}
READ = {
    **HELLO,
    "command": "cat ${{inputs.file}}",
    "inputs": {"file": {"jobInputType": "uri_file", "uri": "azureml://datastores/workspaceblobstore/paths/"}},
}


def get_folder(bench: ScheduleBench) -> Path:
    location = bench.engine.context.resolve(FOLDER, bench.workspace)
    assert location.path is not None
    location.path.mkdir(parents=True, exist_ok=True)
    return location.path


def list_changed(bench: ScheduleBench) -> list[tuple[str, str]]:
    return [(tick.changed.removeprefix(f"{FOLDER}/"), tick.status) for tick in bench.ticks]


async def read_logs(bench: ScheduleBench) -> list[str]:
    logs = []
    for name in bench.job_names():
        job = jobs.find_by_name(bench.db, bench.workspace.id, name)
        assert job is not None
        assert (await bench.over(job)).status == "Completed"
        logs.append(bench.log(job))
    return logs


async def test_a_look_without_a_change_has_no_tick() -> None:
    """Nor do the files that were there when the schedule was created, folders, and files that begin with a dot."""
    async with schedule_bench("2026-01-01T10:00") as bench:
        folder = get_folder(bench)
        (folder / "old.csv").write_text("old")
        await bench.watch(WATCH)
        assert bench.scheduler.next_time == moment("2026-01-01T10:05")
        (folder / "below").mkdir()
        (folder / "below" / "a.csv").write_text("a")
        (folder / ".a.csv.tmp").write_text("a")
        await bench.look("2026-01-01T10:05")
        (folder / "old.csv").unlink()
        await bench.look("2026-01-01T10:10")
        assert bench.ticks == []
        assert bench.scheduler.next_time == moment("2026-01-01T10:15")


async def test_all_changes_of_a_look_make_one_job() -> None:
    """Where no input gets a file; the job's properties name the first."""
    async with schedule_bench("2026-01-01T10:00") as bench:
        folder = get_folder(bench)
        (folder / "old.csv").write_text("old")
        await bench.watch(WATCH)
        (folder / "old.csv").write_text("newer")
        (folder / "new.csv").write_text("new")
        await bench.look("2026-01-01T10:05")
        await bench.look("2026-01-01T10:10")
        assert list_changed(bench) == [("new.csv and 1 more", "fired")]
        (folder / "old.csv").unlink()
        await bench.look("2026-01-01T10:15")
        (folder / "old.csv").write_text("newer")
        await bench.look("2026-01-01T10:20")
        assert list_changed(bench)[1:] == [("old.csv", "fired")]
        job = jobs.find_by_name(bench.db, bench.workspace.id, bench.job_names()[1])
        assert job is not None
        assert jobs.read_properties(bench.db, job.id)["properties"]["smalt.changed-file"] == f"{FOLDER}/old.csv"


async def test_each_changed_file_has_a_job_that_reads_it() -> None:
    """In the order of their names, whatever is in a name."""
    async with schedule_bench("2026-01-01T10:00") as bench:
        folder = get_folder(bench)
        await bench.watch(BY_FILE, READ)
        for name in ("b c%20ü.csv", "a.csv"):
            (folder / name).write_text(f"content of {name}")
        await bench.look("2026-01-01T10:05")
        assert list_changed(bench) == [("a.csv", "fired"), ("b c%20ü.csv", "fired")]
        assert await read_logs(bench) == ["content of a.csv", "content of b c%20ü.csv"]
        assert bench.job_names() == ["s-20260101T100500Z", "s-20260101T100500Z-2"]


async def test_more_files_than_one_look_takes() -> None:
    """The next look follows at once."""
    async with schedule_bench("2026-01-01T10:00") as bench:
        folder = get_folder(bench)
        job = {**HELLO, "inputs": {"file": {"jobInputType": "literal", "value": ""}}}
        await bench.watch(BY_FILE, job)
        names = [f"{number:03}.csv" for number in range(120)]
        for name in names:
            (folder / name).write_text(name)
        await bench.look("2026-01-01T10:05")
        assert len(bench.ticks) in (100, 120)  # the next look may have ended, too
        await bench.look("2026-01-01T10:05:01")
        while bench.db.value("SELECT count(*) FROM ticks WHERE status='due'"):
            await settle()
        assert list_changed(bench) == [(name, "fired") for name in names]
        assert bench.scheduler.next_time == moment("2026-01-01T10:10")


async def test_changes_of_a_downtime_are_found_by_the_next_look(tmp_path: Path) -> None:
    """A look that was missed is made up for by the next one."""
    home = Home(tmp_path / "home")
    async with schedule_bench("2026-01-01T10:00", home) as bench:
        await bench.watch(WATCH)
        folder = get_folder(bench)
    (folder / "new.csv").write_text("new")
    async with schedule_bench("2026-01-03T17:00", home) as bench:
        await bench.finish_looks()
        assert list_changed(bench) == [("new.csv", "fired")]
        assert bench.scheduler.next_time == moment("2026-01-03T17:05")


async def test_what_changes_while_it_is_disabled_is_no_change() -> None:
    """It goes on with what is there when it is enabled; a change of its description alone loses nothing."""
    async with schedule_bench("2026-01-01T10:00") as bench:
        folder = get_folder(bench)
        await bench.watch(WATCH)
        await bench.watch(WATCH, isEnabled=False)
        (folder / "meanwhile.csv").write_text("a")
        await bench.look("2026-01-01T11:00")
        await bench.watch(WATCH, isEnabled=True)
        (folder / "new.csv").write_text("a")
        await bench.watch(WATCH, description="other")
        await bench.look("2026-01-01T11:05")
        assert list_changed(bench) == [("new.csv", "fired")]


async def test_a_datastore_that_cannot_be_read_skips_the_looks() -> None:
    """With its sentence, in one row; what was added meanwhile is found later."""
    async with schedule_bench("2026-01-01T10:00") as bench:
        folder = get_folder(bench)
        await bench.watch(WATCH)
        folder.rmdir()
        folder.write_text("a file in place of the folder")
        await bench.look("2026-01-01T10:05")
        await bench.look("2026-01-01T10:10")
        [tick] = bench.ticks
        assert (tick.status, tick.count, tick.last_time) == ("skipped", 2, moment("2026-01-01T10:10"))
        assert tick.reason == f"{FOLDER} cannot be listed: Not a directory ({folder})"
        folder.unlink()
        folder.mkdir()
        (folder / "new.csv").write_text("a")
        await bench.look("2026-01-01T10:15")
        assert list_changed(bench)[1:] == [("new.csv", "fired")]


@pytest.mark.parametrize(
    ("trigger", "job", "words"),
    [
        ({**WATCH, "path": "/tmp"}, HELLO, "trigger.path: a schedule watches a folder of a datastore; write it as"),
        ({**WATCH, "path": "azureml://datastores/nosuch/paths/x"}, HELLO, "datastore nosuch is not registered"),
        ({**BY_FILE, "input": "fil"}, READ, "trigger.input: the job has no input 'fil'; did you mean 'file'?"),
        ({**WATCH, "pollingInterval": 0}, HELLO, "polling_interval"),
    ],
)
async def test_a_watch_that_could_make_no_job_is_refused(trigger: Any, job: Any, words: str) -> None:
    async with schedule_bench("2026-01-01T10:00") as bench:
        with pytest.raises(Exception, match=words.replace("?", r"\?")) as raised:
            await bench.watch(trigger, job)
        assert not isinstance(raised.value, AssertionError)


async def test_a_request_for_a_job_of_each_file_is_refused() -> None:
    """One for a job of all changes makes it."""
    async with schedule_bench("2026-01-01T10:00") as bench:
        await bench.watch(WATCH)
        assert bench.scheduler.trigger_schedule(bench.workspace, bench.record, moment("2026-01-01T10:00"), "me")
        await bench.watch(BY_FILE, READ)
        with pytest.raises(Exception, match="gives each changed file to the input 'file' of a job; change a file"):
            bench.scheduler.trigger_schedule(bench.workspace, bench.record, moment("2026-01-01T10:01"), "me")


FEWEST_COMMITS = 4


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 10))
async def test_a_server_that_dies_at_a_commit_of_a_look(
    tmp_path: Path, forked_programs: ForkedPrograms, number: int, when: str
) -> None:
    """Whichever commit it was, each change has one job, and each job one run."""
    home = Home(tmp_path / "home")
    job = {**READ, "command": f"cat ${{{{inputs.file}}}} >>{tmp_path}/ran"}
    async with schedule_bench("2026-01-01T10:00", home) as bench:
        await bench.watch({**BY_FILE, "pollingInterval": 1}, job)
        folder = get_folder(bench)
    for name in "ab":
        (folder / name).write_text(f"{name}\n")
    died = forked_programs.run("tests.schedules.rig", str(home.root), str(number), when)
    assert died.returncode in (0, -9), died.stderr
    if died.returncode == 0:
        assert number > FEWEST_COMMITS, "it was to be killed, and ran to its end"
    async with schedule_bench("2026-01-01T10:03:00", home) as bench:
        await bench.finish_looks()
        assert list_changed(bench) == [("a", "fired"), ("b", "fired")]
        assert len(bench.job_names()) == 2
        assert await read_logs(bench) == ["", ""]
    assert sorted((tmp_path / "ran").read_text().split()) == ["a", "b"]
