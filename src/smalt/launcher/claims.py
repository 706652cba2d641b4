"""The claim: one small file by which a step is run at most once and leaves its exit code behind.

The step's own shell makes it, and only if it is not there (`runner/script.py`): whoever comes second does nothing.
When the command has ended the shell adds its exit code. So the file says: absent, nobody began; empty, somebody
began; a number, it ended so; "void", the launcher gave the step up before anybody began.
"""

from __future__ import annotations

import hashlib
import os
import re
from functools import lru_cache

TAKEN = 253
"""The exit code of a step's shell that found its claim taken."""

VOID = "void"

_PLAIN_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,150}")

VARIABLE = "SMALT_CLAIM"
"""The variable by which a step's first Python finds the claim, to leave the time of its program's first line there."""


@lru_cache(maxsize=256)  # each of server and launcher asks several times for the claim of a step
def make_path(folder: str, step_id: str) -> str:
    name = step_id if _PLAIN_ID.fullmatch(step_id) else hashlib.sha256(step_id.encode()).hexdigest()[:40]
    return os.path.join(folder, f"claim.{name}")


def read_claim(claim: str) -> str | None:
    """Return the word in the claim: None if the claim is absent, "" if the step has begun (or the word is torn)."""
    try:
        with open(claim, "rb") as file:
            text = file.read(64)
    except OSError:
        return None
    return text[:-1].decode("ascii", "replace") if text.endswith(b"\n") else ""


def read_begin(claim: str) -> float | None:
    """Return when the command began (seconds since the epoch), as long as nobody has read the claim.

    It is the time of the file's last access: that of its making, and later the one that the first Python of the
    command sets just before its program (`inside/site/sitecustomize.py`).
    """
    try:
        return os.stat(claim).st_atime
    except OSError:
        return None


def read_code(claim: str) -> int | None:
    """The exit code that the step left, if it did."""
    word = read_claim(claim)
    return int(word) if word and word.isdecimal() else None


def remove_void(claim: str) -> bool:
    """Take back that the step was given up."""
    try:
        os.unlink(claim)
    except OSError:
        return False
    return True


def write_void(claim: str) -> bool:
    """Give the step up, so that a shell that comes late does nothing; False if one came first."""
    try:
        handle = os.open(claim, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        return False
    except OSError:  # no folder, or one that cannot be written to: no shell can begin there either
        return True
    with os.fdopen(handle, "w") as file:
        file.write(f"{VOID}\n")
    return True
