"""A snapshot of an unchanged folder against os.walk + os.stat of the same files, in one run.

python bench/snapshot.py [--files 10000] [--megabytes 200] [--rounds 7]
"""

from __future__ import annotations

import argparse
import gc
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import common

from smalt.service.data import Snapshots

_GITIGNORE = Path(__file__).with_name("python.gitignore")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="smalt-bench-") as scratch:
        root, snapshots = Path(scratch, "code"), Snapshots(Path(scratch, "store"))
        make(root, asked.files, asked.megabytes * 1_000_000 // asked.files)
        first = timed(lambda: snapshots.add(root))
        changed = root / "d00" / "f00000.py"
        changed.write_bytes(changed.read_bytes()[::-1])
        edited = timed(lambda: snapshots.add(root))
        base, again = [], []
        for _ in range(asked.rounds):  # in turn, so that both see the same machine
            base.append(timed(lambda: walk_and_stat(root)))
            again.append(timed(lambda: snapshots.add(root)))
        rules = len(_GITIGNORE.read_text().split())
        print(f"{asked.files} files, {asked.megabytes} MB, with a .gitignore of {rules} rules")
        print(f"the first snapshot       {first * 1e3:8.1f} ms")
        print(f"after an edit of one     {edited * 1e3:8.1f} ms")
        print(f"unchanged                {min(again) * 1e3:8.1f} ms")
        print(f"os.walk + os.stat        {min(base) * 1e3:8.1f} ms")
        small = materialise(snapshots, Path(scratch))
        print(f"a job's copy of 6 files  {small * 1e3:8.2f} ms")
        print(f"ratio                    {min(again) / min(base):8.2f} x   (reach 4, aim 2)")


def rows(files: int = 10_000, megabytes: int = 200, rounds: int = 7) -> list[tuple[str, ...]]:
    """The row of the speed table."""
    scratch = common.folder()
    root, snapshots = Path(scratch, "code"), Snapshots(Path(scratch, "store"))
    make(root, files, megabytes * 1_000_000 // files)
    snapshots.add(root)
    pairs = [(timed(lambda: snapshots.add(root)), timed(lambda: walk_and_stat(root))) for _ in range(rounds)]
    again, base = min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)
    what = f"a snapshot of {files:,} files / {megabytes} MB, unchanged"
    return [
        (what, f"{again * 1e3:.1f} ms", f"{base * 1e3:.1f} ms, os.walk + stat", f"{again / base:.2f}×", "≤ 4× (2×)")
    ]


def make(root: Path, files: int, size: int) -> None:
    """`files` files of different content, a hundred to a folder."""
    root.mkdir()
    (root / ".gitignore").write_text(_GITIGNORE.read_text())
    for number in range(files):
        folder = root / f"d{number // 100:02}"
        folder.mkdir(exist_ok=True)
        seed = number.to_bytes(8, "big")
        (folder / f"f{number:05}.py").write_bytes((seed * (size // 8 + 1))[:size])


def materialise(snapshots: Snapshots, scratch: Path) -> float:
    """The best of many copies of a small code folder."""
    small = scratch / "small"
    small.mkdir()
    for number in range(6):
        (small / f"{number}.py").write_text("x" * 2000)
    hash = snapshots.add(small).hash
    return min(timed(lambda turn=turn: snapshots.write_to(hash, scratch / f"copy{turn}")) for turn in range(200))


def walk_and_stat(root: Path) -> int:
    total = 0
    for folder, _folders, files in os.walk(root):
        for file in files:
            total += os.stat(os.path.join(folder, file)).st_size
    return total


def timed(work: Callable[[], object]) -> float:
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
