"""Editable code of the host's Python is looked at where nobody has to wait for it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from smalt.service.environments.views import editable_code
from smalt.service.environments.views.host_python import HostPython
from smalt.service.environments.views.overlay_pool import OverlayPool


class Looks:
    """Looks at editable code, on a disk that takes its time, are counted; `meanwhile` happens during each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.meanwhile: Callable[[], None] = lambda: None
        self._real = editable_code.list_files
        monkeypatch.setattr(editable_code, "list_files", self._files)
        monkeypatch.setattr("smalt.service.environments.views.host_python._LOOKED_AGAIN", 600.0)

    def _files(self, paths: Iterable[str]) -> editable_code.EditableFiles:
        self.count += 1
        found = self._real(paths)
        time.sleep(0.03)
        self.meanwhile()
        return found


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A module that the Python of `tmp_path` takes from elsewhere."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "host")], check=True)
    (site,) = tmp_path.glob("host/lib/python*/site-packages")
    (tmp_path / "project").mkdir()
    (site / "pk.pth").write_text(f"{tmp_path / 'project'}\n")
    module = tmp_path / "project" / "pk.py"
    module.write_text("V = 1\n")
    return module


def test_code_that_takes_long_to_look_at(tmp_path: Path, code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop does not look at it: it tells that a thread is to do so, which finds what was edited."""
    host, looks = HostPython(OverlayPool(tmp_path / "spare")), Looks(monkeypatch)
    python = str(tmp_path / "host" / "bin" / "python")
    first = host.examine(python)
    for edit, is_same in (("V = 1\n", True), ("V = 22\n", False)):
        code.write_text(edit)
        host.invalidate()
        looks.count = 0
        assert host.find_known(python) is None
        assert looks.count == 0
        found = host.examine(python)
        assert (found.realised_hash == first.realised_hash) == is_same
        assert looks.count > 0
        looks.count = 0
        assert host.find_known(python) is found
        assert looks.count == 0


def test_a_submission_while_code_is_looked_at(tmp_path: Path, code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was seen before the submission is not believed for it."""
    host, looks = HostPython(OverlayPool(tmp_path / "spare")), Looks(monkeypatch)
    python = str(tmp_path / "host" / "bin" / "python")
    looks.meanwhile = host.invalidate
    host.examine(python)
    assert host.find_known(python) is None
    looks.meanwhile = lambda: None
    code.write_text("V = 333\n")
    edited = host.examine(python)
    assert host.find_known(python) is edited
