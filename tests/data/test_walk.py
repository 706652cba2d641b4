from __future__ import annotations

import os
from pathlib import Path

import pytest

from smalt.exceptions import NotFound, RefusedError
from smalt.machine.ignore_rules import IgnoreRules, WalkedFolder, is_link_inside, walk_folders


def folders(root: Path) -> dict[str, WalkedFolder]:
    return {folder.prefix: folder for folder in walk_folders(os.fspath(root), IgnoreRules.read(root))}


def files(root: Path) -> set[str]:
    return {folder.prefix + name for folder in folders(root).values() for name, _ in folder.files}


def test_an_ignored_folder_is_not_entered(code: Path) -> None:
    """A folder that is ignored is never opened, so one that cannot be read does no harm."""
    (code / ".gitignore").write_text("heavy/\n")
    (code / "heavy").mkdir()
    (code / "heavy" / "x").write_text("x")
    assert set(folders(code)) == {""}
    assert files(code) == {".gitignore"}


def test_a_link_to_a_file_or_folder_is_followed(code: Path, tmp_path: Path) -> None:
    """What a link leads to belongs to the snapshot under the link's name, inside or outside of the folder."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "data.csv").write_text("1")
    (code / "folder").symlink_to(outside)
    (code / "file").symlink_to(outside / "data.csv")
    assert files(code) == {"folder/data.csv", "file"}


def test_a_link_to_a_folder_is_ignored_as_a_folder(code: Path, tmp_path: Path) -> None:
    """`data/` also names a link that leads to a folder, because the link is followed."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x").write_text("x")
    (code / "data").symlink_to(tmp_path / "outside")
    (code / ".amlignore").write_text("data/\n")
    assert files(code) == {".amlignore"}


@pytest.mark.parametrize("target", ["gone", ".", "../b", "b/../../gone"])
def test_a_link_that_cannot_be_followed(code: Path, target: str) -> None:
    """Dangling or leading back up, it stays a link if its text stays inside; else it is refused in one sentence."""
    (code / "a").mkdir()
    (code / "a" / "link").symlink_to(target)
    if target == "b/../../gone":
        with pytest.raises(RefusedError, match=r"leads to something that cannot be read .* name it in \.amlignore"):
            folders(code)
    else:
        assert folders(code)["a/"].links == [("link", target)]


def test_links_that_lead_in_a_circle_end(code: Path) -> None:
    """Two folders that link to each other are walked once each way and no further."""
    for one, other in (("a", "b"), ("b", "a")):
        (code / one).mkdir(exist_ok=True)
        (code / one / "to").symlink_to(f"../{other}")
        (code / one / "file").write_text(one)
    assert files(code) == {"a/file", "b/file", "a/to/file", "b/to/file"}


def test_a_link_to_the_top_of_the_disk_is_refused(code: Path) -> None:
    """A link to a folder that holds the whole snapshot is not walked."""
    (code / "root").symlink_to("/")
    with pytest.raises(RefusedError, match="leads to a folder that holds it"):
        folders(code)


def test_pipes_and_sockets_are_left_out(code: Path) -> None:
    """What has no content of its own is not part of a snapshot."""
    os.mkfifo(code / "pipe")
    (code / "link").symlink_to("pipe")
    assert folders(code)[""].empty


def test_an_empty_folder_is_seen(code: Path) -> None:
    """A folder of which nothing is kept is kept itself."""
    (code / "logs").mkdir()
    (code / "logs" / "x.log").write_text("x")
    (code / ".gitignore").write_text("*.log\n")
    assert folders(code)["logs/"].empty


def test_a_deleted_folder_is_one_sentence(tmp_path: Path) -> None:
    """A folder that is not there says so."""
    with pytest.raises(NotFound, match=r"folder .*gone does not exist"):
        folders(tmp_path / "gone")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_folder_is_one_sentence(code: Path) -> None:
    """A folder that may not be read is named, with what to do."""
    (code / "secret").mkdir(mode=0)
    with pytest.raises(RefusedError, match=r"no permission to read folder .*secret"):
        folders(code)


@pytest.mark.parametrize(
    ("path", "target", "inside"),
    [
        ("a", "b", True),
        ("a", "./b/c", True),
        ("a/b", "../c", True),
        ("a/b", "../../c", False),
        ("a", "/etc", False),
        ("a/b", "c/../../d", False),
        ("a", "..", False),
        ("a", "", False),
        ("a", "b\0", False),
    ],
)
def test_where_a_link_may_lead(path: str, target: str, inside: bool) -> None:
    """`..` counts only at the start and only up to the root."""
    assert is_link_inside(path, target) is inside
