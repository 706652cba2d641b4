"""The words that a comparison of jobs has on the wire."""

from __future__ import annotations

UNKNOWN_CONTENT = "(content not known)"
"""The end of a step's input whose files changed before anything looked at what the step had read.

Two such inputs may differ although their locations are the same.
"""
