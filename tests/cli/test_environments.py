"""`smalt environment build`, `list --built` and `prune`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.environments.wheels import make_wheel

from .conftest import smalt


def test_an_environment_is_built_listed_and_pruned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any job needs it; what is listed is on the disk, and the next build is none."""
    make_wheel(tmp_path, "shade", "1.0")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    file = tmp_path / "env.yml"
    file.write_text("name: painted\nconda_file:\n  dependencies:\n  - pip:\n    - shade\n")
    try:
        built = smalt("environment", "build", "-f", str(file))
        assert built.code == 0, built.err
        assert "building environment 'painted'" in built.err
        (row,) = json.loads(smalt("environment", "list", "--built").out)
        assert (row["name"], row["packages"] >= 2, row["size"] > 1000) == ("painted", True, True)
        jobs = json.loads(smalt("job", "list").out)
        assert row["first_job"] == jobs[0]["name"]
        assert jobs[0]["experiment_name"] == "prepare_image"
        again = smalt("environment", "build", "painted")
        assert (again.code, "building" in again.err) == (0, False)
        told = smalt("environment", "prune", "--older-than", "0s", "--dry-run")
        assert [item["name"] for item in json.loads(told.out)["items"]] == ["painted"]
        assert smalt("environment", "prune", "--older-than", "0s").code == 2  # it asks
        assert smalt("environment", "prune", "--older-than", "0s", "--yes").code == 0
        assert json.loads(smalt("environment", "list", "--built").out) == []
        file.write_text("name: painted\nconda_file:\n  dependencies:\n  - pip:\n    - nothing-such\n")
        wrong = smalt("environment", "build", "-f", str(file))
        assert (wrong.code, "nothing-such was not found" in wrong.err) == (1, True)
    finally:
        assert smalt("server", "stop", "--force").code == 0
