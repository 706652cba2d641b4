"""Errors that end the program with one sentence."""

from __future__ import annotations


class ParallelError(Exception):
    """An error of the job, as a sentence."""


class StopRequested(BaseException):
    """The job is to be cancelled."""
