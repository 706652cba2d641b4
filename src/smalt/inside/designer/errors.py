"""What goes wrong with a component that is a function, as one sentence."""

from __future__ import annotations


class UserErrorException(Exception):
    """As mldesigner's: it is the user's doing."""
