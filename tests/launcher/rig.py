"""A home with a real launcher, and a client that speaks its protocol."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from smalt import launcher
from smalt.launcher.marks import VARIABLE, StepMark, hash_home
from smalt.machine import processes
from smalt.machine.home import Home
from smalt.runner import script
from tests.helpers import LONGEST, eventually

DEADLINE = LONGEST


class Rig:
    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / "home")
        self.home.create()
        self.launchers: list[subprocess.Popen[bytes]] = []
        self.clients: list[Client] = []

    def launch(self, **environment: str) -> subprocess.Popen[bytes]:
        self.home.make_socket_folder()  # as the server does; a home with a long path has it elsewhere
        program = Path(launcher.__file__).with_name("__main__.py")
        with open(self.home.path("launcher.log"), "ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(program), str(self.home.root)],
                env={**os.environ, **environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.launchers.append(process)
        return process

    def kill_launcher(self) -> None:
        for process in self.launchers:
            process.kill()
            process.wait()

    def connect(self, restart: list[str] | None = None) -> Client:
        def connected() -> socket.socket | None:
            attempt = socket.socket(socket.AF_UNIX)
            try:
                attempt.connect(str(self.home.socket_path("launcher")))
            except OSError:
                attempt.close()
                return None
            return attempt

        client = Client(eventually(connected, "the launcher's socket"))
        self.clients.append(client)
        client.send({"t": "hello", "restart": restart})
        eventually(lambda: client.pump().hello, "the launcher's greeting")
        return client

    def step(self, name: str, command: str, **more: Any) -> dict[str, Any]:
        folder = self.home.path("jobs", name)
        folder.mkdir(parents=True, exist_ok=True)
        text = script.build_script(command, step_id=name, folder=str(folder), cwd=str(folder))
        step = {
            "id": name,
            "script": text,
            "folder": str(folder),
            "env": {"PATH": os.environ["PATH"], "PYTHON": sys.executable},
            "log": str(folder / "log"),
            "timeout": None,
            "grace": 5.0,
        }
        return {**step, **more}

    def file(self, step: str, name: str) -> str | None:
        """What a step wrote, once it ends a line."""
        path = self.home.path("jobs", step, name)
        text = path.read_text() if path.exists() else ""
        return text.strip() if text.endswith("\n") else None

    def pid(self, step: str, name: str) -> int:
        """A pid that a step wrote to a file."""
        return int(eventually(lambda: self.file(step, name), f"{name} of {step}"))

    def marked(self) -> list[int]:
        """All living processes of this home's steps."""
        mark = f"{VARIABLE}={StepMark(hash_home(str(self.home.root)), '').text}".encode()
        found = []
        for name in os.listdir("/proc"):
            with contextlib.suppress(OSError):
                if name.isdigit() and mark in Path("/proc", name, "environ").read_bytes():
                    stat = processes.read_stat(int(name))
                    if stat and not stat.is_dead:
                        found.append(int(name))
        return found

    def close(self) -> list[int]:
        """End everything; the steps' processes that had to be ended."""
        for client in self.clients:
            client.close()
        self.kill_launcher()
        left = self.marked()
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return left


class Client:
    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(0.05)
        self._socket = connection
        self._in = b""
        self.hello: dict[str, Any] | None = None
        self.started: dict[str, list[Any]] = {}
        self.exits: dict[str, dict[str, Any]] = {}
        self.told = 0
        self.warm: dict[str, Any] | None = None

    def send(self, *messages: dict[str, Any]) -> None:
        self._socket.settimeout(DEADLINE)
        self._socket.sendall(b"".join(json.dumps(message).encode() + b"\n" for message in messages))
        self._socket.settimeout(0.05)

    def start(self, *steps: dict[str, Any]) -> None:
        self.send({"t": "start", "steps": list(steps)})

    def acknowledge(self, *step_ids: str) -> None:
        self.send({"t": "ack", "ids": list(step_ids)})

    def stop(self, step_id: str, grace: float) -> None:
        self.send({"t": "stop", "id": step_id, "grace": grace})

    def pump(self) -> Client:
        with contextlib.suppress(TimeoutError):
            *lines, self._in = (self._in + self._socket.recv(1 << 20)).split(b"\n")
            for line in lines:
                self._take(json.loads(line))
        return self

    def exit(self, step_id: str) -> dict[str, Any]:
        return eventually(lambda: self.pump().exits.get(step_id), f"the exit of {step_id}")

    def pid(self, step_id: str) -> int:
        entry = eventually(lambda: self.pump().started.get(step_id), f"the start of {step_id}")
        return int(entry[1])

    def close(self) -> None:
        self._socket.close()

    def _take(self, message: dict[str, Any]) -> None:
        if message["t"] == "hello":
            self.hello = message
            self._note(message["running"], message["exits"])
        elif message["t"] == "warm":
            self.warm = message
        else:
            self._note(message["started"], message["exits"])

    def _note(self, started: list[list[Any]], exits: list[dict[str, Any]]) -> None:
        self.told += len(exits)
        self.started.update({entry[0]: entry for entry in started})
        self.exits.update({exit["id"]: exit for exit in exits})
