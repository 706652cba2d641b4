"""Data of 1 GB in 10,000 files by our client to a server with SMALT_URL, against `cp -r` and `sync`, in one run.

python bench/upload.py [--files 10000] [--megabytes 1000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import common
import snapshot

_PROGRAM = """
import sys, time
from smalt import MLClient
from smalt.entities import Data
client = MLClient()
client.data.list()
began = time.perf_counter()
made = client.data.create_or_update(Data(name="big", path=sys.argv[1]))
print(time.perf_counter() - began, made.path)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    try:
        for row in rows(asked.files, asked.megabytes, asked.rounds):
            print("| " + " | ".join(row) + " |")
    finally:
        common.clean()


def rows(files: int = 10_000, megabytes: int = 1000, rounds: int = 3) -> list[tuple[str, ...]]:
    """The rows of the speed table; each round has other bytes, and is copied and uploaded in turn."""
    copied, sent, again, walked = [], [], [], []
    with common.home() as environment:
        remote = {**environment, **_address(environment), "XDG_CACHE_HOME": common.folder()}
        for number in range(rounds):
            root = Path(common.folder(), f"round{number}")
            make(root, files, megabytes * 1_000_000 // files, number)
            os.sync()
            copied.append(snapshot.timed(lambda root=root: _copy(root)))
            sent.append(_upload(remote, root))
            _check(environment, root, files)
            time.sleep(2.2)  # files younger than the clock's tick are read again, as git does
            _upload(remote, root)
            walked.append(snapshot.timed(lambda root=root: snapshot.walk_and_stat(root)))
            again.append(_upload(remote, root))
    what = f"upload of {files:,} files / {megabytes} MB to a server"
    pair = min(zip(sent, copied, strict=True), key=lambda pair: pair[0] / pair[1])
    unchanged = min(zip(again, walked, strict=True), key=lambda pair: pair[0] / pair[1])
    return [
        (what, f"{pair[0]:.2f} s", f"{pair[1]:.2f} s, cp -r + sync", f"{pair[1] / pair[0]:.2f}× its rate", "≥ 0.35×"),
        (
            f"{what}, unchanged",
            f"{unchanged[0] * 1e3:.1f} ms",
            f"{unchanged[1] * 1e3:.1f} ms, os.walk + stat",
            f"{unchanged[0] / unchanged[1]:.2f}×",
            "≤ 4× (2×)",
        ),
    ]


def make(root: Path, files: int, size: int, seed: int) -> None:
    for number in range(files):
        folder = root / f"d{number // 100:03}"
        folder.mkdir(parents=True, exist_ok=True)
        block = (seed * files + number).to_bytes(8, "big")
        (folder / f"f{number:05}.bin").write_bytes((block * (size // 8 + 1))[:size])


def _copy(root: Path) -> None:
    target = tempfile.mkdtemp(dir=common.folder())
    subprocess.run(["cp", "-r", str(root), target], check=True)
    subprocess.run(["sync"], check=True)


def _address(environment: dict[str, str]) -> dict[str, str]:
    common.smalt(environment, "data", "list")
    facts = json.loads(Path(environment["SMALT_HOME"], "server.json").read_text())
    token = Path(environment["SMALT_HOME"], "token").read_text().strip()
    return {"SMALT_URL": f"http://127.0.0.1:{facts['port']}", "SMALT_TOKEN": token}


def _upload(environment: dict[str, str], root: Path) -> float:
    """Seconds by the client's clock, without its start."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(root)], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return float(done.stdout.split()[0])


def _check(environment: dict[str, str], root: Path, files: int) -> None:
    """It all arrived."""
    store = Path(environment["SMALT_HOME"], "workspaces/default/datastores/workspaceblobstore/LocalUpload")
    [found] = store.glob(f"*/{root.name}")
    count = sum(len(names) for _, _, names in os.walk(found))
    if count != files:
        raise SystemExit(f"{count} of {files} files arrived")


if __name__ == "__main__":
    main()
