"""The server rig: real servers on temporary homes, which end with their test; and waiting with a deadline.

- `running_server(...)`: a server that runs, on a new home with the settings, the environment or the program given.
- `temporary_server()`: a new home alone; the test, or the program that it tries, starts the server.

The fixtures `server`, `own_server` and `module_server` of tests/conftest.py are these two."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

from smalt.client.connection import autostart
from smalt.machine.home import Home
from smalt.machine.ports import find_free_ports
from smalt.machine.processes import read_stat
from tests.forked_servers import ForkedServer, can_fork

T = TypeVar("T")

_spawn_server = autostart.spawn_server

LONGEST = 300
"""Seconds until a test gives up waiting."""

PROGRAM = {"X-Smalt-Makes-Workspaces": "1"}
"""Tests are programs, which name workspaces that are not there yet."""

WORKSPACE = "/subscriptions/sub/resourceGroups/group/providers/Microsoft.MachineLearningServices/workspaces/{}"


LIMITS = (2, 10, 50)
"""Time limits of a job to try in turn, where it must have begun before the limit ends it: on a busy machine that may
take longer than the first."""

SOONEST, LATEST = 0.005, 0.03
"""Seconds between two looks, at first and at last: a look takes the processor from what is waited for."""


def eventually(look: Callable[[], T], what: str = "it", seconds: float = LONGEST) -> T:
    """The first true thing that `look` gives."""
    begun = time.monotonic()
    while not (found := look()):
        waited = time.monotonic() - begun
        if waited > seconds:
            raise AssertionError(f"{what} did not come about within {seconds:g} s")
        time.sleep(min(max(waited / 10, SOONEST), LATEST))
    return found


def is_ended(pid: int) -> bool:
    """Return True once a process ended with all of its threads: until then it holds its locks."""
    stat = read_stat(pid)
    try:
        return stat is None or (stat.is_dead and len(os.listdir(f"/proc/{pid}/task")) == 1)
    except FileNotFoundError:
        return True


class Answer(NamedTuple):
    status: int
    body: Any
    headers: Mapping[str, str]


class Server:
    """A home, and whatever server processes a test starts on it.

    They are forked from a process that is ready, unless one `is_started_anew` or a test gives a program of its own.
    """

    def __init__(self, home: Home, *, is_started_anew: bool = False) -> None:
        self.home = home
        self._is_started_anew = is_started_anew
        self.processes: list[subprocess.Popen[bytes]] = []

    def spawn(
        self,
        *options: str,
        environment: Mapping[str, str] | None = None,
        program: tuple[str, ...] = (),
        cwd: str | Path = "/",
        close_fds: bool = True,
        start_new_session: bool = True,
    ) -> subprocess.Popen[bytes]:
        """Start a process, as clients do unless told otherwise; what it says on standard error can be read."""
        variables = {**os.environ, "SMALT_HOME": str(self.home.root), **(environment or {})}
        is_forked = not (self._is_started_anew or program) and close_fds and can_fork(variables)
        start: type[subprocess.Popen[bytes]] = ForkedServer if is_forked else subprocess.Popen
        process = start(
            [sys.executable, *(program or ("-m", "smalt.service")), *options],
            env=variables,
            cwd=cwd,
            close_fds=close_fds,
            start_new_session=start_new_session,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self.processes.append(process)
        return process

    def start(
        self, *options: str, environment: Mapping[str, str] | None = None, program: tuple[str, ...] = ()
    ) -> subprocess.Popen[bytes]:
        """Start a server and wait until it is ready."""
        process = self.spawn(*options, environment=environment, program=program)
        eventually(lambda: self.is_ready(process.pid) or process.poll() is not None, "the server")
        assert process.poll() is None, refusal(process)
        return process

    def kill(self) -> None:
        """End the server that serves by SIGKILL; its launcher and its steps run on."""
        pid = eventually(self.find_server, "the server")
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: is_ended(pid), "the end of the server")

    def kill_launcher(self) -> None:
        """End the launcher by SIGKILL, and wait until it is gone."""
        for pid in _launchers(self.home):
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: not _launchers(self.home), "the end of the launcher")

    def start_again(self) -> int:
        """Start a server where one was killed, and return the pid of the one that serves.

        The launcher outlives a killed server and starts one, too, while steps run: either may be the first.
        """
        self.spawn()
        return eventually(self.find_server, "the server")

    def find_server(self) -> int | None:
        """Return the pid of the server that is ready."""
        facts = self.home.read_json("server.json")
        is_there = facts and (stat := read_stat(facts["pid"])) is not None and not stat.is_dead
        return int(facts["pid"]) if facts and is_there else None

    def is_ready(self, pid: int) -> bool:
        facts = self.home.read_json("server.json")
        return bool(facts) and facts["pid"] == pid

    def set(self, **settings: Any) -> None:
        """Write settings before a server is started."""
        self.home.create()
        named = {name.replace("_", "-"): value for name, value in settings.items()}
        self.home.path("config.json").write_text(json.dumps(named))

    @property
    def port(self) -> int:
        return int(self.home.read_json("server.json")["port"])

    def ask(self, method: str, path: str, body: Any = None, *, raw: bytes | None = None) -> Answer:
        """A request over the Unix socket."""
        return self._ask(_UnixConnection(str(self.home.socket_path("server"))), method, path, body, raw, PROGRAM)

    def ask_quoted(self, method: str, path: str) -> Answer:
        """The path is sent as it is."""
        return self._ask(
            _UnixConnection(str(self.home.socket_path("server"))), method, path, None, None, PROGRAM, quoted=True
        )

    def ask_tcp(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """A request over the port, with the home's token unless another, or None, is given."""
        sent = {**PROGRAM, **(headers or {})}
        token = self.home.read_token() if token == "" else token
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LONGEST)
        return self._ask(connection, method, path, body, None, sent)

    def ask_as(self, method: str, path: str, headers: Mapping[str, str], body: Any = None) -> Answer:
        """A request over the port with these headers and no others."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LONGEST)
        return self._ask(connection, method, path, body, None, dict(headers))

    def stream(self, path: str) -> Iterator[dict[str, Any]]:
        """The messages of a stream as they come."""
        connection = _UnixConnection(str(self.home.socket_path("server")))
        with contextlib.closing(connection):
            connection.request("GET", path)
            with connection.getresponse() as response:
                assert response.status == 200, response.read()
                for line in response:
                    yield json.loads(line)

    def end(self) -> None:
        """End the server as its user would, and wait until it and its launcher are gone."""

        def over() -> bool:
            with contextlib.suppress(OSError):
                self.ask("POST", "/smalt/v1/shutdown", {"force": True})
            _dismiss(self.home.socket_path("launcher"))
            return _is_free(self.home, "server.lock") and not _launchers(self.home)

        try:
            eventually(over, "the end of server and launcher", 2 * LONGEST)
        finally:
            while self.processes:
                process = self.processes.pop()
                process.kill()
                if process.stderr is not None and not process.stderr.closed:
                    process.communicate()

    def _ask(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: Any,
        raw: bytes | None,
        headers: dict[str, str],
        *,
        quoted: bool = False,
    ) -> Answer:
        with contextlib.closing(connection):
            data = raw if raw is not None else None if body is None else json.dumps(body).encode()
            connection.request(method, path if quoted else quote(path, safe="/?&=%$:@"), data, headers)
            with connection.getresponse() as response:
                text = response.read()
                is_json = response.headers.get("content-type", "").startswith("application/json")
                found = json.loads(text) if text and is_json else text
                return Answer(response.status, found, {key.lower(): value for key, value in response.headers.items()})


def refusal(process: subprocess.Popen[bytes]) -> str:
    """What a process that ended said on standard error."""
    _, said = process.communicate(timeout=LONGEST)
    return said.decode().strip()


@contextlib.contextmanager
def temporary_server(name: str = "home", *, is_started_anew: bool = False) -> Iterator[Server]:
    """Yield a home with a short path, whoever starts its server; nothing of it is left."""
    folder = Path(tempfile.mkdtemp(prefix="smalt-"))
    server = Server(Home(folder / name), is_started_anew=is_started_anew)
    try:
        yield server
    finally:
        server.end()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running_server(
    *, environment: Mapping[str, str] | None = None, program: tuple[str, ...] = (), name: str = "home", **settings: Any
) -> Iterator[Server]:
    """Yield a server that runs on a home of its own, with these settings."""
    with temporary_server(name) as server:
        if settings:
            server.set(**settings)
        server.start(environment=environment, program=program)
        yield server


def spawn_forked(home: Home) -> subprocess.Popen[bytes]:
    """Do what a client does by `autostart.spawn_server`, which this replaces in tests."""
    environment = autostart.build_environment(home, os.environ)
    if not can_fork(environment):
        return _spawn_server(home)
    with autostart._open_log(home) as log:
        process = ForkedServer(
            [sys.executable, "-m", "smalt.service"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=environment,
            start_new_session=True,
        )
    autostart._started.append(process)
    return process


def find_free_port() -> int:
    """Return a port for a server that is given one."""
    return find_free_ports(1)[0]


def read_descriptors(pid: int | str) -> list[str]:
    """Return what the open descriptors of a process lead to, without those that it closes meanwhile."""
    found = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(link))
    return found


def pytest_command(folder: Path, python: str = sys.executable) -> list[str]:
    """Return the command of a pytest of a test's own, whose temporary folder is a part of the test's.

    In the one that all share, pytest removes at its end what earlier runs left there, which may take minutes.
    """
    return [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={folder / 'temporary'}"]


def host_job(command: str, **more: Any) -> dict[str, Any]:
    """The REST body of a command job that needs no environment."""
    return {"properties": {"jobType": "Command", "command": command, "environmentId": "azureml:host@latest", **more}}


def begin_long_job(server: Server, workspace: str, name: str) -> None:
    """A job that runs until it is canceled, and runs by the time this returns."""
    assert server.ask("PUT", f"{workspace}/jobs/{name}", host_job("sleep 600 & echo here; wait")).status == 201
    for message in server.stream(f"/smalt/v1{workspace}/jobs/{name}/stream"):
        if message["t"] == "log" and message["text"] == "here\n":
            return
    raise AssertionError(f"{name} ended by itself")


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=LONGEST)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(LONGEST)
        self.sock.connect(self._path)


def _dismiss(path: Path) -> None:
    """A launcher that its server has not reached yet would wait for one; tell it that none comes."""
    with socket.socket(socket.AF_UNIX) as visit, contextlib.suppress(OSError):
        visit.connect(str(path))
        visit.sendall(b'{"t": "retire"}\n')


def _launchers(home: Home) -> list[int]:
    """Launchers of the home, one among them that has only just been started."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if str(home.root).encode() in words:
                found.append(int(process.name))
    return found


def _is_free(home: Home, lock: str) -> bool:
    try:
        with open(home.path(lock)) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True
    except BlockingIOError:
        return False
    return True
