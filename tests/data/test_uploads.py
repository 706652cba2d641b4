"""Many files of one upload in few requests: there at once and whole, and gone on with when it broke."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from smalt.exceptions import Conflict, RefusedError, ValidationException
from smalt.service.data.uploads.batch_uploads import BatchUpload, UploadRequest, is_left_over

FILES = [UploadRequest("a", 3), UploadRequest("sub/b", 2), UploadRequest("empty", 0)]


def piece(path: str, data: bytes, start: int = 0) -> bytes:
    return struct.pack(">IQQ", len(path), len(data), start) + path.encode() + data


def cut(body: bytes, size: int) -> list[bytes]:
    """As it may come from the network."""
    return [body[at : at + size] for at in range(0, len(body), size)]


@pytest.fixture
def upload(tmp_path: Path) -> BatchUpload:
    return BatchUpload(tmp_path / "store" / "data")


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_it_is_there_at_once(upload: BatchUpload, size: int) -> None:
    """Nothing under its name before the end, however the bytes come; then all, and nothing else beside it."""
    body = piece("a", b"abc") + piece("sub/b", b"de") + piece("empty", b"")
    assert upload.receive_pieces(cut(body, size)) == 3
    assert not upload.is_done
    upload.finish(FILES, ["none"])
    found = {str(p.relative_to(upload.target)): p.is_file() and p.read_bytes() for p in upload.target.rglob("*")}
    assert found == {"a": b"abc", "sub": False, "sub/b": b"de", "empty": b"", "none": False}
    assert [p.name for p in upload.target.parent.iterdir()] == ["data"]
    upload.finish(FILES)


def test_what_arrived_is_not_sent_again(upload: BatchUpload) -> None:
    """Of a large file the rest is asked for; what is longer than it should be begins anew."""
    assert upload.list_missing(FILES) == [(0, 0), (1, 0), (2, 0)]
    upload.receive_pieces([piece("a", b"ab"), piece("sub/b", b"long")])
    assert upload.list_missing(FILES) == [(0, 2), (1, 0), (2, 0)]
    with pytest.raises(Conflict, match="3 files of the upload have not arrived"):
        upload.finish(FILES)
    upload.receive_pieces([piece("a", b"c", 2) + piece("sub/b", b"de") + piece("empty", b"")])
    upload.finish(FILES)
    assert (upload.target / "a").read_bytes() == b"abc"


def test_a_restart_of_the_machine_is_not_survived(upload: BatchUpload, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file may have its size then, and not its bytes."""
    upload.receive_pieces([piece("a", b"abc")])
    monkeypatch.setenv("SMALT_BOOT_ID", "another-boot")
    later = BatchUpload(upload.target)
    assert later.list_missing(FILES) == [(0, 0), (1, 0), (2, 0)]
    assert not any(is_left_over(path.name) for path in upload.target.parent.iterdir())


def test_one_file(upload: BatchUpload) -> None:
    """It has no path of its own."""
    upload.receive_pieces([piece("", b"abc")])
    upload.finish([UploadRequest("", 3)])
    assert upload.target.read_bytes() == b"abc"


@pytest.mark.parametrize("path", ["../a", "/a", "a/../../b", "a//b", "."])
def test_nothing_leads_out(upload: BatchUpload, path: str) -> None:
    """A path that is not a plain one is refused, and nothing is written."""
    with pytest.raises(RefusedError):
        upload.receive_pieces([piece(path, b"x")])
    assert not list(upload.target.parent.parent.rglob("*"))


@pytest.mark.parametrize("length", [5, 22, 24])
def test_a_body_that_ends_early(upload: BatchUpload, length: int) -> None:
    """Within a head, a path or the bytes."""
    with pytest.raises(ValidationException, match="the body ends within"):
        upload.receive_pieces([piece("abc", b"abc")[:length]])
