"""Records, beside the engine's turns, the CPU, memory and GPUs that running jobs use."""

from __future__ import annotations

import asyncio
import logging
import time

from smalt.exceptions import Unavailable
from smalt.service.compute.local.usage import UsageSampler
from smalt.service.compute.registry import Computes
from smalt.service.records import usage
from smalt.service.records.database import Database

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
"""Seconds between looks at whether a sample is due."""


async def record_usage(computes: Computes, db: Database) -> None:
    """Sample until cancelled. Steps that end within two seconds cost nothing."""
    sampler = UsageSampler(gpus=bool(computes.machine.gpus))
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        due = sampler.list_due(computes.running)
        if not due:
            continue
        try:
            found = await asyncio.to_thread(sampler.read_usage, due)
            now = time.time()
            usage.add_samples(db, [(int(step_id.partition(".")[0]), now, *sample) for step_id, sample in found.items()])
        except (Unavailable, OSError) as error:  # a curve has a hole; nothing else depends on it
            log.warning("what the jobs use could not be recorded: %s", error)
