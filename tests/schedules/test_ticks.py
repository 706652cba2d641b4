"""Ticks: one job each, whatever the clock and the server do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smalt.exceptions import Unavailable, ValidationException
from smalt.machine.home import Home
from smalt.service.records import jobs, resources
from smalt.service.schedules.start_stop import list_start_stops
from tests.forked_programs import ForkedPrograms
from tests.schedules.rig import EVERY_MINUTE, HELLO, moment, schedule_bench, settle

NOON = {"triggerType": "Cron", "expression": "0 12 * * *"}


async def test_a_tick_makes_a_job() -> None:
    """The job has the tick's time in its names, its schedule among its properties, and runs."""
    async with schedule_bench("2026-01-01T10:00:30") as bench:
        bench.put()
        await bench.clock.set_time(moment("2026-01-01T10:00:59"))
        assert bench.ticks == []
        await bench.clock.set_time(moment("2026-01-01T10:01:00"))
        await bench.clock.set_time(moment("2026-01-01T10:02:00"))
        assert bench.told() == [("01-01 10:01", "fired"), ("01-01 10:02", "fired")]
        assert bench.job_names() == ["s-20260101T100100Z", "s-20260101T100200Z"]
        job = jobs.find_by_name(bench.db, bench.workspace.id, "s-20260101T100100Z")
        assert job is not None
        assert (await bench.over(job)).status == "Completed"
        assert (job.display_name, job.name) == ("s-20260101T100100Z", bench.ticks[0].job)
        notes = jobs.read_properties(bench.db, job.id)["properties"]
        assert (notes["smalt.schedule"], notes["smalt.schedule-time"]) == ("s", "2026-01-01T10:01:00Z")


async def test_the_time_of_the_tick_is_an_input() -> None:
    """`${{creation_context.trigger_time}}` is the time that was due, not the time of the job."""
    job = {
        **HELLO,
        "command": "echo ${{inputs.at}}",
        "inputs": {"at": {"jobInputType": "literal", "value": "${{creation_context.trigger_time}}"}},
    }
    async with schedule_bench("2026-01-01T10:00:30") as bench:
        bench.put(job=job)
        await bench.clock.set_time(moment("2026-01-01T10:01:17"))
        made = jobs.find_by_name(bench.db, bench.workspace.id, "s-20260101T100100Z")
        assert made is not None
        await bench.over(made)
        assert bench.log(made) == "2026-01-01T10:01:00Z\n"


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("skip", [("01-01 12:00", "fired"), ("01-02 12:00", "skipped"), ("01-05 12:00", "fired")]),
        ("once", [(f"01-0{day} 12:00", "skipped" if day == 2 else "fired") for day in (1, 2, 4, 5)]),
        ("all", [(f"01-0{day} 12:00", "fired") for day in (1, 2, 3, 4, 5)]),
    ],
)  # fmt: skip
async def test_ticks_that_a_downtime_missed(tmp_path: Path, policy: str, expected: list[tuple[str, str]]) -> None:
    """They are skipped in one row, made up for once, or each."""
    home = Home(tmp_path / "home")
    async with schedule_bench("2026-01-01T10:00", home) as bench:
        bench.put(NOON, properties={"smalt.missed-ticks": policy})
        await bench.clock.set_time(moment("2026-01-01T12:00"))
    async with schedule_bench("2026-01-05T09:00", home) as bench:
        await bench.clock.set_time(moment("2026-01-05T12:00"))
        assert bench.told() == expected
        skipped = [tick for tick in bench.ticks if tick.status == "skipped"]
        assert sum(tick.count for tick in bench.ticks) == 5
        if policy == "skip":
            assert skipped[0].reason == "no server ran, or the machine slept; the policy for missed ticks is 'skip'"
            assert skipped[0].last_time == moment("2026-01-04T12:00")


async def test_a_tick_that_is_a_little_late_is_not_missed(tmp_path: Path) -> None:
    """A server that was away for less than a minute makes the job, and says how late."""
    home = Home(tmp_path / "home")
    async with schedule_bench("2026-01-01T10:00", home) as bench:
        bench.put(NOON)
    async with schedule_bench("2026-01-01T12:00:50", home) as bench:
        assert bench.told() == [("01-01 12:00", "fired")]


