"""Errors of the AutoML program."""

from __future__ import annotations

from typing import NamedTuple


class Remark(NamedTuple):
    """A sentence about one field of an AutoML job, with the path of the field's key."""

    path: tuple[str | int, ...]
    text: str


class AutoMLError(Exception):
    """An error of what the user gave: each line is one sentence."""

    exit_code = 2


class NoModelError(AutoMLError):
    """The search ended without a model."""

    exit_code = 1
