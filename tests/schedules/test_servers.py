"""Schedules of a real server: over REST, when it is idle, and when it is killed."""

from __future__ import annotations

import contextlib
import os
import socket
import sqlite3
import subprocess
import sys
import time
from typing import Any

import pytest

from smalt.machine.home import Home
from tests.helpers import LONGEST, WORKSPACE, Server, eventually
from tests.schedules.rig import HELLO

W = WORKSPACE.format("default")
EVERY_MINUTE = {"triggerType": "Cron", "expression": "* * * * *"}
ONCE_A_YEAR = {"triggerType": "Cron", "expression": f"0 0 1 {(time.gmtime().tm_mon + 5) % 12 + 1} *"}
AT_ONCE = {"triggerType": "Recurrence", "frequency": "week", "interval": 1}


def put(server: Server, trigger: dict[str, Any], name: str = "s", **more: Any) -> Any:
    action = {"actionType": "CreateJob", "jobDefinition": HELLO}
    answer = server.ask("PUT", f"{W}/schedules/{name}", {"properties": {"trigger": trigger, "action": action, **more}})
    assert answer.status == 200, answer
    return answer.body["properties"]


def show(server: Server, name: str = "s") -> Any:
    return server.ask("GET", f"{W}/schedules/{name}").body["properties"]


def list_jobs(server: Server, query: str = "") -> list[str]:
    return [job["name"] for job in server.ask("GET", f"{W}/jobs{query}").body["value"]]


def test_a_schedule_tells_its_next_times_and_last_ticks(module_server: Server) -> None:
    """Smalt's clients get five times and what came of the last ones; Azure's get what the service sends."""
    assert len(put(module_server, EVERY_MINUTE, isEnabled=False)["nextTimes"]) == 0
    put(module_server, AT_ONCE, "now")
    ticks = eventually(lambda: [one for one in show(module_server, "now")["lastTicks"] if one["status"] == "fired"])
    assert ticks[0]["job"] in list_jobs(module_server)
    assert ticks[0]["late"] < 60
    assert len(show(module_server, "now")["nextTimes"]) == 5
    agent = {"User-Agent": "azure-ai-ml/1.35.2 x"}
    azure = module_server.ask_tcp("GET", f"{W}/schedules/now", headers=agent).body["properties"]
    assert not {"nextTimes", "lastTicks"} & azure.keys()


def test_a_request_that_is_repeated_makes_one_job(module_server: Server) -> None:
    """`scheduleTime` is its id."""
    put(module_server, ONCE_A_YEAR, "asked")
    at = {"scheduleTime": "2026-01-01T10:00:00.5Z"}
    first, again = (module_server.ask("POST", f"{W}/schedules/asked/trigger", at) for _ in range(2))
    assert (first.status, first.body["scheduleActionType"]) == (200, "CreateJob")
    assert first.body == again.body
    wrong = module_server.ask("POST", f"{W}/schedules/asked/trigger", {"scheduleTime": "soon"})
    assert (wrong.status, "must be a time" in wrong.body["error"]["message"]) == (400, True)


def test_jobs_are_listed_by_their_schedule(module_server: Server) -> None:
    """As in the service: `scheduled` for any, `scheduleId` for one."""
    put(module_server, ONCE_A_YEAR, "listed")
    made = module_server.ask("POST", f"{W}/schedules/listed/trigger", {}).body["submissionId"]
    assert module_server.ask("PUT", f"{W}/jobs/other", {"properties": HELLO}).status == 201
    assert list_jobs(module_server, "?scheduleId=listed") == [made]
    assert list_jobs(module_server, f"?scheduleId={W}/schedules/LISTED") == [made]
    assert made in list_jobs(module_server, "?scheduled=true")
    assert "other" not in list_jobs(module_server, "?scheduled=true")


def test_a_monitor_is_kept_and_has_no_ticks(module_server: Server) -> None:
    """It is answered in a sentence."""
    action = {"actionType": "CreateMonitor", "monitorDefinition": {"signals": {"a": {"signalType": "DataDrift"}}}}
    body = {"properties": {"trigger": EVERY_MINUTE, "action": action}}
    assert module_server.ask("PUT", f"{W}/schedules/m", body).body["properties"]["nextTimes"] == []
    refused = module_server.ask("POST", f"{W}/schedules/m/trigger", {})
    assert (refused.status, refused.body["error"]["message"]) == (
        403,
        "schedule 'm' is kept, but smalt runs no monitors: it has no ticks",
    )


