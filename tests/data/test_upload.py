"""Snapshots that a remote client sends: a manifest, the blobs that are missing, the manifest again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smalt.exceptions import RefusedError, SmaltError, Unavailable, ValidationException
from smalt.service.data import Snapshots
from smalt.service.data.snapshots import manifest
from smalt.service.data.snapshots.snapshots import SnapshotLimits

from . import trees

SHA = hashlib.sha256(b"x").hexdigest()


def file(path: str, content: bytes = b"x", **more: Any) -> dict[str, Any]:
    return {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content), **more}


def test_an_upload_gives_the_id_of_the_same_folder(snapshots: Snapshots, code: Path, tmp_path: Path) -> None:
    """Client and server name the same content alike, and only what is missing is sent."""
    (code / "sub").mkdir()
    (code / "sub" / "run.sh").write_bytes(b"x")
    (code / "sub" / "run.sh").chmod(0o755)
    (code / "a").write_bytes(b"x")
    (code / "b").write_bytes(b"y")
    (code / "none").mkdir()
    (code / "link").symlink_to("nowhere")
    items = [
        file("sub/run.sh", executable=True),
        file("a"),
        file("b", b"y"),
        {"path": "none", "folder": True},
        {"path": "link", "link": "nowhere"},
    ]
    assert sorted(snapshots.find_missing(items)) == sorted({item["sha256"] for item in items if "sha256" in item})
    assert snapshots.put_blob(SHA, [b"", b"x"]) == 1
    with pytest.raises(Unavailable, match="1 files of the manifest were not uploaded"):
        snapshots.add_manifest(items)
    (left,) = snapshots.find_missing(items)
    snapshots.put_blob(left, [b"y"])
    snapshot = snapshots.add_manifest(items)
    assert snapshot == Snapshots(tmp_path / "other").add(code)
    snapshots.write_to(snapshot.hash, tmp_path / "copy")
    assert trees.read(tmp_path / "copy") == trees.read(code)


def test_bytes_that_are_not_those_of_the_name_are_refused(snapshots: Snapshots) -> None:
    """A damaged upload is not kept, nor is one that breaks off."""

    def broken() -> Iterator[bytes]:
        yield b"x"
        raise ConnectionError("gone")

    with pytest.raises(ValidationException, match="have another sha256; send them again"):
        snapshots.put_blob(SHA, [b"z"])
    with pytest.raises(ConnectionError):
        snapshots.put_blob(SHA, broken())
    with pytest.raises(ValidationException, match="is not a sha256"):
        snapshots.put_blob("../../etc", [b"z"])
    assert snapshots.find_missing([file("a")]) == [SHA]
    assert not [left for left in snapshots.folder.rglob("*") if left.is_file()]


@pytest.mark.parametrize(
    "items",
    [
        [file("../a")],
        [file("/a")],
        [file("a/../b")],
        [file("a//b")],
        [file("./a")],
        [file("a/")],
        [file("")],
        [file("a\0")],
        [file("\ud800")],
        [{"path": "l", "link": "\ud800"}],
        [{"path": None}],
        [{"path": 1, "sha256": SHA, "size": 1}],
        ["a"],
        [file("a"), file("a")],
        [file("a"), file("a/b")],
        [{"path": "l", "link": "d"}, file("l/b")],
        [{"path": "e", "folder": True}, file("e/b")],
        [{"path": "l", "link": "/etc/passwd"}],
        [{"path": "l", "link": ".."}],
        [{"path": "d/l", "link": "../../x"}],
        [{"path": "l", "link": "a/../../x"}],
        [{"path": "l", "link": 3}],
        [file("a", sha256="../x")],
        [file("a", size=-1)],
        [file("a", size=True)],
        [{"path": "a"}],
    ],
)
def test_a_manifest_that_leads_out_is_refused(snapshots: Snapshots, items: list[Any]) -> None:
    """No path, link or blob name of a manifest can reach beyond the folder that it describes."""
    snapshots.put_blob(SHA, [b"x"])
    with pytest.raises(ValidationException, match=r"manifest|sha256"):
        snapshots.add_manifest(items)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(SHA),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["path", "link", "size"]), inner),
    max_leaves=6,
)
item = st.dictionaries(st.sampled_from(["path", "sha256", "size", "link", "folder", "executable"]), json)


@given(st.lists(item | json, max_size=4))
def test_any_json_is_read_or_refused(items: list[Any]) -> None:
    """No JSON makes the reader fail otherwise, and what it accepts can be written and read back."""
    try:
        entries = manifest.parse_entries(items)
    except SmaltError:
        return
    again = manifest.decode_manifest(manifest.encode_manifest(entries))
    assert sorted(again) == sorted(entries)


def test_an_upload_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """The limits of a folder are those of an upload."""
    with pytest.raises(RefusedError, match="the upload holds more than 1 files"):
        Snapshots(tmp_path / "store", lambda: SnapshotLimits(files=1)).find_missing([file("a"), file("b")])
