"""Steps that wait at the launcher for the end of another."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from smalt.launcher import claims
from tests.helpers import eventually
from tests.launcher.rig import Client, Rig

MARK = "echo run >>runs"


def gated(rig: Rig, name: str, code: int = 0) -> dict[str, Any]:
    """A step that ends with that code when something is written to its `go`."""
    step = rig.step(name, f"{MARK}; read <go; exit {code}")
    os.mkfifo(Path(step["folder"], "go"))
    return step


def go(step: dict[str, Any]) -> None:
    Path(step["folder"], "go").write_text("\n")


def waits(rig: Rig, name: str, command: str = MARK) -> dict[str, Any]:
    return rig.step(name, command, after=[])


def fence(client: Client, rig: Rig, name: str) -> None:
    """When this is back, the launcher has done all that was sent before."""
    client.stop(name, 1)
    client.exit(name)


def test_a_waiting_step_starts_when_another_ends_well(rig: Rig, client: Client) -> None:
    """The oldest first, one for each end, told in one message with it."""
    first = gated(rig, "a")
    client.start(first, waits(rig, "b", "read <go"), waits(rig, "c"))
    os.mkfifo(rig.home.path("jobs", "b", "go"))
    eventually(lambda: rig.file("a", "runs"), "the first step")
    assert "b" not in client.started
    go(first)
    client.exit("a")
    assert "b" in client.started, "told with the end that it follows"
    fence(client, rig, "nobody")
    assert "c" not in client.started
    (rig.home.path("jobs", "b") / "go").write_text("\n")
    assert client.exit("b")["code"] == 0
    assert client.exit("c")["code"] == 0


def test_no_step_follows_one_that_failed(rig: Rig, client: Client) -> None:
    """What comes after a failure is for the server to say: it lets the step go, and it runs once."""
    first, second = gated(rig, "a", 3), waits(rig, "b")
    client.start(first, second)
    eventually(lambda: rig.file("a", "runs"), "the first step")
    go(first)
    assert client.exit("a")["code"] == 3
    fence(client, rig, "nobody")
    assert claims.read_claim(claims.make_path(second["folder"], "b")) is None
    client.send({"t": "go", "id": "b"}, {"t": "go", "id": "b"})
    assert client.exit("b")["code"] == 0
    fence(client, rig, "nobody else")
    assert rig.file("b", "runs") == "run"


def test_a_slot_for_one_that_has_followed_is_for_the_next(rig: Rig, client: Client) -> None:
    """The server freed a slot and did not know that the step had started: another starts at once, and one only."""
    first = gated(rig, "a")
    client.start(first, *(waits(rig, name, "sleep 1000") for name in "bcde"))
    eventually(lambda: rig.file("a", "runs"), "the first step")
    go(first)
    client.pid("b")
    client.send({"t": "go", "id": "b"}, {"t": "go", "id": "b"})
    client.pid("c")
    fence(client, rig, "nobody")
    assert "d" not in client.started
    client.send({"t": "go", "id": "c"})
    client.pid("d")
    fence(client, rig, "nobody else")
    assert "e" not in client.started
    for name in "bcde":
        fence(client, rig, name)


def test_a_start_that_is_sent_again_lets_go(rig: Rig, client: Client) -> None:
    """Without `after`, as a server does that was disconnected: the step runs now, and once."""
    second = waits(rig, "b")
    now = {key: value for key, value in second.items() if key != "after"}
    client.start(second)
    client.start(now)
    client.start(now)
    assert client.exit("b")["code"] == 0
    assert rig.file("b", "runs") == "run"


def test_no_step_follows_one_that_was_stopped(rig: Rig, client: Client) -> None:
    """Also when it ends with code 0 then."""
    first = rig.step("a", "trap 'exit 0' TERM; echo run >>runs; while :; do sleep 0.01; done")
    client.start(first, waits(rig, "b"))
    eventually(lambda: rig.file("a", "runs"), "the first step")
    client.stop("a", 5)
    assert client.exit("a")["reason"] == "stopped"
    fence(client, rig, "nobody")
    assert "b" not in client.started


def test_a_waiting_step_that_is_stopped_never_runs(rig: Rig, client: Client) -> None:
    """It is told as never started; the next takes its turn. One that has just been started is stopped as any."""
    first = gated(rig, "a")
    client.start(first, waits(rig, "b"), waits(rig, "c", f"{MARK}; sleep 1000"))
    client.stop("b", 5)
    assert client.exit("b")["reason"] == "never started"
    eventually(lambda: rig.file("a", "runs"), "the first step")
    go(first)
    eventually(lambda: rig.file("c", "runs"), "the step after the one that was stopped")
    client.stop("c", 5)
    assert client.exit("c")["reason"] == "stopped"
    assert rig.file("b", "runs") is None


def test_a_server_that_greets_says_anew_what_waits(rig: Rig, client: Client) -> None:
    """What an earlier server wanted to start is forgotten unless it has started."""
    first = gated(rig, "a")
    client.start(first, waits(rig, "b"))
    eventually(lambda: rig.file("a", "runs"), "the first step")
    again = rig.connect()
    go(first)
    assert again.exit("a")["code"] == 0
    fence(again, rig, "nobody")
    assert "b" not in again.started
    assert rig.file("b", "runs") is None


def test_a_server_that_leaves_wants_nothing_begun(rig: Rig, client: Client) -> None:
    """What waits is forgotten, what runs goes on."""
    first = gated(rig, "a")
    client.start(first, waits(rig, "b"))
    eventually(lambda: rig.file("a", "runs"), "the first step")
    client.send({"t": "hold"})
    go(first)
    assert client.exit("a")["code"] == 0
    fence(client, rig, "nobody")
    assert "b" not in client.started


def test_steps_follow_each_other_without_a_server(rig: Rig, client: Client) -> None:
    """The next server learns of both ends."""
    first, second = gated(rig, "a"), {**gated(rig, "b"), "after": []}
    client.start(first, second)
    eventually(lambda: rig.file("a", "runs"), "the first step")
    client.close()
    go(first)
    eventually(lambda: rig.file("b", "runs"), "the step that waited")
    again = rig.connect()
    assert again.exit("a")["code"] == 0
    go(second)
    assert again.exit("b")["code"] == 0


def test_a_waiting_step_dies_with_the_launcher(rig: Rig, client: Client) -> None:
    """The next launcher knows nothing of it, and no claim is left: whoever asks may start it."""
    first, second = gated(rig, "a"), waits(rig, "b")
    client.start(first, second)
    eventually(lambda: rig.file("a", "runs"), "the first step")
    fence(client, rig, "nobody")
    rig.kill_launcher()
    rig.launch()
    again = rig.connect()
    go(first)
    assert again.exit("a")["code"] == 0
    fence(again, rig, "nobody else")
    assert "b" not in again.started
    again.start(gated(rig, "c"), second)
    fence(again, rig, "nobody at all")
    assert "b" not in again.started, "it waits again"
    go({"folder": str(rig.home.path("jobs", "c"))})
    assert again.exit("b")["code"] == 0
    assert rig.file("b", "runs") == "run"


def test_a_step_follows_one_of_an_earlier_launcher(rig: Rig, client: Client) -> None:
    """The end of an adopted step makes room as any."""
    first = gated(rig, "a")
    client.start(first)
    eventually(lambda: rig.file("a", "runs"), "the first step")
    rig.kill_launcher()
    rig.launch()
    again = rig.connect()
    again.pid("a")
    again.start(waits(rig, "b"))
    fence(again, rig, "nobody")
    go(first)
    assert again.exit("b")["code"] == 0


def test_a_step_that_cannot_be_started_is_refused_and_told(rig: Rig, client: Client) -> None:
    """A waiting step without a place for its log ends as refused: the server gives its slot to another."""
    first = gated(rig, "a")
    bad = {**waits(rig, "b"), "log": str(rig.home.path("nowhere", "log"))}
    client.start(first, bad)
    eventually(lambda: rig.file("a", "runs"), "the first step")
    go(first)
    assert client.exit("b")["reason"] == "refused"


def test_sigkill_of_what_runs_starts_nothing(rig: Rig, client: Client) -> None:
    """A step that a signal ended did not end well."""
    first = gated(rig, "a")
    client.start(first, waits(rig, "b"))
    eventually(lambda: rig.file("a", "runs"), "the first step")
    os.kill(client.pid("a"), signal.SIGKILL)
    assert client.exit("a")["signal"] == signal.SIGKILL
    fence(client, rig, "nobody")
    assert "b" not in client.started


def comes(rig: Rig, name: str, *after: str, command: str = MARK) -> dict[str, Any]:
    return rig.step(name, command, after=list(after))


def test_a_step_that_needs_another_waits_for_its_end(rig: Rig, client: Client) -> None:
    """Not for that of any; then it starts in the place of the one that it needs."""
    first, other = gated(rig, "a"), gated(rig, "b")
    client.start(first, other, comes(rig, "c", "a"))
    go(other)
    assert client.exit("b")["code"] == 0
    fence(client, rig, "nobody")
    assert "c" not in client.started
    go(first)
    assert client.exit("c")["code"] == 0


def test_what_became_ready_first_starts_first(rig: Rig, client: Client) -> None:
    """A step that waits for a place only goes before one whose forerunner has ended just now."""
    first = gated(rig, "a")
    client.start(first, comes(rig, "b", "a", command="sleep 1000"), waits(rig, "c", "sleep 1000"))
    go(first)
    client.exit("a")
    client.pid("c")
    fence(client, rig, "nobody")
    assert "b" not in client.started
    fence(client, rig, "c")
    client.send({"t": "go", "id": "b"})
    client.pid("b")
    fence(client, rig, "b")


def test_a_chain_goes_on_without_a_server(rig: Rig, client: Client) -> None:
    """Each step after the one that it needs, once."""
    first = gated(rig, "a")
    last = {**gated(rig, "d"), "after": ["c"]}
    client.start(first, comes(rig, "b", "a"), comes(rig, "c", "b"), last)
    eventually(lambda: rig.file("a", "runs"), "the first step")
    client.close()
    go(first)
    eventually(lambda: rig.file("d", "runs"), "the last step")
    again = rig.connect()
    go(last)
    for name in "abcd":
        assert again.exit(name)["code"] == 0
        assert rig.file(name, "runs") == "run"


def test_nothing_follows_the_failure_of_what_it_needs(rig: Rig, client: Client) -> None:
    """Nor does it start when another ends well; it is there to be stopped."""
    first, other = gated(rig, "a", 1), gated(rig, "b")
    client.start(first, other, comes(rig, "c", "a"))
    go(first)
    assert client.exit("a")["code"] == 1
    go(other)
    assert client.exit("b")["code"] == 0
    client.stop("c", 1)
    assert client.exit("c")["reason"] == "never started"
    assert rig.file("c", "runs") is None


def test_a_need_that_is_met_already_is_none(rig: Rig, client: Client) -> None:
    """The start of a step may arrive when the one that it needs has ended: any good end makes room for it then."""
    first, other = gated(rig, "a"), gated(rig, "b")
    client.start(first, other)
    go(first)
    assert client.exit("a")["code"] == 0
    client.start(comes(rig, "c", "a"))
    fence(client, rig, "nobody")  # a start that arrives after the other end waits for the server's word
    go(other)
    assert client.exit("c")["code"] == 0
