"""Logs that are larger than the server's memory should be: streamed piece by piece, while others are answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import WORKSPACE, Server, eventually, host_job, read_descriptors

SIZE = 64 << 20
MOST = 24 << 10
"""KiB by which the server may grow, far less than a log."""
PLACE = WORKSPACE.format("large")
LINE = f"head -c {SIZE} /dev/zero | tr '\\0' x"
BARS = f"yes 'é 12 %' | tr '\\n' '\\r' | head -c {SIZE}"
OVER = ("Completed", "Failed", "Canceled")


@pytest.fixture
def large(own_server: Server) -> Server:
    own_server.start()
    return own_server


def peak(server: Server) -> int:
    """Return the most memory, in KiB, that the server has had."""
    text = Path(f"/proc/{server.home.read_json('server.json')['pid']}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+)", text)
    assert found
    return int(found[1])


def submit(server: Server, name: str, body: dict[str, Any], *, until_over: bool) -> None:
    assert server.ask("PUT", f"{PLACE}/jobs/{name}", body).status == 201
    if until_over:
        eventually(lambda: is_over(server, name), "the end of the job")


def is_over(server: Server, name: str) -> bool:
    return server.ask("GET", f"{PLACE}/jobs/{name}").body["properties"]["status"] in OVER


def pipeline(*commands: str) -> dict[str, Any]:
    """Return a pipeline of steps that have nothing to do with each other."""
    nodes = {}
    for number, command in enumerate(commands):
        parts = {"name": f"c{number}", "version": "1", "command": f"{command} # {number}"}
        component = {"type": "command", "environment": "azureml:host@latest", **parts}
        nodes[f"s{number}"] = {"type": "command", "component": component}
    return {"properties": {"jobType": "Pipeline", "jobs": nodes, "settings": {}}}


def logged(messages: Iterator[dict[str, Any]]) -> dict[str, int]:
    """Return the length of what each job logged."""
    found: dict[str, int] = {}
    for one in messages:
        if one["t"] == "log":
            found[one["name"]] = found.get(one["name"], 0) + len(one["text"])
    return found


@pytest.mark.parametrize("until_over", [True, False], ids=["ended", "running"])
@pytest.mark.parametrize("command", [LINE, BARS], ids=["one line", "carriage returns"])
def test_a_large_log_costs_the_memory_of_a_piece(large: Server, command: str, until_over: bool) -> None:
    """One line without an end, or redrawn by carriage returns, of a job that is over and of one that runs."""
    submit(large, "big", host_job(command), until_over=until_over)
    before = peak(large)
    texts = (one["text"] for one in large.stream(f"/smalt/v1{PLACE}/jobs/big/stream") if one["t"] == "log")
    size, pattern = 0, "x" if command == LINE else "é 12 %\r"
    for text in texts:
        start = size % len(pattern)
        whole = pattern * (len(text) // len(pattern) + 2)
        assert text.rstrip("\ufffd") == whole[start : start + len(text.rstrip("\ufffd"))]
        size += len(text)
    assert size >= SIZE // len(pattern.encode()) * len(pattern)
    assert peak(large) - before < MOST


def test_steps_with_large_logs_are_told_in_order(large: Server) -> None:
    """Each step is named before its log comes, and its end after the last piece of it."""
    submit(large, "many", pipeline(LINE, LINE), until_over=True)
    before = peak(large)
    sizes: dict[str, int] = {}
    ended: set[str] = set()
    known: set[str] = set()
    for one in large.stream(f"/smalt/v1{PLACE}/jobs/many/stream"):
        if one["t"] == "job":
            known.add(one["name"])
            ended |= {one["name"]} if one["status"] == "Completed" else set()
        if one["t"] == "log":
            assert one["name"] in known - (ended - {"many"})
            sizes[one["name"]] = sizes.get(one["name"], 0) + len(one["text"])
    assert sorted(sizes.values()) == [SIZE, SIZE]
    assert peak(large) - before < MOST


def test_others_are_answered_while_a_reader_waits(large: Server) -> None:
    """A reader that takes nothing holds up neither the server nor another reader, and loses nothing."""
    submit(large, "big", host_job(LINE), until_over=True)
    before = peak(large)
    slow = large.stream(f"/smalt/v1{PLACE}/jobs/big/stream")
    next(slow)
    assert large.ask("GET", f"{PLACE}/jobs").status == 200
    assert logged(large.stream(f"/smalt/v1{PLACE}/jobs/big/stream")) == {"big": SIZE}
    assert peak(large) - before < MOST
    assert logged(slow) == {"big": SIZE}


def test_a_reader_that_goes_away_is_let_go(large: Server) -> None:
    """In the middle of a large log, too: the server keeps nothing open for it."""
    submit(large, "big", host_job(LINE), until_over=True)
    pid = large.home.read_json("server.json")["pid"]
    large.ask("GET", f"{PLACE}/jobs")

    def sockets() -> int:
        return sum(target.startswith("socket:") for target in read_descriptors(pid))

    before = sockets()
    streams = [large.stream(f"/smalt/v1{PLACE}/jobs/big/stream") for _ in range(5)]
    for stream in streams:
        next(stream)
    assert sockets() > before
    for stream in streams:
        stream.close()  # type: ignore[attr-defined]
    eventually(lambda: sockets() <= before, "the end of the streams")


def test_secrets_are_hidden_wherever_pieces_end(large: Server) -> None:
    """No piece shows a part of one, and everything else is as it was written."""
    assert large.ask("PUT", f"/smalt/v1{PLACE}/secrets/key", {"value": "S3CR3T-VALUE"}).status == 200
    command = "python3 -c \"print('ab S3CR3T-' + 'VALUE\\n' + 0*'', end='');print(('ab S3CR3T-' 'VALUE\\n')*99999)\""
    submit(large, "quiet", host_job(command), until_over=False)
    for _ in range(2):  # as it runs, and when it is over
        texts = [one["text"] for one in large.stream(f"/smalt/v1{PLACE}/jobs/quiet/stream") if one["t"] == "log"]
        assert "".join(texts) == f"ab {'*' * 12}\n" * 100000 + "\n"


@pytest.mark.parametrize("made", ["mkfifo", "mkdir"])
def test_a_pipe_or_a_folder_is_not_read_as_a_log(large: Server, made: str) -> None:
    """A job that puts a pipe or a folder in the place of its log holds up nobody."""
    log = large.home.path("workspaces", "large", "datastores", "workspaceartifactstore", "ExperimentRun", "dcid.odd")
    path = log / "user_logs" / "std_log.txt"
    submit(large, "odd", host_job(f"rm -f {path}; {made} {path}"), until_over=True)
    assert list(large.stream(f"/smalt/v1{PLACE}/jobs/odd/stream"))[-1]["t"] == "end"