async def test_a_clock_that_is_set_back() -> None:
    """A time that had its tick has no second one."""
    async with schedule_bench("2026-01-01T11:59") as bench:
        bench.put(NOON)
        await bench.clock.set_time(moment("2026-01-01T12:00"))
        await bench.clock.set_time(moment("2026-01-01T11:00"))
        await bench.clock.set_time(moment("2026-01-01T12:00"))
        await bench.clock.set_time(moment("2026-01-02T12:00"))
        assert bench.told() == [("01-01 12:00", "fired"), ("01-02 12:00", "fired")]


async def test_a_clock_that_is_set_forward_by_a_day() -> None:
    """The times between were missed; the next one is after the new time."""
    async with schedule_bench("2026-01-01T11:59") as bench:
        bench.put(NOON)
        await bench.clock.set_time(moment("2026-01-02T11:59"))
        assert bench.told() == [("01-01 12:00", "skipped")]
        await bench.clock.set_time(moment("2026-01-02T12:00"))
        assert bench.told() == [("01-01 12:00", "skipped"), ("01-02 12:00", "fired")]


async def test_a_clock_that_is_set_back_by_a_day() -> None:
    """The times of that day had their ticks; the schedule goes on after them."""
    async with schedule_bench("2026-01-01T11:59") as bench:
        bench.put(NOON)
        for at in ("01-01T12:00", "01-02T12:00", "01-01T11:00", "01-01T12:00", "01-02T12:00", "01-03T12:00"):
            await bench.clock.set_time(moment(f"2026-{at}"))
        assert bench.told() == [(f"01-0{day} 12:00", "fired") for day in (1, 2, 3)]
        assert len(bench.job_names()) == 3


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        # 02:30 does not exist on 29 March: it is 03:00 of that day, 01:00 in UTC
        (
            ("03-28T01:30", "03-29T00:59", "03-29T01:00", "03-29T00:30", "03-29T01:00", "03-30T00:30"),
            [("03-28 01:30", "fired"), ("03-29 01:00", "fired"), ("03-30 00:30", "fired")],
        ),
        (
            ("03-28T01:30", "03-29T01:01", "03-28T12:00", "03-29T02:30", "03-30T00:30"),
            [("03-28 01:30", "fired"), ("03-29 01:00", "fired"), ("03-30 00:30", "fired")],
        ),
        # 02:30 comes twice on 25 October: it is the first of the two, 00:30 in UTC
        (
            ("10-24T00:30", "10-25T00:30", "10-25T01:30", "10-25T00:30", "10-25T01:30", "10-26T01:30"),
            [("10-24 00:30", "fired"), ("10-25 00:30", "fired"), ("10-26 01:30", "fired")],
        ),
        # set forward over that night, and back
        (
            ("10-24T00:30", "10-25T12:00", "10-24T12:00", "10-26T01:30"),
            [("10-24 00:30", "fired"), ("10-25 00:30", "skipped"), ("10-26 01:30", "fired")],
        ),
    ],
)  # fmt: skip
async def test_a_clock_that_is_set_across_a_change_of_the_time_zone(
    moves: list[str], expected: list[tuple[str, str]]
) -> None:
    """Forward and back over the night in which Berlin's clocks change: each time of the schedule has one tick."""
    trigger = {"triggerType": "Cron", "expression": "30 2 * * *", "timeZone": "W. Europe Standard Time"}
    async with schedule_bench(f"2026-{moves[0][:6]}00:00") as bench:
        bench.put(trigger)
        for at in moves:
            await bench.clock.set_time(moment(f"2026-{at}"))
        assert bench.told() == expected


async def test_a_disabled_schedule_has_no_ticks() -> None:
    """What comes while it is off is not missed; it goes on with its next time."""
    async with schedule_bench("2026-01-01T11:59") as bench:
        bench.put(NOON)
        bench.put(NOON, isEnabled=False)
        assert bench.scheduler.list_next_times(bench.record, 5) == []
        await bench.clock.set_time(moment("2026-01-03T12:30"))
        bench.put(NOON, isEnabled=True)
        await bench.clock.set_time(moment("2026-01-04T12:00"))
        assert bench.told() == [("01-04 12:00", "fired")]


