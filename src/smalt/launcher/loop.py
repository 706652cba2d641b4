"""The launcher: one loop over the server's socket, the ends of processes, and the clock."""

from __future__ import annotations

import contextlib
import os
import resource
import selectors
import signal
import socket
import sys
import time

from smalt import __version__
from smalt.launcher import journal
from smalt.launcher.journal import Journal
from smalt.launcher.protocol import PROTOCOL, Channel, Message
from smalt.launcher.restart import ServerKeeper
from smalt.launcher.steps import Steps
from smalt.launcher.timers import Timers
from smalt.machine import processes
from smalt.machine.disk_reserve import DiskReserve, DiskSpace
from smalt.machine.home import Home
from smalt.machine.home_identity import HomeIdentity

FIRST_CONNECTION = 10.0  # who started us has this long to come
HOME_CHECK = 2.0
TOGETHER = 0.004  # a start is told this late, so that a step that is quicker makes one message, and one commit, less
RETRY = 1.0
FULL_AGAIN = 60.0  # seconds until it is said once more that the disk is full


class Launcher:
    def __init__(self, home: Home, lock: int) -> None:
        self._home = home
        self._lock = lock
        self._machine = list(processes.read_machine())
        self._timers = Timers()
        self._selector = selectors.DefaultSelector()
        self._reserve = DiskReserve(home.root)
        self._full_said = -FULL_AGAIN
        journal_path = home.path("launcher", "journal")
        self._journal = Journal(journal_path, self._machine, HomeIdentity.of_folder(home.root), self._make_room)
        self._steps = Steps(str(home.root), self._journal, self._timers, self._selector, say)
        self._keeper = ServerKeeper(home, self._timers, self._steps.beside, say)
        self._server: Channel | None = None
        self._channels: list[Channel] = []
        self._retiring = False
        self._retrying = False
        self._tell_starts_at: float | None = None
        self._stay_until = time.monotonic() + FIRST_CONNECTION

    def run(self) -> None:
        self._watch_children()
        self._steps.recover()
        self._flush()
        self._compact()
        self._listen()
        self._timers.after(FIRST_CONNECTION, lambda: None)
        self._check_home()
        while not self._over():
            for key, _ in self._selector.select(self._wait()):
                key.data()
            self._timers.fire()
            self._flush()

    def _over(self) -> bool:
        if self._steps.busy:
            return False
        if self._retiring and not self._steps.records:
            return True
        return not self._channels and not self._keeper.wanted and time.monotonic() >= self._stay_until

    # The server

    def _listen(self) -> None:
        self._home.make_socket_folder()
        path = self._home.socket_path("launcher")
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        os.chmod(path, 0o600)
        listener.listen(8)
        listener.setblocking(False)
        self._listener = listener
        self._selector.register(listener, selectors.EVENT_READ, self._accept)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        channel = Channel(connection)
        self._channels.append(channel)
        self._selector.register(channel, selectors.EVENT_READ, lambda: self._receive(channel))

    def _receive(self, channel: Channel) -> None:
        try:
            messages = channel.receive()
            for message in messages:
                self._handle(channel, message)
        except (ValueError, KeyError, TypeError) as error:
            say(f"dropped a connection that sent what is not a message: {error!r}")
            channel.closed = True
        if channel.waiting:
            channel.push()
        self._settle(channel)

    def _settle(self, channel: Channel) -> None:
        """Wait for what the channel needs now; forget it when it is closed."""
        if not channel.closed:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if channel.waiting else 0)
            key = self._selector.get_key(channel)
            if key.events != events:
                self._selector.modify(channel, events, key.data)
            return
        if channel not in self._channels:
            return
        self._selector.unregister(channel)
        self._channels.remove(channel)
        channel.close()
        if channel is self._server:
            self._server = None
            self._keeper.disconnected()

    def _handle(self, channel: Channel, message: Message) -> None:
        kind = message["t"]
        if kind == "start":
            self._steps.start(message["steps"])
        elif kind == "ack":
            self._steps.acknowledge(message["ids"])
        elif kind == "stop":
            self._steps.stop(message["id"], message["grace"])
        elif kind == "go":
            self._steps.go(message["id"])
        elif kind == "hold":
            self._steps.forget_waiting()
        elif kind == "unfinished":
            self._keeper.told(message["n"])
        elif kind == "hello":
            self._greet(channel, message)
        elif kind == "retire":
            self._retiring = True

    def _greet(self, channel: Channel, message: Message) -> None:
        self._server = channel
        self._steps.forget_waiting()
        self._steps.beside(channel.peer())
        self._stay_until = 0.0
        self._keeper.connected(message.get("restart"))
        records = self._steps.records.values()
        channel.send(
            {
                "t": "hello",
                "protocol": PROTOCOL,
                "version": __version__,
                "pid": os.getpid(),
                "machine": self._machine,
                "running": [record.as_started() for record in records if record.exit is None and record.pid],
                "exits": [record.exit for record in records if record.exit is not None],
            }
        )

    # What happened, to the disk and then to the server

    def _flush(self) -> None:
        steps = self._steps
        telling = bool(steps.exited) or self._starts_are_due()
        entries = [journal.started(record) for record in steps.started] if telling else []
        entries += [{"t": "exit", "exit": record.exit} for record in steps.exited if record.noted]
        if any(record.code or record.signal for record in steps.exited):
            self._look_at_room()
        try:
            self._journal.write(entries)
        except OSError as error:
            self._try_again(error)
            return
        if not telling:
            return
        started, steps.started = steps.started, []
        exited, steps.exited = steps.exited, []
        self._tell_starts_at = None
        if self._server is not None:
            starts = [record.as_started() for record in started]
            self._server.send({"t": "events", "started": starts, "exits": [record.exit for record in exited]})
            self._settle(self._server)
        if self._journal.large:
            self._compact()

    def _make_room(self) -> bool:
        """Give some of the reserve back to the full disk, so that what must be written can be."""
        made = self._reserve.release()
        self._say_full()
        return made

    def _look_at_room(self) -> None:
        """Say that the disk is full where steps failed, which may be why."""
        try:
            is_full = DiskSpace.measure(self._home.root).is_full
        except OSError:
            return
        if is_full:
            self._reserve.release()
            self._say_full()

    def _say_full(self) -> None:
        now = time.monotonic()
        if now - self._full_said >= FULL_AGAIN:
            self._full_said = now
            say(f"the disk of {self._home.root} is full; free some space: smalt prune")

    def _compact(self) -> None:
        try:
            self._journal.compact(self._steps.records)
        except OSError as error:
            say(f"cannot make the journal shorter: {error}")

    def _try_again(self, error: OSError) -> None:
        if self._retrying:
            return
        say(f"cannot write the journal, trying again: {error}")
        self._retrying = True
        self._timers.after(RETRY, self._retry)

    def _retry(self) -> None:
        self._retrying = False  # the loop writes after every turn

    def _starts_are_due(self) -> bool:
        if not self._steps.started:
            return False
        now = time.monotonic()
        if self._tell_starts_at is None:
            self._tell_starts_at = now + TOGETHER
        return now >= self._tell_starts_at

    def _wait(self) -> float | None:
        """How long nothing is to be done."""
        wait = self._timers.wait()
        if self._tell_starts_at is None:
            return wait
        soon = max(0.0, self._tell_starts_at - time.monotonic())
        return soon if wait is None else min(wait, soon)

    # Processes

    def _watch_children(self) -> None:
        reader, writer = socket.socketpair()
        reader.setblocking(False)
        writer.setblocking(False)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self._wakeup = (reader, writer)
        self._selector.register(reader, selectors.EVENT_READ, self._reap)

    def _reap(self) -> None:
        try:
            self._wakeup[0].recv(4096)
        except BlockingIOError:
            pass
        ended: list[tuple[int, int, resource.struct_rusage]] = []
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            ended.append((pid, status, usage))
        for pid, status, usage in ended:
            if not self._steps.gone(pid, status, usage) and pid == self._keeper.pid:
                self._keeper.exited()

    def _check_home(self) -> None:
        """A home that was removed takes its steps with it: nobody could be told of them."""
        try:
            there = os.path.samestat(os.stat(self._home.path("launcher.lock")), os.fstat(self._lock))
        except OSError:
            there = False
        if there:
            self._timers.after(HOME_CHECK, self._check_home)
            return
        say("the home is gone: ending its steps")
        self._steps.abandon()
        sys.exit(1)


def say(sentence: str) -> None:
    with contextlib.suppress(OSError):  # the log may be on a full disk
        print(time.strftime("%Y-%m-%dT%H:%M:%S"), sentence, file=sys.stderr, flush=True)
