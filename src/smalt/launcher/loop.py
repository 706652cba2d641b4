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
from smalt.launcher.steps import RunningSteps
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
        self._steps = RunningSteps(str(home.root), self._journal, self._timers, self._selector, log_line)
        self._keeper = ServerKeeper(home, self._timers, self._steps.beside, log_line)
        self._server: Channel | None = None
        self._channels: list[Channel] = []
        self._retiring = False
        self._retrying = False
        self._tell_starts_at: float | None = None
        self._stay_until = time.monotonic() + FIRST_CONNECTION

    def run(self) -> None:
        self._set_child_signals()
        self._steps.recover_steps()
        self._write_news()
        self._compact_journal()
        self._open_socket()
        self._timers.add_after(FIRST_CONNECTION, lambda: None)
        self._check_home()
        while not self._is_over():
            for key, _ in self._selector.select(self._get_timeout()):
                key.data()
            self._timers.run_due()
            self._write_news()
            self._steps.close_namespaces()  # last: nobody waits for it

    def _is_over(self) -> bool:
        if self._steps.is_busy:
            return False
        if self._retiring and not self._steps.records:
            return True
        return not self._channels and not self._keeper.may_start_server and time.monotonic() >= self._stay_until

    # The server

    def _open_socket(self) -> None:
        self._home.make_socket_folder()
        path = self._home.socket_path("launcher")
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        os.chmod(path, 0o600)
        listener.listen(8)
        listener.setblocking(False)
        self._listener = listener
        self._selector.register(listener, selectors.EVENT_READ, self._accept_channel)

    def _accept_channel(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        channel = Channel(connection)
        self._channels.append(channel)
        self._selector.register(channel, selectors.EVENT_READ, lambda: self._handle_messages(channel))

    def _handle_messages(self, channel: Channel) -> None:
        try:
            messages = channel.read_messages()
            for message in messages:
                self._handle_message(channel, message)
        except (ValueError, KeyError, TypeError) as error:
            log_line(f"dropped a connection that sent what is not a message: {error!r}")
            channel.closed = True
        if channel.has_unsent:
            channel.send_pending()
        self._update_channel(channel)

    def _update_channel(self, channel: Channel) -> None:
        """Wait for what the channel needs now; forget it when it is closed."""
        if not channel.closed:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if channel.has_unsent else 0)
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
            self._keeper.handle_disconnection()

    def _handle_message(self, channel: Channel, message: Message) -> None:
        kind = message["t"]
        if kind == "start":
            self._steps.start_steps(message["steps"])
        elif kind == "ack":
            self._steps.acknowledge(message["ids"])
        elif kind == "stop":
            self._steps.stop_step(message["id"], message["grace"])
        elif kind == "go":
            self._steps.start_waiting(message["id"])
        elif kind == "hold":
            self._steps.remove_waiting()
        elif kind == "unfinished":
            self._keeper.set_unfinished(message["n"])
        elif kind == "wake":
            self._keeper.set_wake_time(message["at"])
        elif kind == "hello":
            self._handle_greeting(channel, message)
        elif kind == "warm":
            channel.send_message({"t": "warm", **self._steps.warm.describe_parents()})
        elif kind == "retire":
            self._retiring = True

    def _handle_greeting(self, channel: Channel, message: Message) -> None:
        self._server = channel
        self._steps.remove_waiting()
        self._steps.beside(channel.get_peer())
        self._stay_until = 0.0
        self._keeper.handle_connection(message.get("restart"))
        records = self._steps.records.values()
        channel.send_message(
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

    def _write_news(self) -> None:
        steps = self._steps
        telling = bool(steps.exited) or self._has_due_starts()
        entries = [journal.make_start_entry(record) for record in steps.started] if telling else []
        entries += [{"t": "exit", "exit": record.exit} for record in steps.exited if record.noted]
        if any(record.code or record.signal for record in steps.exited):
            self._check_disk()
        try:
            self._journal.write_entries(entries)
        except OSError as error:
            self._handle_write_failure(error)
            return
        if not telling:
            return
        started, steps.started = steps.started, []
        exited, steps.exited = steps.exited, []
        self._tell_starts_at = None
        if self._server is not None:
            starts = [record.as_started() for record in started]
            self._server.send_message({"t": "events", "started": starts, "exits": [record.exit for record in exited]})
            self._update_channel(self._server)
        if self._journal.is_large:
            self._compact_journal()

    def _make_room(self) -> bool:
        """Give some of the reserve back to the full disk, so that what must be written can be."""
        made = self._reserve.release()
        self._send_disk_full()
        return made

    def _check_disk(self) -> None:
        """Say that the disk is full where steps failed, which may be why."""
        try:
            is_full = DiskSpace.measure(self._home.root).is_full
        except OSError:
            return
        if is_full:
            self._reserve.release()
            self._send_disk_full()

    def _send_disk_full(self) -> None:
        now = time.monotonic()
        if now - self._full_said >= FULL_AGAIN:
            self._full_said = now
            log_line(f"the disk of {self._home.root} is full; free some space: smalt prune")

    def _compact_journal(self) -> None:
        try:
            self._journal.compact_file(self._steps.records)
        except OSError as error:
            log_line(f"cannot make the journal shorter: {error}")

    def _handle_write_failure(self, error: OSError) -> None:
        if self._retrying:
            return
        log_line(f"cannot write the journal, trying again: {error}")
        self._retrying = True
        self._timers.add_after(RETRY, self._retry_write)

    def _retry_write(self) -> None:
        self._retrying = False  # the loop writes after every turn

    def _has_due_starts(self) -> bool:
        if not self._steps.started:
            return False
        now = time.monotonic()
        if self._tell_starts_at is None:
            self._tell_starts_at = now + TOGETHER
        return now >= self._tell_starts_at

    def _get_timeout(self) -> float | None:
        """Return the seconds until something is due; None if nothing is."""
        wait = self._timers.get_timeout()
        if self._tell_starts_at is None:
            return wait
        soon = max(0.0, self._tell_starts_at - time.monotonic())
        return soon if wait is None else min(wait, soon)

    # Processes

    def _set_child_signals(self) -> None:
        reader, writer = socket.socketpair()
        reader.setblocking(False)
        writer.setblocking(False)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self._wakeup = (reader, writer)
        self._selector.register(reader, selectors.EVENT_READ, self._handle_exits)

    def _handle_exits(self) -> None:
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
            if not self._steps.handle_child_exit(pid, status, usage) and pid == self._keeper.pid:
                self._keeper.handle_exit()

    def _check_home(self) -> None:
        """A home that was removed takes its steps with it: nobody could be told of them."""
        try:
            there = os.path.samestat(os.stat(self._home.path("launcher.lock")), os.fstat(self._lock))
        except OSError:
            there = False
        if there:
            self._keeper.check_wake_time()
            self._timers.add_after(HOME_CHECK, self._check_home)
            return
        log_line("the home is gone: ending its steps")
        self._steps.kill_all()
        sys.exit(1)


def log_line(sentence: str) -> None:
    with contextlib.suppress(OSError):  # the log may be on a full disk
        print(time.strftime("%Y-%m-%dT%H:%M:%S"), sentence, file=sys.stderr, flush=True)