def test_a_deleted_schedule_leaves_nothing(module_server: Server) -> None:
    """One of the same name begins anew."""
    put(module_server, ONCE_A_YEAR, "gone")
    module_server.ask("POST", f"{W}/schedules/gone/trigger", {})
    assert len(show(module_server, "gone")["lastTicks"]) == 1
    assert module_server.ask("DELETE", f"{W}/schedules/gone").status == 200
    put(module_server, ONCE_A_YEAR, "gone")
    assert show(module_server, "gone")["lastTicks"] == []


def is_launcher_there(home: Home) -> bool:
    with socket.socket(socket.AF_UNIX) as visit:
        return visit.connect_ex(str(home.socket_path("launcher"))) == 0


def test_an_idle_server_ends_although_a_schedule_is_on(own_server: Server) -> None:
    """Its launcher stays, to start one in time for the next tick; who ends the server ends both."""
    process = own_server.start()
    eventually(lambda: is_launcher_there(own_server.home), "the launcher")
    put(own_server, ONCE_A_YEAR)
    assert own_server.ask("PATCH", "/smalt/v1/config", {"idle-minutes": 0.005}).status == 200
    assert process.wait(LONGEST) == 0
    assert is_launcher_there(own_server.home)
    own_server.set()
    own_server.start()
    assert len(show(own_server)["nextTimes"]) == 5
    assert own_server.ask("POST", "/smalt/v1/shutdown", {}).status in (200, 202)
    eventually(lambda: not is_launcher_there(own_server.home), "the end of the launcher")


def test_a_command_starts_what_was_killed_while_idle(own_server: Server) -> None:
    """Server and launcher are both gone: whoever comes next starts a server, and the policy decides."""
    own_server.start()
    at = time.time() // 60 * 60 - 3600
    daily = {"triggerType": "Cron", "expression": time.strftime("%M %H * * *", time.gmtime(at)), "timeZone": "UTC"}
    for policy in ("skip", "once"):
        put(own_server, daily, policy, properties={"smalt.missed-ticks": policy})
    eventually(lambda: is_launcher_there(own_server.home), "the launcher")
    own_server.kill()
    own_server.kill_launcher()
    with contextlib.closing(sqlite3.connect(own_server.home.path("smalt.db"))) as records, records:
        records.execute("UPDATE schedules SET next_time=?, anchor=?", (at, at - 3600))
    command = [sys.executable, "-m", "smalt", "job", "list"]
    environment = {**os.environ, "SMALT_HOME": str(own_server.home.root)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LONGEST)
    assert done.returncode == 0, done.stderr
    [tick] = eventually(lambda: [one for one in show(own_server, "once")["lastTicks"] if one["status"] == "fired"])
    assert tick["late"] > 3000
    assert list_jobs(own_server) == [tick["job"]]
    assert [one["status"] for one in show(own_server, "skip")["lastTicks"]] == ["skipped"]


@pytest.mark.integration
def test_a_killed_server_is_there_for_the_next_tick(own_server: Server) -> None:
    """Nobody asks for it: the launcher starts it, the tick has one job, and the server stays for the one after."""
    own_server.start()
    put(own_server, AT_ONCE, "first")
    eventually(lambda: "Completed" in str(own_server.ask("GET", f"{W}/jobs").body), "a job: the launcher is there")
    following = put(own_server, EVERY_MINUTE)["nextTimes"][0]
    own_server.set(idle_minutes=0.005)
    own_server.kill()
    eventually(own_server.find_server, "the server", 60 + LONGEST)
    ticks = eventually(lambda: show(own_server)["lastTicks"], "the tick", 60 + LONGEST)
    assert (ticks[-1]["time"], ticks[-1]["status"]) == (following, "fired")
    assert list_jobs(own_server).count(ticks[-1]["job"]) == 1
