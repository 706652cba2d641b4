from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smalt.exceptions import NotFound, RefusedError, SmaltError
from smalt.service.data import DEFAULTS, DataAccess, resolve_inside

WS, BLOB = "default", "workspaceblobstore"


def paths(data: DataAccess, path: str = "", *, recursive: bool = False) -> list[str]:
    return [item.path + "/" * item.is_dir for item in data.datastores.list(WS, BLOB, path, recursive=recursive)]


@pytest.fixture
def store(data: DataAccess) -> DataAccess:
    data.datastores.create_defaults(WS)
    for name in ("b/2", "b/10", "a/x/y", "a-b", "z", "a.c"):
        data.datastores.write(WS, BLOB, name, [name.encode()])
    return data


def test_a_workspace_starts_with_four(store: DataAccess) -> None:
    """The default datastores are folders of the workspace, in whatever case they are written."""
    for name in DEFAULTS:
        assert store.datastores.get_folder(WS, name).is_dir()
    assert store.datastores.get_folder(WS, "workspaceBlobStore") == store.datastores.get_folder(WS, BLOB)


def test_listings_are_in_lexicographic_order(store: DataAccess) -> None:
    """Names come in the order in which a blob store gives whole paths, folders among them."""
    assert paths(store) == ["a-b", "a.c", "a/", "b/", "z"]
    assert paths(store, recursive=True) == ["a-b", "a.c", "a/x/y", "b/10", "b/2", "z"]
    assert paths(store, recursive=True) == sorted(paths(store, recursive=True))
    assert paths(store, "b/") == ["b/10", "b/2"]
    assert paths(store, "a", recursive=True) == ["a/x/y"]
    assert [item[:3] for item in store.datastores.list(WS, BLOB, "b/10")] == [("b/10", 4, False)]
    with pytest.raises(NotFound, match="path 'none' is not in datastore"):
        paths(store, "none")


def test_an_empty_datastore_lists_nothing(data: DataAccess) -> None:
    """One that nobody has written to yet is empty, not missing."""
    assert paths(data) == []


def test_a_file_is_read_and_written_whole(store: DataAccess) -> None:
    """A write replaces a file at once; one that breaks off leaves the old file and nothing else."""
    assert store.datastores.open(WS, BLOB, "b/2").read_text() == "b/2"
    assert store.datastores.write(WS, BLOB, "b/2", [b"ne", b"w"]) == 3

    def broken() -> object:
        yield b"half"
        raise ConnectionError("the client went away")

    with pytest.raises(ConnectionError):
        store.datastores.write(WS, BLOB, "b/2", broken())  # type: ignore[arg-type]
    assert store.datastores.open(WS, BLOB, "b/2").read_text() == "new"
    assert paths(store, "b") == ["b/10", "b/2"]


def test_a_folder_is_not_a_file(store: DataAccess) -> None:
    """Reading or writing at a folder is one sentence."""
    with pytest.raises(RefusedError, match="is a folder; name a file of it"):
        store.datastores.open(WS, BLOB, "b")
    for path in ("b", "b/", "new/", "", "/"):
        with pytest.raises(RefusedError):
            store.datastores.write(WS, BLOB, path, [b""])
    with pytest.raises(NotFound):
        store.datastores.open(WS, BLOB, "none")
    with pytest.raises(RefusedError, match="cannot be a folder, as it is a file"):
        store.datastores.write(WS, BLOB, "z/below-a-file", [b""])


def test_a_link_does_not_lead_out(store: DataAccess, tmp_path: Path) -> None:
    """A link that a job made is neither listed, read nor written through when it leaves the datastore."""
    (tmp_path / "secret").write_text("s")
    root = store.datastores.get_folder(WS, BLOB)
    (root / "out").symlink_to(tmp_path)
    (root / "in").symlink_to("a.c")
    assert "out/" not in paths(store)
    assert "in" in paths(store)
    assert store.datastores.open(WS, BLOB, "in").read_text() == "a.c"
    with pytest.raises(RefusedError, match="leads through a link out"):
        store.datastores.open(WS, BLOB, "out/secret")
    with pytest.raises(RefusedError, match="leads through a link out"):
        store.datastores.write(WS, BLOB, "out/secret", [b"x"])


part = st.sampled_from(["..", ".", "", "a", "b", "...", "..a", "\0", "a\\..", "%2e%2e", "~", "-"]) | st.text(max_size=3)


@given(st.lists(part, max_size=6).map("/".join))
def test_no_path_leads_out(path: str) -> None:
    """Whatever is asked for is refused or lies below the root."""
    root = Path("/no/such/root")
    try:
        found = resolve_inside(root, path)
    except RefusedError:
        return
    assert found == root or root in found.parents
    assert ".." not in found.parts


odd = st.lists(part | st.sampled_from(["\ud800", "x" * 300, "y" * 5000, "b", "2"]), max_size=4).map("/".join)


@settings(max_examples=60)
@given(odd)
def test_any_path_is_answered(store: DataAccess, path: str) -> None:
    """Whatever path a client asks for, reading, listing and writing answer or refuse in a sentence."""
    for ask in (
        lambda: store.datastores.open(WS, BLOB, path),
        lambda: paths(store, path),
        lambda: store.datastores.write(WS, BLOB, path, [b"x"]),
    ):
        with contextlib.suppress(SmaltError):
            ask()
