"""How far an upload is."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from smalt import MLClient
from smalt.client.transfers import import_progress, progress
from smalt.client.transfers.progress import TransferProgress
from smalt.entities import Data


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_files_bytes_and_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, which is gone in the end."""
    monkeypatch.setattr(progress.sys, "stderr", screen := _Terminal())
    shown = TransferProgress("data", 10, 2_000_000)
    shown.skip_present(1, 500_000)
    shown.add_sent(4, 500_000)
    line = screen.getvalue()
    assert "uploading data ████████████░░░░░░░░░░░░ 5/10 files, 1.0 MB of 2.0 MB, " in line
    assert line.endswith("B/s\x1b[K")
    shown.close()
    assert screen.getvalue().endswith("\r\x1b[K")


def test_a_local_copy_is_told(client: MLClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the server copies from this machine is shown as an upload is."""
    for number in range(300):
        (tmp_path / str(number)).write_bytes(bytes([number % 256]) * 200_000)
    monkeypatch.setattr(progress.sys, "stderr", screen := _Terminal())
    monkeypatch.setattr(import_progress, "_EVERY", 0.001)
    client.data.create_or_update(Data(name="local", path=str(tmp_path)))
    assert f"copying {tmp_path.name} " in screen.getvalue()
    assert "/300 files, " in screen.getvalue()
    assert screen.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize("shown", [True, False])
def test_a_pipe_sees_nothing(monkeypatch: pytest.MonkeyPatch, shown: bool) -> None:
    """Nor does a terminal whose user wants no progress."""
    monkeypatch.setattr(progress.sys, "stderr", out := (io.StringIO() if shown else _Terminal()))
    bar = TransferProgress("data", 1, 10, shown)
    bar.add_sent(1, 10)
    bar.close()
    assert out.getvalue() == ""
