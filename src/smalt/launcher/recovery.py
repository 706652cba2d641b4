"""Recovery of the steps of an earlier launcher: each is still running, or its exit is found out."""

from __future__ import annotations

import os
import time

from smalt.launcher import claims
from smalt.launcher.journal import FOREIGN
from smalt.launcher.record import StepRecord
from smalt.launcher.tree import ProcessTree
from smalt.machine import processes

RESTARTED = "the machine was restarted while the step was to run"
OTHER_NAMESPACE = "the container that the step ran in was restarted"
COPIED = "this home is a copy, made while the step was to run; the step is of the home that it was copied from"
NOT_OURS = (RESTARTED, OTHER_NAMESPACE, COPIED)
"""Pids of another boot or namespace mean nothing here, and those of another home's steps are not ours to touch."""
UNSEEN = "the step ended while nothing watched it, and left no exit code"


def recover_record(record: StepRecord, machine: processes.MachineIdentity, tree: ProcessTree) -> bool:
    """True: it runs, and `record` says as what. False: it is over, and `record.exit` says how."""
    if record.machine == FOREIGN:
        record.set_exit("lost", COPIED, time.time())
        return False
    if record.machine and record.machine[1:] != list(machine[1:]):
        message = RESTARTED if record.machine[1] != machine.boot_id else OTHER_NAMESPACE
        record.set_exit("lost", message, time.time())
        return False
    record.machine = list(machine)
    record.own = False
    if _is_running(record, tree):
        return True
    if not record.pid and claims.read_claim(record.claim) in (None, claims.VOID):
        if claims.write_void(record.claim) or claims.read_claim(record.claim) == claims.VOID:
            record.set_exit("never started", None, time.time())
            return False
        if _is_running(record, tree):  # its shell was just coming up
            return True
    # It may have ended after the look at the processes: the claim is read last.
    record.code = claims.read_code(record.claim)
    if record.code is None:
        record.set_exit(record.reason or "lost", UNSEEN, time.time())
    else:
        record.set_exit(record.reason or "exited", None, _read_end_time(record.claim))
    return False


def _is_running(record: StepRecord, tree: ProcessTree) -> bool:
    if record.pid:
        stat = processes.read_stat(record.pid)
        return stat is not None and not stat.is_dead and stat.start_time == record.start_time
    pid = tree.find_shell(record)
    stat = processes.read_stat(pid) if pid else None
    if not pid or stat is None or stat.is_dead:
        return False
    record.pid, record.start_time = pid, stat.start_time
    record.started, record.monotonic = time.time(), time.monotonic()
    return True


def _read_end_time(claim: str) -> float:
    """Return the time at which the step's shell wrote its last word."""
    try:
        return os.stat(claim).st_mtime
    except OSError:
        return time.time()
