#!/usr/bin/env python3
"""Start the browser that STUDIO_BROWSER names so that it hears of no address of this machine that comes or goes.

At each such news Chromium ends the requests that just connect, those to 127.0.0.1 too, with net::ERR_NETWORK_CHANGED,
and tests of containers beside it make and remove addresses. It hears by a netlink socket: a filter of system calls,
which needs no rights, refuses those. Where the kernel has no such filters, the browser starts as usual.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

CALLS = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""By processor: the kernel's number of it, and of the call `socket`."""
_AF_NETLINK = 16
_LOAD, _IS, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000
_NR, _ARCH, _FIRST_ARGUMENT = 0, 4, 16
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _SECCOMP_MODE_FILTER = 22, 38, 2


class Filter(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def refuse_netlink() -> None:
    """Let `socket(AF_NETLINK, …)` fail in this process and those that it starts."""
    if sys.platform != "linux" or platform.machine() not in CALLS:
        return
    processor, call = CALLS[platform.machine()]
    lines = (
        (_LOAD, 0, 0, _ARCH),
        (_IS, 0, 5, processor),
        (_LOAD, 0, 0, _NR),
        (_IS, 0, 3, call),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_IS, 0, 1, _AF_NETLINK),
        (_RETURN, 0, 0, _FAIL | errno.EAFNOSUPPORT),
        (_RETURN, 0, 0, _ALLOW),
    )
    packed = b"".join(struct.pack("=HBBI", *line) for line in lines)
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(Filter(len(lines), packed)), 0, 0)


if __name__ == "__main__":
    refuse_netlink()
    browser = os.environ["STUDIO_BROWSER"]
    os.execv(browser, [browser, *sys.argv[1:]])