async def test_a_description_that_changes_moves_no_tick() -> None:
    """Nor loses one that is due."""
    async with schedule_bench("2026-01-01T11:59") as bench:
        bench.put(NOON)
        bench.clock._now = moment("2026-01-01T12:00:10")
        bench.put(NOON, description="changed")
        await bench.clock.set_time(moment("2026-01-01T12:00:20"))
        assert bench.told() == [("01-01 12:00", "fired")]


async def test_a_recurrence_that_counts_from_its_creation_begins_at_once() -> None:
    """Without a start and times of the day, as in the service; a change of its trigger does not run it again."""
    async with schedule_bench("2026-01-01T10:00:07") as bench:
        bench.put({"triggerType": "Recurrence", "frequency": "hour", "interval": 2})
        await bench.clock.set_time(moment("2026-01-01T10:00:08"))
        await bench.clock.set_time(moment("2026-01-01T12:00:07"))
        bench.put({"triggerType": "Recurrence", "frequency": "hour", "interval": 3})
        await bench.clock.set_time(moment("2026-01-01T15:00:07"))
        assert bench.told() == [("01-01 10:00", "fired"), ("01-01 12:00", "fired"), ("01-01 15:00", "fired")]


async def test_a_tick_whose_job_is_refused_says_why() -> None:
    """It has no job, and the next one is tried again."""
    async with schedule_bench("2026-01-01T10:00:30") as bench:
        bench.submit("first", {"command": "true", "environment": "azureml:host"})
        bench.put(job={"sourceJobId": "azureml:first"})
        await bench.clock.set_time(moment("2026-01-01T10:01"))
        bench.db.execute("UPDATE jobs SET name='other' WHERE name='first'")
        await bench.clock.set_time(moment("2026-01-01T10:02"))
        assert bench.told() == [("01-01 10:01", "fired"), ("01-01 10:02", "failed")]
        assert bench.ticks[1].reason == "create_job: there is no job 'first' in workspace 'default'"


async def test_a_request_makes_a_job_once() -> None:
    """A request that is sent again for one time is answered with the same job."""
    async with schedule_bench("2026-01-01T10:00:30") as bench:
        bench.put(NOON, isEnabled=False)
        at = moment("2026-01-01T10:00:30")
        first = bench.scheduler.trigger_schedule(bench.workspace, bench.record, at, "someone")
        again = bench.scheduler.trigger_schedule(bench.workspace, bench.record, at, "someone")
        other = bench.scheduler.trigger_schedule(bench.workspace, bench.record, at + 0.25, "someone")
        assert (first, again, other) == ("s-20260101T100030Z", "s-20260101T100030Z", "s-20260101T100030Z-2")
        assert bench.job_names() == [first, other]
        assert {(tick.cause, tick.status) for tick in bench.ticks} == {("request", "fired")}


@pytest.mark.parametrize(
    ("trigger", "more", "words"),
    [
        ({"triggerType": "Cron", "expression": "0 0 31 2 *"}, {}, "has no time that ever comes"),
        (NOON, {"properties": {"smalt.missed-ticks": "never"}}, "it is 'never', and may be skip, once, all"),
        (NOON, {"job": {**HELLO, "environmentId": "azureml:nosuch:1"}}, "nosuch"),
    ],
)
async def test_what_could_make_no_job_is_refused(trigger: dict[str, Any], more: dict[str, Any], words: str) -> None:
    """When the schedule is stored, not when it is due."""
    async with schedule_bench("2026-01-01T10:00:30") as bench:
        with pytest.raises(ValidationException, match=words):
            bench.put(trigger, **more)


