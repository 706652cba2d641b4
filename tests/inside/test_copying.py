"""The program of data transfers, on real folders: killed at each of its steps, it leaves nothing half."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from smalt.inside.transfer import staging
from smalt.inside.transfer.copying import InputFolder, copy_inputs
from smalt.inside.transfer.errors import TransferError
from smalt.inside.transfer.staging import StagedOutput

INTERRUPTED = """
import os, signal, sys
left = int(sys.argv.pop(1))

def interrupt(function):
    def wrapper(*arguments, **options):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return wrapper

for name in ("replace", "fsync", "mkdir", "remove", "open", "rmdir", "unlink"):
    setattr(os, name, interrupt(getattr(os, name)))
from smalt.inside.transfer.__main__ import main
main()
print("calls left:", left)
"""
"""Runs the program and kills it before its nth call that changes a file system."""


def run(settings: dict[str, object], folder: Path, calls: int) -> subprocess.CompletedProcess[str]:
    paths = {f"AZURE_ML_INPUT_{name}": str(folder / name) for name in ("a", "b")}
    return subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(calls), json.dumps(settings)],
        env={**os.environ, **paths, "AZURE_ML_OUTPUT_o": str(folder / "o")},
        capture_output=True,
        text=True,
        check=False,
    )


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def read(folder: Path) -> dict[str, str]:
    """The files that a reader sees; those that are being made are hidden."""
    found = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_text() for name, path in found.items() if not name.startswith(staging.PREFIX)}


@pytest.mark.parametrize("mode", ["merge_with_overwrite", "fail_if_conflict"])
def test_a_kill_leaves_nothing_half(tmp_path: Path, mode: str) -> None:
    """Before each change of a file: what is visible is whole, what was there stays, and the next run completes.

    One that was killed when all was in place is complete: the next `fail_if_conflict` meets its files.
    """
    overwrites = mode == "merge_with_overwrite"
    write(tmp_path / "a", {"both" if overwrites else "one": "first" * 9, "deep/a": "a" * 9})
    write(tmp_path / "b", {"both" if overwrites else "two": "second" * 9, "deep/b": "b" * 9})
    whole = {**read(tmp_path / "a"), **read(tmp_path / "b")}
    settings = {"task": "copy_data", "mode": mode, "inputs": ["a", "b"], "output": "o", "type": "uri_folder"}
    total = 1000 - int(run(settings, tmp_path, 1000).stdout.split("calls left:")[1])
    assert total > 20
    for calls in range(total):
        out = tmp_path / "o"
        subprocess.run(["rm", "-rf", str(out)], check=True)
        before = {"old": "old", **({"both": "old"} if overwrites else {})}
        write(out, before)
        assert run(settings, tmp_path, calls).returncode == -9
        for name, text in read(out).items():
            assert text in (whole.get(name), before.get(name)), (calls, name, text)
        assert read(out)["old"] == "old"
        is_complete = read(out) == {**before, **whole} and not list(out.glob(f"{staging.PREFIX}*/moves.json"))
        again = run(settings, tmp_path, 1000)
        assert again.returncode == (1 if is_complete and not overwrites else 0), (calls, again.stderr)
        assert read(out) == {**before, **whole}
        assert not [name for name in os.listdir(out) if name.startswith(staging.PREFIX)]


def test_what_somebody_put_in_the_place_since_is_kept(tmp_path: Path) -> None:
    """A file of the same name as one that a killed transfer had moved is not taken for it."""
    write(tmp_path / "a", {"one": "1", "two": "2"})
    settings = {"task": "copy_data", "mode": "fail_if_conflict", "inputs": ["a"], "output": "o", "type": "uri_folder"}
    calls = 0
    while not (tmp_path / "o/one").exists():  # killed after its first move
        assert run(settings, tmp_path, calls).returncode == -9
        calls += 1
    (tmp_path / "o/one").unlink()
    write(tmp_path / "o", {"one": "by hand"})
    ran = run(settings, tmp_path, 1000)
    assert ran.returncode == 1
    assert "fail_if_conflict: 'one' is in the output itself and in input 'a'; nothing was copied" in ran.stderr
    assert read(tmp_path / "o") == {"one": "by hand"}


def test_two_transfers_may_write_to_one_folder(tmp_path: Path) -> None:
    """The second does not take what the first is making for what a dead one left."""
    write(tmp_path / "a", {"one": "1"})
    write(tmp_path / "b", {"two": "2"})
    with StagedOutput(str(tmp_path / "o"), False) as first:
        with StagedOutput(str(tmp_path / "o"), False) as second:
            copy_inputs([InputFolder("b", str(tmp_path / "b"))], second, overwrites=False)
        copy_inputs([InputFolder("a", str(tmp_path / "a"))], first, overwrites=False)
    assert read(tmp_path / "o") == {"one": "1", "two": "2"}


def test_links_are_followed_and_empty_folders_kept(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", {"x": "x"})
    (tmp_path / "a/empty").mkdir(parents=True)
    (tmp_path / "a/linked").symlink_to(tmp_path / "elsewhere")
    with StagedOutput(str(tmp_path / "o"), False) as output:
        copy_inputs([InputFolder("a", str(tmp_path / "a"))], output, overwrites=False)
    assert read(tmp_path / "o") == {"linked/x": "x"}
    assert (tmp_path / "o/empty").is_dir()
    assert not (tmp_path / "o/linked").is_symlink()


@pytest.mark.parametrize(
    ("target", "words"),
    [("..", "the link 'deep/link' leads to a folder that it is in"), ("nowhere", "'deep/link' is a link to nothing")],
)
def test_a_link_that_has_no_copy_is_refused(tmp_path: Path, target: str, words: str) -> None:
    """Before anything is written."""
    write(tmp_path / "a", {"deep/x": "x"})
    (tmp_path / "a/deep/link").symlink_to(target)
    with (
        pytest.raises(TransferError, match=f"input 'a': {words}"),
        StagedOutput(str(tmp_path / "o"), False) as output,
    ):
        copy_inputs([InputFolder("a", str(tmp_path / "a"))], output, overwrites=True)
    assert os.listdir(tmp_path / "o") == []


def test_a_full_disk_is_told_in_one_sentence(tmp_path: Path) -> None:
    """With what could not be written; nothing is left. A limit of the size of files has the place of the disk's end."""
    write(tmp_path / "a", {"large": "x" * 9_000})
    settings = {"task": "copy_data", "mode": "fail_if_conflict", "inputs": ["a"], "output": "o", "type": "uri_folder"}
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, limit := resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    try:
        ran = run(settings, tmp_path, 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"smalt-data-transfer: File too large: {tmp_path}/o/")
    assert ran.stderr.count("\n") == 1
    assert os.listdir(tmp_path / "o") == []


