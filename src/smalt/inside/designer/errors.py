"""Errors of a function component, each as one sentence."""

from __future__ import annotations


class UserErrorException(Exception):
    """An error that the user caused, under mldesigner's name."""
