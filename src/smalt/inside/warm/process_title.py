"""The command line and environment that /proc shows of a process, set to those of what it has become."""

from __future__ import annotations

import ctypes
import mmap
import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_PR_SET_NAME, _PR_SET_MM, _PR_SET_MM_MAP = 15, 35, 14
_FIELDS = (26, 27, 45, 46, 47)
"""Fields of /proc/self/stat, as proc(5) counts: the code's and data's begin and end, and the heap's begin."""
_NO_FILE = 0xFFFFFFFF
_kept: list[Any] = []
"""The memory with the texts, which must stay."""


def set_title(words: Sequence[str], variables: Mapping[str, str]) -> None:
    """Have /proc show the words and variables; where Linux does not let us, it shows the parent's."""
    line = b"".join(os.fsencode(word) + b"\0" for word in words)
    environment = b"".join(os.fsencode(f"{pair[0]}={pair[1]}") + b"\0" for pair in variables.items())
    try:
        memory = mmap.mmap(-1, len(line) + len(environment) + 1, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        memory[: len(line) + len(environment)] = line + environment
        place = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        _kept.append(memory)
        begin, middle, end = place, place + len(line), place + len(line) + len(environment)
        libc = ctypes.CDLL(None)
        libc.sbrk.restype, libc.sbrk.argtypes = ctypes.c_void_p, [ctypes.c_ssize_t]
        with open("/proc/self/stat", "rb") as file:
            text = file.read()
        fields = text[text.rindex(b")") + 2 :].split()
        code, code_end, data, data_end, heap = (int(fields[number - 3]) for number in _FIELDS)
        stack = int(fields[28 - 3])
        layout = struct.pack(
            "12Q2I",
            code,
            code_end,
            data,
            data_end,
            heap,
            libc.sbrk(0),
            stack,
            begin,
            middle,
            middle,
            end,
            0,
            0,
            _NO_FILE,
        )
        libc.prctl(_PR_SET_MM, _PR_SET_MM_MAP, ctypes.c_char_p(layout), len(layout), 0)
        libc.prctl(_PR_SET_NAME, ctypes.c_char_p(os.path.basename(os.fsencode(words[0]))[:15]), 0, 0, 0)
    except (OSError, ValueError, AttributeError):
        pass