def test_a_file_and_a_folder_of_one_name_are_refused(tmp_path: Path) -> None:
    """In either mode, as no folder can have both."""
    write(tmp_path / "a", {"x": "file"})
    write(tmp_path / "b", {"x/y": "folder"})
    inputs = [InputFolder(name, str(tmp_path / name)) for name in ("a", "b")]
    with (
        pytest.raises(TransferError, match="'x' is a folder in input 'b' and a file in input 'a'"),
        StagedOutput(str(tmp_path / "o"), False) as output,
    ):
        copy_inputs(inputs, output, overwrites=True)
    (tmp_path / "o/x").mkdir()
    with (
        pytest.raises(TransferError, match="'x' is a folder in the output itself and a file in input 'a'"),
        StagedOutput(str(tmp_path / "o"), False) as output,
    ):
        copy_inputs(inputs[:1], output, overwrites=True)


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ("a", "a", "is the folder {0}/a, and so is the output"),
        ("a", "link", "is the folder {0}/a, and so is the output"),
        ("a", "a/deep", "one is in the other; copy to a folder beside it"),
        ("a/deep", "a", "one is in the other; copy to a folder beside it"),
        ("a/x", "a", "is the file {0}/a/x, and so is the output"),
    ],
)
def test_a_copy_onto_itself_is_refused(tmp_path: Path, source: str, target: str, words: str) -> None:
    """Links in it would become files, or it would be copied into itself; nothing is changed."""
    write(tmp_path, {"a/x": "1", "a/deep/y": "2"})
    (tmp_path / "a" / "z").symlink_to("x")
    (tmp_path / "link").symlink_to("a")
    with (
        StagedOutput(str(tmp_path / target), False) as output,
        pytest.raises(TransferError, match=words.format(tmp_path)),
    ):
        copy_inputs([InputFolder("i", str(tmp_path / source))], output, overwrites=True)
    assert (tmp_path / "a" / "z").is_symlink()
    assert read(tmp_path / "a") == {"x": "1", "z": "1", "deep/y": "2"}


def test_folders_of_like_names_are_apart(tmp_path: Path) -> None:
    """`ab` is not within `a`."""
    write(tmp_path, {"a/x": "1"})
    with StagedOutput(str(tmp_path / "ab"), False) as output:
        copy_inputs([InputFolder("i", str(tmp_path / "a"))], output, overwrites=True)
    assert read(tmp_path / "ab") == {"x": "1"}
