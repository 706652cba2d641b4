"""Copies of files and folders into one output, with the files that several of them have."""

from __future__ import annotations

import collections
import os
import shutil
import stat

from .errors import TransferError
from .staging import PREFIX, StagedOutput, sync_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_SYNCED_AT_A_TIME = 16
_MOST_WAITING = 256
_SHOWN = 10
"""The most conflicts that are named one by one."""
_THERE = "the output itself"


class InputFolder:
    """An input: a file, or a folder with all that is below it."""

    def __init__(self, name: str, path: str, place: str = "", origin: str = "") -> None:
        """Take the name and path of the input.

        `place` is where in the output a file goes, if not at its top; `origin` is the path that it is a copy of,
        if it is one (an input of mode `download`).
        """
        self.name = name
        self.path = os.path.realpath(path)
        self.origin = os.path.realpath(origin) if origin else self.path
        self.place = place or os.path.basename(path)

    @property
    def words(self) -> str:
        return f"input '{self.name}'"

    def list_files(self) -> Iterator[tuple[str, str]]:
        """Yield the path within the output and the path on this machine of each file; links are followed."""
        if not os.path.isdir(self.path):
            yield self.place, self.path
            return
        yield from self._walk_folder("", frozenset())

    def list_folders(self) -> list[str]:
        """Return the folders that have nothing in them."""
        return self._empty_folders

    def _walk_folder(self, inner: str, around: frozenset[str]) -> Iterator[tuple[str, str]]:
        folder = os.path.join(self.path, inner)
        real = os.path.realpath(folder)
        if real in around:
            raise TransferError(f"{self.words}: the link '{inner}' leads to a folder that it is in; nothing was copied")
        names = sorted(name for name in os.listdir(folder) if not name.startswith(PREFIX))
        if not names and inner:
            self._empty_folders.append(inner)
        for name in names:
            path = os.path.join(inner, name)
            whole = os.path.join(self.path, path)
            if os.path.isdir(whole):
                yield from self._walk_folder(path, around | {real})
            elif os.path.isfile(whole):
                yield path, whole
            else:
                what = "a link to nothing" if os.path.islink(whole) else "neither a file nor a folder"
                raise TransferError(f"{self.words}: '{path}' is {what}; nothing was copied")

    @property
    def _empty_folders(self) -> list[str]:
        found: list[str] = self.__dict__.setdefault("empty", [])
        return found


class _Plan:
    """The files of a copy: for each path in the output, the input and the file that it comes from."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[InputFolder, str]] = {}
        self.conflicts: list[tuple[str, str, str]] = []
        """Path, the words for whoever has it first, and for who has it, too."""


def copy_inputs(inputs: Iterable[InputFolder], output: StagedOutput, *, overwrites: bool) -> None:
    """Copy the inputs, in their order, to the output. Everything is checked before the first byte is written."""
    plan, folders = _Plan(), []
    for one in inputs:
        _refuse_overlap(one, output)
        for path, source in one.list_files():
            _add_file(plan, output, path, one, source)
        folders += one.list_folders()
    _refuse_mixed(plan.files, output)
    if plan.conflicts and not overwrites:
        raise TransferError(_describe_conflicts(plan.conflicts))
    size = _copy_files({os.path.join(output.files, path): source for path, (_, source) in plan.files.items()})
    output.commit(plan.files, folders)
    if plan.conflicts:
        lines = [f"  {path}: {second} in place of {first}" for path, first, second in plan.conflicts[:_SHOWN]]
        rest = len(plan.conflicts) - _SHOWN
        lines += [f"  and {rest} more"] if rest > 0 else []
        print(f"merge_with_overwrite: {_format_count(len(plan.conflicts), 'file')} overwritten", *lines, sep="\n")
    print(f"copied {_format_count(len(plan.files), 'file')}, {size:,} bytes", flush=True)


def _refuse_overlap(one: InputFolder, output: StagedOutput) -> None:
    """Raise if an input is the place that it would be copied to, or one of the two folders is in the other."""
    target, source = output.path, one.origin
    if not os.path.isdir(source):
        if os.path.realpath(output.find_place(one.place)) == source:
            raise TransferError(f"{one.words} is the file {source}, and so is the output; nothing was copied")
        return
    if source == target:
        raise TransferError(f"{one.words} is the folder {source}, and so is the output; nothing was copied")
    for inner, outer in ((source, target), (target, source)):
        if inner.startswith(f"{outer.rstrip(os.sep)}{os.sep}"):
            names = f"{one.words} is {source}, and the output is {target}"
            raise TransferError(f"{names}: one is in the other; copy to a folder beside it, nothing was copied")


def _add_file(plan: _Plan, output: StagedOutput, path: str, one: InputFolder, source: str) -> None:
    if output.is_file:
        path = os.path.basename(output.path)
    before = plan.files.get(path)
    if before is not None:
        plan.conflicts.append((path, before[0].words, one.words))
    elif output.has_file(path):
        plan.conflicts.append((path, _THERE, one.words))
    plan.files[path] = one, source


def _refuse_mixed(files: Mapping[str, tuple[InputFolder, str]], output: StagedOutput) -> None:
    """Raise where one has a file of the name that another has a folder of: no mode can have both."""
    for path, (one, _) in files.items():
        parts = path.split(os.sep)[:-1]
        for count in range(1, len(parts) + 1):
            part = os.sep.join(parts[:count])
            if part in files:
                raise TransferError(_describe_mixed(part, one.words, files[part][0].words))
        obstacle = None if output.is_file else output.find_obstacle(path)
        if obstacle == path:
            raise TransferError(_describe_mixed(path, _THERE, one.words))
        if obstacle:
            raise TransferError(_describe_mixed(obstacle, one.words, _THERE))


def _describe_mixed(path: str, folder: str, file: str) -> str:
    return f"'{path}' is a folder in {folder} and a file in {file}; rename one of them: nothing was copied"


def _describe_conflicts(conflicts: list[tuple[str, str, str]]) -> str:
    """Return the sentence for `fail_if_conflict`; each file with both of its sources."""
    shown = "; ".join(f"'{path}' is in {first} and in {second}" for path, first, second in conflicts[:_SHOWN])
    rest = len(conflicts) - _SHOWN
    more = f"; and {rest} more" if rest > 0 else ""
    return f"fail_if_conflict: {shown}{more}; nothing was copied"


def _copy_files(sources: Mapping[str, str]) -> int:
    """Copy each target's source, with all of them on the disk at the end; return their bytes.

    The next files are copied while others wait for the disk, which takes several at a time as quickly as one.
    """
    from concurrent.futures import Future, ThreadPoolExecutor

    for folder in {os.path.dirname(target) for target in sources}:
        os.makedirs(folder, exist_ok=True)
    size = 0
    waiting: collections.deque[Future[None]] = collections.deque()
    with ThreadPoolExecutor(_SYNCED_AT_A_TIME) as pool:
        for target, source in sources.items():
            size += _copy_file(source, target)
            waiting.append(pool.submit(sync_path, target))
            if len(waiting) >= _MOST_WAITING:
                waiting.popleft().result()
        for one in waiting:
            one.result()
    return size


def _copy_file(source: str, target: str) -> int:
    """Copy a file's bytes and whether it can be run; return its size."""
    shutil.copyfile(source, target)
    copied = os.stat(target)
    if os.stat(source).st_mode & stat.S_IXUSR:
        os.chmod(target, copied.st_mode | 0o111)
    return copied.st_size


def _format_count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
