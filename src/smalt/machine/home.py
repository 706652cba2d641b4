"""The home: one folder that holds everything of one server. Standard library only.

Client, server and launcher all find their way by this module, so the layout is written down once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smalt.exceptions import Unavailable

LAYOUT = 1
"""The number of the layout below; a home of a higher number is refused, one of a lower is migrated."""

ONE_WORD = re.compile(r"[\w@%+=:,./-]+")
"""A path that a shell takes for one plain word; letters of any script are plain."""

_LONGEST_SOCKET = 100  # sun_path holds 108 bytes on Linux and 104 on macOS


class Home:
    """A home's paths. Making one touches nothing; `create()` makes the folder."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        try:
            self.root = Path(os.path.abspath(os.path.expanduser(path)))
        except FileNotFoundError:
            raise Unavailable(
                f"the current folder is gone, so SMALT_HOME={os.fspath(path)} leads nowhere; "
                "change to a folder that exists"
            ) from None
        self._is_one_word = ONE_WORD.fullmatch(str(self.root)) is not None

    @classmethod
    def find(cls) -> Home:
        """The home that `SMALT_HOME` names, else `~/.smalt`."""
        return cls(os.environ.get("SMALT_HOME") or "~/.smalt")

    def path(self, *parts: str) -> Path:
        return self.root.joinpath(*parts)

    @property
    def shell_safe_path(self) -> Path:
        """The folder by a path that a shell takes for one word: its own, or else that of a link to it."""
        if self._is_one_word:
            return self.root
        link = _link_folder() / hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        with self._explain_failures():
            for folder in (link.parent.parent, link.parent):
                _make_private(folder, "set SMALT_HOME to a path without blanks")
        with contextlib.suppress(OSError):
            if os.readlink(link) == str(self.root):
                return link
        with self._explain_failures():
            temporary = link.with_name(f"{link.name}.{os.getpid()}")
            temporary.unlink(missing_ok=True)
            temporary.symlink_to(self.root)
            os.replace(temporary, link)
        return link

    def create(self) -> None:
        """Make the folder, for its owner only, and write down its layout and whose it is."""
        with self._explain_failures():
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.root.stat().st_mode & 0o077:
                self.root.chmod(0o700)
            if not self.path("layout").exists():
                self.write("layout", f"{LAYOUT}\n")
            if not self.path("owner").exists():
                self.write("owner", json.dumps(read_host()) + "\n")

    def check(self, *, mounts: str | None = None, host: dict[str, str] | None = None) -> None:
        """Refuse, in one sentence and before anything is written, a home that cannot be used from here.

        `mounts` and `host` stand in for what the system says (see `mounts.py` and `this_host`).
        """
        from smalt.machine.mounts import find_network_file_system  # only the server pays for it

        with self._explain_failures():
            self._check_layout()
            self._check_owner(host or read_host())
        kind = find_network_file_system(self.root, mounts)
        if kind:
            raise Unavailable(
                f"smalt's home {self.root} is on a network file system ({kind}), where its database and "
                "locks do not hold; set SMALT_HOME to a folder on a local disk"
            )

    def read_token(self) -> str | None:
        """The first token, made by the server for the home's owner; None before its first start."""
        text = self.read("token")
        return text.strip() or None if text else None

    def read_secret(self, name: str) -> bytes:
        """A key of the home's own for one purpose, made when it is first asked for."""
        text = self.read(f"{name}.key")
        if not text:
            text = secrets.token_hex(32)
            self.write(f"{name}.key", text)
        return text.encode()

    def socket_path(self, name: str) -> Path:
        """Return the path of the Unix socket `name` ("server", "launcher"), in a folder for the owner only."""
        longest = self.path("run", "launcher.sock")  # for all of them, so that they share a folder
        if len(os.fsencode(longest)) <= _LONGEST_SOCKET:
            return self.path("run", f"{name}.sock")
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return Path("/tmp", f"smalt-{os.getuid()}", digest, f"{name}.sock")  # the same whatever a client's TMPDIR

    def make_socket_folder(self) -> Path:
        """The folder of the sockets, made if absent; refused when it is someone else's."""
        folder = self.socket_path("server").parent
        if not folder.is_relative_to(self.root):
            _make_private(folder.parent, "remove it or set SMALT_HOME to a shorter path")
        _make_private(folder, "remove it or set SMALT_HOME to a shorter path")
        return folder

    def read(self, name: str) -> str | None:
        """A small text file of the home, or None where it is not there."""
        try:
            return self.path(name).read_text()
        except FileNotFoundError:
            return None

    def read_json(self, name: str) -> Any:
        """A small JSON file of the home; None where it is absent or torn."""
        text = self.read(name)
        if text is None:
            return None
        try:
            return json.loads(text)
        except ValueError:
            return None

    def _check_layout(self) -> None:
        text = (self.read("layout") or str(LAYOUT)).strip()
        if not text.isdecimal():
            raise Unavailable(
                f"{self.path('layout')} holds no number; set SMALT_HOME to a home of smalt or to a new folder"
            )
        if int(text) > LAYOUT:
            raise Unavailable(
                f"smalt's home {self.root} has layout {int(text)}, made by a newer smalt "
                f"(this one knows {LAYOUT}); upgrade smalt or set SMALT_HOME to another folder"
            )

    def _check_owner(self, here: dict[str, str]) -> None:
        owner = self.read_json("owner")
        if not isinstance(owner, dict):
            return
        key = "machine_id" if owner.get("machine_id") and here.get("machine_id") else "host"
        if owner.get(key) != here.get(key):
            raise Unavailable(
                f"smalt's home {self.root} is owned by another host ({owner.get('host')}, this one is "
                f"{here['host']}); set SMALT_HOME to another folder, or remove {self.path('owner')} "
                "if that host no longer uses it"
            )

    @contextlib.contextmanager
    def _explain_failures(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Unavailable(
                f"cannot use {self.root} as smalt's home: {error.strerror}; "
                "set SMALT_HOME to a folder that you can write to"
            ) from None

    def write(self, name: str, text: str, mode: int = 0o600) -> None:
        """Write a small file so that a reader, and a crash, see the old or the new, never half."""
        target = self.path(name)
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, "w") as file:
                file.write(text)
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            raise


def _make_private(folder: Path, advice: str) -> None:
    """Make the folder where it is absent, and close it to others; one of another user is refused, for whoever owns a
    folder can put another in the place of what lies in it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.stat()
    if {status.st_uid, folder.lstat().st_uid} != {os.getuid()}:
        raise Unavailable(f"{folder} belongs to another user; {advice}")
    if status.st_mode & 0o077:
        folder.chmod(0o700)


def _link_folder() -> Path:
    """The folder of links to homes whose own paths are not plain words."""
    own = Path.home() / ".cache" / "smalt" / "homes"
    return own if ONE_WORD.fullmatch(str(own)) else Path("/tmp", f"smalt-{os.getuid()}", "homes")


def read_host() -> dict[str, str]:
    """Return the host that owns a home, as {"host", "machine_id"}; the id is empty where the system has none."""
    return {"host": socket.gethostname(), "machine_id": _read_machine_id()}


def _read_machine_id() -> str:
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        with contextlib.suppress(OSError):
            return Path(path).read_text().strip()
    return _read_macos_machine_id() if sys.platform == "darwin" else ""


def _read_macos_machine_id() -> str:
    import ctypes  # only there

    uuid, wait = (ctypes.c_ubyte * 16)(), (ctypes.c_long * 2)(1, 0)
    failed = ctypes.CDLL(None).gethostuuid(uuid, wait)
    return "" if failed else bytes(uuid).hex()
