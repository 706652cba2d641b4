"""The CPUs and GPUs of steps that run, after the queues were made again from the records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smalt.machine.home import Home
from tests.engine.bench import Workbench, workbench
from tests.engine.test_hand_over import HOST, Gates

GPU = {"resources": {"instance_type": "Standard_NC6"}}


@pytest.fixture
def gates(tmp_path: Path) -> Gates:
    return Gates(tmp_path)


def say_gpu(gates: Gates, name: str) -> dict[str, Any]:
    """A gated command that first writes the GPUs that it may see."""
    document = gates.command(name)
    return {
        **document,
        **GPU,
        "command": f"echo $CUDA_VISIBLE_DEVICES >{gates._folder}/{name}.gpu; {document['command']}",
    }


async def test_a_gpu_in_use_is_given_to_nobody_after_a_restart(
    gates: Gates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job that runs on keeps its GPU; the next gets the other, and the one after has to wait for either."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    home = Home(tmp_path / "home")

    bench = Workbench(home, cpus=3)
    await bench.engine.open()
    first = bench.submit("first", say_gpu(gates, "first"))
    await gates.begun("first")
    await bench.until(first, lambda now: now.status == "Running")
    await bench.kill()
    async with workbench(home, cpus=3) as again:
        second, third = (again.submit(name, say_gpu(gates, name)) for name in ("second", "third"))
        await gates.begun("second")
        assert again.engine.get_wait_reason(third) == "a free GPU; all 2 are taken"
        for name in ("first", "second"):
            await gates.open(name)
        await gates.begun("third")
        await gates.open("third")
        assert [(await again.over(job)).status for job in (first, second, third)] == ["Completed"] * 3
        seen = [(tmp_path / f"{name}.gpu").read_text().strip() for name in ("first", "second")]
        assert seen == ["0", "1"]
        assert sorted(again.engine.queues.slots._free_gpus) == ["0", "1"]


async def test_a_distributed_step_keeps_its_cpus_after_a_restart(gates: Gates, tmp_path: Path) -> None:
    """Two processes take two slots of two: nothing else starts beside them."""
    home = Home(tmp_path / "home")
    text = f"touch {tmp_path}/begun-$RANK; until [ -e {tmp_path}/go ]; do sleep 0.05; done"
    pair = {
        "command": text,
        "environment": HOST,
        "distribution": {"type": "pytorch", "process_count_per_instance": 2},
    }

    bench = Workbench(home, cpus=2)
    await bench.engine.open()
    job = bench.submit("pair", pair)
    await gates.begun("begun-0", "begun-1")
    await bench.until(job, lambda now: now.status == "Running")
    await bench.kill()
    async with workbench(home, cpus=2) as again:
        assert again.engine.queues.slots.all_taken
        (tmp_path / "go").touch()
        assert (await again.over(job)).status == "Completed"
        assert not again.engine.queues.is_busy
        assert again.engine.queues.slots._free_cpus == 2
