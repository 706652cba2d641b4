"""Errors that a user of MLTable can correct, each in one sentence."""

from __future__ import annotations


class UserErrorException(Exception):
    """An error that the user can correct; the name is the official package's."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