async def test_many_schedules_at_one_time() -> None:
    """Each has its job, and other requests are answered in between."""
    async with schedule_bench("2026-01-01T11:59") as bench:
        bench.put(NOON)
        record = bench.record
        with bench.db.transaction():
            for number in range(1000):
                name = f"s{number}"
                bench.db.execute(
                    "INSERT INTO resources (workspace_id, kind, name, body, created_by, created_at, modified_at)"
                    " SELECT workspace_id, kind, ?, replace(body, '\"true\"', '\"false\"'), created_by, 0, 0"
                    " FROM resources WHERE id=?",
                    (name, record.id),
                )
        bench.db.execute("DELETE FROM schedules")
        bench.scheduler.open()
        await bench.clock.set_time(moment("2026-01-01T12:00"))
        while bench.db.value("SELECT count(*) FROM ticks WHERE status='due'"):
            await settle()
        counts = bench.db.rows("SELECT status, reason, count(*) FROM ticks GROUP BY 1, 2")
        assert [tuple(row) for row in counts] == [("fired", None, 1001)]
        assert bench.db.value("SELECT count(DISTINCT name) FROM jobs") == 1001
        assert bench.job_names() == [name for (name,) in bench.db.rows("SELECT job FROM ticks ORDER BY resource_id")]


async def test_a_burst_that_takes_longer_than_a_minute_skips_nothing() -> None:
    """A tick that waits for its turn only is late, not missed."""
    async with schedule_bench("2026-01-01T11:59") as bench:
        bench.put(NOON)
        submit, bench.engine.submit = bench.engine.submit, None  # type: ignore[method-assign, assignment]

        def submit_slowly(*values: Any, **more: Any) -> Any:
            bench.clock._now += 90
            return submit(*values, **more)

        bench.engine.submit = submit_slowly  # type: ignore[method-assign]
        with bench.db.transaction():
            for number in range(3):
                resources.put_resource(
                    bench.db, bench.workspace.id, "schedules", f"s{number}", bench.record.content, "me"
                )
        bench.db.execute("DELETE FROM schedules")
        bench.scheduler.open()
        await bench.clock.set_time(moment("2026-01-01T12:00"))
        assert [status for (status,) in bench.db.rows("SELECT status FROM ticks")] == ["fired"] * 4


async def test_a_recorded_tick_whose_server_comes_back_hours_later(tmp_path: Path) -> None:
    """It was missed: the policy decides whether it still gets its job."""
    home = Home(tmp_path / "home")

    def refuse_jobs(*values: Any, **more: Any) -> Any:
        raise Unavailable("there is no room on the disk")

    for policy, status in (("skip", "skipped"), ("once", "fired")):
        async with schedule_bench("2026-01-01T11:00", home) as bench:
            bench.put(NOON, properties={"smalt.missed-ticks": policy})
            bench.db.execute("DELETE FROM ticks")
            bench.db.execute("UPDATE schedules SET next_time=?", (moment("2026-01-01T12:00"),))
            await bench.clock.set_time(moment("2026-01-01T11:30"))
            bench.engine.submit = refuse_jobs  # type: ignore[method-assign]
            await bench.clock.set_time(moment("2026-01-01T12:00"))
            assert bench.told() == [("01-01 12:00", "due")]
        async with schedule_bench("2026-01-01T14:00", home) as bench:
            assert bench.told() == [("01-01 12:00", status)]


async def test_schedules_that_an_earlier_smalt_only_stored(tmp_path: Path) -> None:
    """They run from now on if they are on; of the time before nothing is made up for, and none begins at once."""
    home = Home(tmp_path / "home")
    weekly = {"triggerType": "Recurrence", "frequency": "week", "interval": 1}
    async with schedule_bench("2026-01-01T10:00", home) as bench:
        bench.put(NOON, properties={"smalt.missed-ticks": "all"})
        action = {"actionType": "CreateJob", "jobDefinition": HELLO}
        for name, trigger, is_on in (("weekly", weekly, True), ("off", EVERY_MINUTE, False)):
            body = {"properties": {"trigger": trigger, "action": action, "isEnabled": is_on}}
            resources.put_resource(bench.db, bench.workspace.id, "schedules", name, body, "tester")
        bench.db.execute("UPDATE resources SET created_at=? WHERE name='weekly'", (moment("2026-01-01T10:00"),))
        bench.db.execute("DELETE FROM schedules")
    async with schedule_bench("2026-01-20T13:00", home) as bench:
        assert bench.job_names() == []
        for at in ("01-20T13:01", "01-21T12:00", "01-22T10:00"):
            await bench.clock.set_time(moment(f"2026-{at}"))
        assert bench.job_names() == ["s-20260121T120000Z", "weekly-20260122T100000Z"]
        assert bench.told() == [("01-21 12:00", "fired")]


