"""A launcher that comes after one that was killed: what it takes the steps for."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import pytest

from smalt import processes
from smalt.launcher import claims, recovery
from smalt.launcher.marks import VARIABLE
from smalt.launcher.record import Record
from smalt.launcher.tree import Tree
from tests.helpers import eventually


class EarlyLook(Tree):
    """Looks at the processes just before the step's shell is there."""

    shell: subprocess.Popen[bytes] | None = None

    def find(self, record: Record) -> int | None:
        if self.shell is not None:
            return super().find(record)
        found = super().find(record)
        self.shell = subprocess.Popen(
            ["bash", "-c", f"set -C; : >{record.claim}; sleep 600; echo 0 >>{record.claim}"],
            env={**os.environ, VARIABLE: self.mark(record.id).text},
            start_new_session=True,
        )
        eventually(lambda: os.path.exists(record.claim), "the claim")
        return found


@pytest.mark.skipif(not processes.LINUX, reason="elsewhere a shell is not looked for")
def test_a_shell_that_begins_between_two_looks_is_adopted(tmp_path: Path) -> None:
    """Its claim is there without a code, and it was not among the processes a moment before: it is not lost."""
    tree = EarlyLook(str(tmp_path))
    record = Record("7.1", str(tmp_path), None, 1.0)
    try:
        assert recovery.settle(record, processes.machine(), tree), record.exit
        assert tree.shell is not None
        assert record.pid == tree.shell.pid
        assert claims.code(record.claim) is None
    finally:
        if tree.shell is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(tree.shell.pid, signal.SIGKILL)
            tree.shell.wait()
