"""The errors of data transfers, whose sentences are the job's last line."""

from __future__ import annotations


class TransferError(Exception):
    """A sentence for the job's log: why nothing was transferred."""
