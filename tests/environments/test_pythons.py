from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from smalt.exceptions import Unavailable
from smalt.service.environments.builders.interpreters import Interpreters

REAL = os.path.realpath(sys.executable)
HERE = sys.version_info[:2]


def variables(home: Path, path: Path) -> dict[str, str]:
    return {"HOME": str(home), "PATH": str(path), "UV_PYTHON_INSTALL_DIR": str(home / "uv")}


def put(path: Path, content: bytes = b"\x7fELF") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755)


def test_pythons_are_found_without_being_started(tmp_path: Path) -> None:
    """On PATH, in pyenv's versions and in uv's; none of these could start."""
    put(tmp_path / "bin" / "python3.18")
    put(tmp_path / ".pyenv" / "versions" / "3.17.2" / "bin" / "python3.17")
    put(tmp_path / "uv" / "cpython-3.16.1-linux-x86_64-gnu" / "bin" / "python3.16")
    found = Interpreters(variables(tmp_path, tmp_path / "bin")).list_versions()
    assert {(3, 16), (3, 17), (3, 18), HERE} <= set(found)


def test_scripts_that_stand_for_a_python_do_not_count(tmp_path: Path) -> None:
    """pyenv's shims have a name for every Python and most of them do not start."""
    put(tmp_path / "bin" / "python3.18", b"#!/bin/sh\n")
    assert (3, 18) not in Interpreters(variables(tmp_path, tmp_path / "bin")).list_versions()


def test_unreleased_pythons_do_not_count(tmp_path: Path) -> None:
    """pyenv keeps 3.18.0rc1 and 3.18-dev beside the others."""
    put(tmp_path / ".pyenv" / "versions" / "3.18.0rc1" / "bin" / "python3.18")
    assert (3, 18) not in Interpreters(variables(tmp_path, tmp_path / "bin")).list_versions()


def test_a_python_that_does_not_start_is_passed_over(tmp_path: Path) -> None:
    """The next of the same version is taken, smalt's own if need be."""
    put(tmp_path / "bin" / f"python3.{HERE[1]}")
    found = Interpreters(variables(tmp_path, tmp_path / "bin")).get_interpreter(HERE)
    assert found.version.startswith(f"3.{HERE[1]}.")
    assert os.path.dirname(found.executable) != str(tmp_path / "bin")


def test_where_none_of_a_version_starts_it_is_said(tmp_path: Path) -> None:
    """In a sentence, not a traceback."""
    put(tmp_path / "bin" / "python3.18")
    with pytest.raises(Unavailable, match=r"Python 3.18 is on this machine but does not start"):
        Interpreters(variables(tmp_path, tmp_path / "bin")).get_interpreter((3, 18))


def test_the_python_behind_a_virtual_environment_is_used(tmp_path: Path) -> None:
    """Never the virtual environment itself, smalt's own among them."""
    name = f"python3.{HERE[1]}"
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "pyvenv.cfg").write_text(f"home = {os.path.dirname(REAL)}\n")
    (tmp_path / "venv" / "bin" / name).symlink_to(REAL)
    found = Interpreters(variables(tmp_path, tmp_path / "venv" / "bin")).get_interpreter(HERE)
    assert found.prefix == found.base_prefix
    assert str(tmp_path) not in found.executable
