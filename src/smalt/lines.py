"""Which line of the user's program is running, for sentences that name it."""

from __future__ import annotations

import os
import sys
from types import FrameType

_OURS = os.path.dirname(__file__) + os.sep


def here() -> tuple[str, int]:
    """File and line of the nearest caller that is not smalt; of a notebook's cell, `<cell>`."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    return ("", 0) if frame is None else (_shown(frame.f_code.co_filename), frame.f_lineno)


def _shown(path: str) -> str:
    if "ipykernel_" in path or path.startswith("<ipython-input"):
        return "<cell>"
    try:
        relative = os.path.relpath(path)
    except (OSError, ValueError):
        return path
    return path if path.startswith("<") or relative.startswith("..") else relative
