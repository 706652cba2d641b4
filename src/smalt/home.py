"""The home: one folder that holds everything of one server. Standard library only.

Client, server and launcher all find their way by this module, so the layout is written down once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from smalt.exceptions import Unavailable

LAYOUT = 1
"""The number of the layout below; a home of a higher number is refused, one of a lower is migrated."""

_LONGEST_SOCKET = 100  # sun_path holds 108 bytes on Linux and 104 on macOS


class Home:
    """A home's paths. Making one touches nothing; `create()` makes the folder."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.root = Path(os.path.abspath(os.path.expanduser(path)))

    @classmethod
    def find(cls) -> Home:
        """The home that `SMALT_HOME` names, else `~/.smalt`."""
        return cls(os.environ.get("SMALT_HOME") or "~/.smalt")

    def path(self, *parts: str) -> Path:
        return self.root.joinpath(*parts)

    def create(self) -> None:
        """Make the folder, for its owner only, and write down its layout."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.root.chmod(0o700)
            if not self.path("layout").exists():
                self.write("layout", f"{LAYOUT}\n")
        except OSError as error:
            raise Unavailable(
                f"cannot use {self.root} as smalt's home: {error.strerror}; "
                "set SMALT_HOME to a folder that you can write to"
            ) from None

    def socket(self, name: str) -> Path:
        """Where the Unix socket `name` ("server", "launcher") is; its folder is for the owner only."""
        near = self.path("run", f"{name}.sock")
        if len(os.fsencode(near)) <= _LONGEST_SOCKET:
            return near
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return Path(tempfile.gettempdir(), f"smalt-{os.getuid()}", digest, f"{name}.sock")

    def socket_folder(self) -> Path:
        """The folder of the sockets, made if absent; refused when it is someone else's."""
        folder = self.socket("server").parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
        if status.st_uid != os.getuid():
            raise Unavailable(f"{folder} belongs to another user; remove it or set SMALT_HOME to a shorter path")
        if status.st_mode & 0o077:
            folder.chmod(0o700)
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
