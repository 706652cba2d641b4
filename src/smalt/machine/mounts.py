"""The type of the file system that a path lies on. Standard library only.

SQLite's write-ahead log, file locks and Unix sockets do not hold on network file systems, so a home on one is
refused before anything is written to it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

_NETWORK = (
    " 9p afpfs afs beegfs ceph cifs coda davfs drvfs fhgfs glusterfs gpfs lustre ncpfs nfs nfs3 nfs4 ocfs2"
    " orangefs panfs prl_fs pvfs2 smb smb2 smb3 smbfs sshfs vboxsf vmhgfs webdav wekafs "
)
_LOCAL_FUSE = " fuseblk fuse.encfs fuse.fuse-overlayfs fuse.gocryptfs fuse.lxcfs fuse.mergerfs fuse.ntfs-3g "


def find_network_file_system(path: Path, mounts: str | None = None) -> str | None:
    """The name of the network file system that `path` is on, None where it is a local one.

    `mounts` is the text of /proc/mounts, or of `mount` on macOS; read from the system when not given.
    """
    kind = find_file_system(path, _read_mounts() if mounts is None else mounts)
    if kind is None or f" {kind} " in _LOCAL_FUSE:
        return None
    return kind if f" {kind} " in _NETWORK or kind.startswith("fuse") else None


def find_file_system(path: Path, mounts: str) -> str | None:
    """The type of the innermost mount above `path`; a later mount on the same point hides an earlier one."""
    where = os.path.realpath(path)
    best, kind = "", None
    for line in mounts.splitlines():
        mount = _parse_line(line)
        if mount and len(mount[0]) >= len(best) and _is_under(where, mount[0]):
            best, kind = mount
    return kind


def list_mount_points(folder: str | os.PathLike[str]) -> list[str]:
    """Return where something is mounted at or below `folder`; nothing on systems that do not tell at once."""
    if sys.platform != "linux":
        return []
    above, name = os.path.split(os.path.abspath(folder))
    top = os.path.join(os.path.realpath(above), name)
    found = (_parse_line(line) for line in _read_mounts().splitlines())
    return sorted({mount[0] for mount in found if mount and _is_under(mount[0], top)})


_LINUX = re.compile(r"\S+ (/\S*) (\S+) ")
_MACOS = re.compile(r".+ on (/.*) \((\w+)[,)]")


def _parse_line(line: str) -> tuple[str, str] | None:
    found = _MACOS.match(line) or _LINUX.match(line)
    if found is None:
        return None
    point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), found[1])
    return point, found[2].lower()


def _is_under(path: str, folder: str) -> bool:
    return folder == "/" or path == folder or path.startswith(folder.rstrip("/") + "/")


def _read_mounts() -> str:
    if sys.platform == "linux":
        return Path("/proc/self/mounts").read_text(errors="surrogateescape")
    return subprocess.run(["/sbin/mount"], capture_output=True, text=True, check=False).stdout
