from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from smalt.exceptions import ValidationException
from smalt.service.data.uploads.blocks import open_blocks


def _pieces(text: bytes) -> Iterator[bytes]:
    yield text[:2]
    yield text[2:]


def put(folder: Path, id: str, text: bytes) -> None:
    open_blocks(folder).put_block(id, len(text), _pieces(text), None)


def test_blocks_in_order_are_not_written_again(tmp_path: Path) -> None:
    """The file that they came into becomes the blob."""
    for number in range(5):
        put(tmp_path / "b", str(number), b"part %d," % number)
    before = (tmp_path / "b" / "data").stat().st_ino
    open_blocks(tmp_path / "b").join_blocks([str(number) for number in range(5)], tmp_path / "blob")
    assert (tmp_path / "blob").read_bytes() == b"part 0,part 1,part 2,part 3,part 4,"
    assert (tmp_path / "blob").stat().st_ino == before
    assert [path.name for path in tmp_path.iterdir()] == ["blob"]


@pytest.mark.parametrize("seed", range(12))
def test_any_order_makes_the_blob_of_the_list(tmp_path: Path, seed: int) -> None:
    """Blocks of any lengths, sent in any order, again, too, or broken off, and some that are not listed or twice."""
    chance = random.Random(seed)
    texts = {str(id): bytes(chance.choices(b"abcdefgh", k=chance.choice((1, 7, 7, 7, 30)))) for id in range(20)}
    order = sorted(texts, key=lambda id: int(id) + chance.choice((0, 0, 0, 2, 40) if seed % 2 else (0, 9, 19)))
    folder = tmp_path / "b"
    for id in order:
        if chance.random() < 0.2:
            with pytest.raises(ValidationException, match="bytes, not"):
                open_blocks(folder).put_block(id, len(texts[id]) + 1, _pieces(texts[id]), None)
        if chance.random() < 0.2:
            put(folder, id, b"an earlier one")
        put(folder, id, texts[id])
    listed = [id for id in texts if chance.random() < 0.9] + chance.sample(list(texts), 2 * (seed % 3))
    open_blocks(folder).join_blocks(listed, tmp_path / "blob")
    assert (tmp_path / "blob").read_bytes() == b"".join(texts[id] for id in listed)
    assert open_blocks(folder).list_sizes() == {}


def test_a_blob_that_is_made_while_a_block_arrives_is_its_own(tmp_path: Path) -> None:
    """What that block still writes is not in it."""
    folder = tmp_path / "b"
    put(folder, "1", b"first")

    def late() -> Iterator[bytes]:
        yield b"la"
        open_blocks(folder).join_blocks(["1"], tmp_path / "blob")
        yield b"te"

    with pytest.raises(Exception, match="send it again"):
        open_blocks(folder).put_block("2", 4, late(), None)
    assert (tmp_path / "blob").read_bytes() == b"first"


def test_blocks_that_were_pruned_were_never_sent(tmp_path: Path) -> None:
    """Their ids name nothing in the folder that is made anew."""
    put(tmp_path / "b", "1", b"first")
    shutil.rmtree(tmp_path / "b")
    put(tmp_path / "b", "2", b"second")
    assert open_blocks(tmp_path / "b").list_sizes() == {"2": 6}
    open_blocks(tmp_path / "b").join_blocks(["2"], tmp_path / "blob")
    assert (tmp_path / "blob").read_bytes() == b"second"


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="no second file system")
def test_a_container_on_another_disk_gets_a_copy(tmp_path: Path) -> None:
    """There the file cannot be renamed."""
    put(tmp_path / "b", "1", b"first")
    put(tmp_path / "b", "2", b"second")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        assert os.stat(elsewhere).st_dev != tmp_path.stat().st_dev
        open_blocks(tmp_path / "b").join_blocks(["1", "2"], Path(elsewhere, "blob"))
        assert Path(elsewhere, "blob").read_bytes() == b"firstsecond"
    assert not (tmp_path / "b").exists()
