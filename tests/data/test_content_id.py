"""The content id as docs/internals/content-ids.md specifies it: these numbers never change for version 1."""

from __future__ import annotations

import hashlib
from pathlib import Path

from smalt.service.data import Snapshots


def test_the_example_of_the_specification(snapshots: Snapshots, code: Path) -> None:
    """The page's example folder has the page's manifest and id."""
    (code / "src").mkdir()
    (code / "src" / "train.py").write_bytes(b"print('hi')\n")
    (code / "run.sh").write_bytes(b"#!/bin/sh\n")
    (code / "run.sh").chmod(0o755)
    (code / "data").mkdir()
    (code / "latest").symlink_to("runs/7")
    snapshot = snapshots.add(code)
    text = (snapshots.folder / "trees" / snapshot.hash).read_bytes()
    assert text == (
        b"smalt-snapshot 1\0"
        b"d 0 \0data\0"
        b"l 0 runs/7\0latest\0"
        b"x 10 a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf\0run.sh\0"
        b"f 12 caf026f25d7140209f98072605307a438914b9ce6f3c14b23d15d9667241de52\0src/train.py\0"
    )
    assert snapshot.hash == hashlib.sha256(text).hexdigest()


def test_the_empty_folder(snapshots: Snapshots, code: Path) -> None:
    """An empty folder has an id as well, that of the manifest's first line."""
    assert snapshots.add(code).hash == hashlib.sha256(b"smalt-snapshot 1\0").hexdigest()
