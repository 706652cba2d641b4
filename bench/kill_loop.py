"""Kill server, launcher or both with SIGKILL at random moments while a client submits: `python bench/kill_loop.py [200]`."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.durability.killing import kill_loop


def main() -> int:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="smalt-kill-", ignore_cleanup_errors=True) as folder:
        verdict = kill_loop(Path(folder), kills, seed=int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    print(f"{verdict.kills.total()} kills ({dict(verdict.kills)}) in {time.monotonic() - began:.0f} s")
    print(f"{verdict.acknowledged} pipelines of 3 steps acknowledged")
    for what in ("missing", "unfinished", "wrong", "twice", "left"):
        found = getattr(verdict, what)
        print(f"{what}: {len(found)} {found[:5] if found else ''}")
    return 0 if verdict.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
