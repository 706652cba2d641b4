"""The cut of a job's input into mini-batches."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from .errors import ParallelError
from .items import MiniBatch, cut_files, group_files, list_files, make_digest
from .settings import CHANGED_VARIABLE, ParallelSettings, get_port


class CutInput(NamedTuple):
    """An input that is cut."""

    batches: Sequence[MiniBatch]
    root: str
    """The path of the input."""
    digest: str
    """Tells this cut from others."""
    words: str
    """A sentence about the cut, for people."""
    has_shutdown: bool = False


def cut_input(settings: ParallelSettings) -> CutInput:
    """Cut the input of the job; raise ParallelError if there is nothing in it."""
    root = get_port(os.environ, "inputs", settings.input)
    return _cut_files(settings, root, list_files(root))


def _cut_files(settings: ParallelSettings, root: str, files: Sequence[str]) -> CutInput:
    if not files:
        raise ParallelError(f"the input '{settings.input}' has no files, so there is nothing to run")
    keys = settings.partition_keys
    batches = group_files(files, root, keys) if keys else cut_files(files, settings.mini_batch_size or 1)
    digest = make_digest(batches, root, with_stamps=not os.environ.get(CHANGED_VARIABLE))
    by = f"by {', '.join(keys)}" if keys else f"of {batches[0].item_count}"
    return CutInput(batches, root, digest, f"{len(files)} files in {len(batches)} mini-batches {by}")
