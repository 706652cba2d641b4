"""Random sequences of runs and edits on a real home, compared with an oracle: tests/model.

    python bench/model.py [SEQUENCES] [SEED] [--from N] [--without FEATURE,…] [--shrink SECONDS] [--stop N]

Sequence N of a seed is always the same. It prints each sequence that differs, made smaller, and how often each kind
of difference was found. Exit code 1 where there is a difference.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.model.driver import Rig
from tests.model.play import NOT_YET, examine

from smalt.machine.home import Home
from smalt.service.tracking.mlflow_environment import MlflowEnvironment

RENEWED = 100
"""Sequences on one home."""


def main() -> int:
    options = _options()
    print(f"{options.sequences} sequences, seed {options.seed}", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    found: Counter[str] = Counter()
    different, began, rig = 0, time.monotonic(), None
    tool = Path(tempfile.mkdtemp(prefix="smalt-model-mlflow-"))
    python = os.environ.get("SMALT_TEST_MLFLOW_PYTHON") or asyncio.run(MlflowEnvironment(Home(tool)).get_python(print))
    try:
        for number in range(options.first, options.first + options.sequences):
            if rig is None or number % RENEWED == 0:
                _close(rig)
                rig = Rig(Path(tempfile.mkdtemp(prefix="smalt-model-")), python)
            report = examine(rig, options.seed, number, options.without, options.always, options.shrink)
            if report is not None:
                different += 1
                found[report.kind] += 1
                print(f"--- {number}: {report.text}", flush=True)
            if number % 50 == 49:
                print(f"{number + 1} sequences, {different} differ, {time.monotonic() - began:.0f} s", flush=True)
            if options.stop and different == options.stop:
                break
    except KeyboardInterrupt:
        number -= 1  # which was not played to its end
    finally:
        _close(rig)
        shutil.rmtree(tool, ignore_errors=True)
    print(f"{number + 1 - options.first} sequences, {different} differ, {time.monotonic() - began:.0f} s")
    for kind, times in found.most_common():
        print(f"{times:5} {kind}")
    return 1 if different else 0


def _close(rig: Rig | None) -> None:
    if rig is not None:
        rig.close()
        shutil.rmtree(rig.folder, ignore_errors=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("sequences", nargs="?", type=int, default=2000)
    parser.add_argument("seed", nargs="?", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--without", type=lambda text: set(filter(None, text.split(","))), default=NOT_YET)
    parser.add_argument("--always", type=lambda text: set(filter(None, text.split(","))), default=set())
    parser.add_argument("--shrink", type=float, default=30)
    parser.add_argument("--stop", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