async def test_a_schedule_of_an_earlier_smalt_that_would_be_refused_now(tmp_path: Path) -> None:
    """The server starts, and the others have their ticks."""
    home = Home(tmp_path / "home")
    async with schedule_bench("2026-01-01T10:00", home) as bench:
        bench.put(NOON)
        for name, trigger in (("old", None), ("older", {"triggerType": "Cron", "expression": "* *"})):
            body = {"properties": {"trigger": trigger, "action": {"actionType": "CreateJob", "jobDefinition": HELLO}}}
            resources.put_resource(bench.db, bench.workspace.id, "schedules", name, body, "tester")
        bench.db.execute("DELETE FROM schedules")
    async with schedule_bench("2026-01-01T11:00", home) as bench:
        await bench.clock.set_time(moment("2026-01-01T12:00"))
        assert bench.told() == [("01-01 12:00", "fired")]


FEWEST_COMMITS = 5


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 10))
async def test_a_server_that_dies_at_a_commit(
    tmp_path: Path, forked_programs: ForkedPrograms, number: int, when: str
) -> None:
    """Whichever commit it was, each tick has one job, and each job one run."""
    home = Home(tmp_path / "home")
    job = {**HELLO, "command": f"echo ${{{{inputs.at}}}} >>{tmp_path}/ran"}
    job["inputs"] = {"at": {"jobInputType": "literal", "value": "${{creation_context.trigger_time}}"}}
    async with schedule_bench("2026-01-01T10:00:10", home) as bench:
        bench.put(job=job)
        await settle()
    died = forked_programs.run("tests.schedules.rig", str(home.root), str(number), when)
    assert died.returncode in (0, -9), died.stderr
    if died.returncode == 0:
        assert number > FEWEST_COMMITS, "it was to be killed, and ran to its end"
    async with schedule_bench("2026-01-01T10:02:00", home) as bench:
        assert bench.told() == [("01-01 10:01", "fired"), ("01-01 10:02", "fired")]
        assert bench.job_names() == ["s-20260101T100100Z", "s-20260101T100200Z"]
        for name in bench.job_names():
            made = jobs.find_by_name(bench.db, bench.workspace.id, name)
            assert made is not None
            assert (await bench.over(made)).status == "Completed"
    assert sorted((tmp_path / "ran").read_text().split()) == ["2026-01-01T10:01:00Z", "2026-01-01T10:02:00Z"]


async def test_a_compute_instance_is_started_and_stopped() -> None:
    """Its state is that of the last of its schedules whose time has come, also after a downtime."""
    schedules = [
        {"action": action, "triggerType": "Cron", "cron": {"expression": expression, "timeZone": "UTC"}}
        for action, expression in (("Stop", "0 18 * * *"), ("Start", "0 8 * * *"))
    ]
    inner = {"schedules": {"computeStartStop": schedules}}
    body = {"properties": {"computeType": "ComputeInstance", "properties": inner}}
    async with schedule_bench("2026-01-01T10:00") as bench:
        place = (bench.db, bench.workspace.id, "computes", "ci")

        def get_state() -> tuple[str | None, str | None]:
            found = resources.get_resource(*place)
            assert found is not None
            last = found.content.get("lastOperation") or {}
            return found.content.get("state"), last.get("operationTime")

        with bench.db.transaction():
            resources.put_resource(*place, body, "tester")
            found = resources.get_resource(*place)
            assert found is not None
            bench.scheduler.put_compute(bench.workspace, found)
        assert get_state() == (None, None)
        await bench.clock.set_time(moment("2026-01-01T18:00"))
        assert get_state() == ("Stopped", "2026-01-01T18:00:00Z")
        await bench.clock.set_time(moment("2026-01-03T17:00"))
        assert get_state() == ("Running", "2026-01-03T08:00:00Z")
        with pytest.raises(ValidationException, match=r"schedules\.compute_start_stop\.0\.action: it is 'Pause'"):
            list_start_stops({"properties": {"schedules": {"computeStartStop": [{"action": "Pause"}]}}})
