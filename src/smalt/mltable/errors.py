"""What a user of MLTable can get wrong, each as one sentence."""

from __future__ import annotations


class UserErrorException(Exception):
    """Something the user can put right; the name is the official package's."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
