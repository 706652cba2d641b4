"""The inputs of a pipeline elsewhere on the network, which are looked for before its first step."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from smalt.machine.home import Home
from smalt.service.data import DataAccess
from tests.engine.bench import Workbench, workbench
from tests.helpers import LONGEST


async def test_they_are_looked_for_again_after_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is killed while it looks leaves a job that still fails, saying what is missing."""
    home, asked, answer = Home(tmp_path / "home"), threading.Event(), threading.Event()

    def look(data: DataAccess, uri: str, *rest: Any) -> str | None:
        asked.set()
        answer.wait(LONGEST)
        return f"{uri} is not there"

    monkeypatch.setattr(DataAccess, "check_exists", look)
    uri = "https://nowhere.invalid/x.txt"
    document = {
        "inputs": {"x": {"type": "uri_file", "path": uri}},
        "jobs": {
            "a": {
                "command": f"touch {tmp_path}/ran ${{{{inputs.x}}}}", "environment": "azureml:host",
                "inputs": {"x": "${{parent.inputs.x}}"},
            }
        },
    }  # fmt: skip

    bench = Workbench(home)
    await bench.engine.open()
    job = bench.submit("far", document)
    await asyncio.to_thread(asked.wait, LONGEST)
    await bench.kill()
    asked.clear()
    async with workbench(home) as again:
        await asyncio.to_thread(asked.wait, LONGEST)
        answer.set()
        over = await again.over(job)
        assert over.status == "Failed"
        assert f"{uri} is not there" in str(over.error)
        assert not (tmp_path / "ran").exists()
