from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from smalt.exceptions import Unavailable
from smalt.machine.home import Home, read_host
from smalt.machine.mounts import find_network_file_system
from tests.helpers import Server, refusal

pytestmark = pytest.mark.started_anew
LOCAL = "/dev/vda / ext4 rw 0 0\n"


@pytest.mark.parametrize(
    "kind",
    ["nfs", "nfs4", "cifs", "smb3", "lustre", "glusterfs", "ceph", "9p", "fuse.sshfs", "fuse.s3fs", "beegfs"],
)
def test_a_home_on_a_network_file_system_is_refused(home: Home, kind: str) -> None:
    """The sentence names the home, the file system and what to do."""
    mounts = f"{LOCAL}server:/share {home.root.parent} {kind} rw 0 0\n"
    with pytest.raises(Unavailable, match="set SMALT_HOME to a folder on a local disk") as refused:
        home.check(mounts=mounts)
    assert str(home.root) in str(refused.value)
    assert kind in str(refused.value)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "zfs", "fuse.fuse-overlayfs"])
def test_a_home_on_a_local_file_system_is_taken(home: Home, kind: str) -> None:
    """Local disks, memory and container layers hold locks and databases."""
    home.check(mounts=f"{LOCAL}x {home.root.parent} {kind} rw 0 0\n")


def test_the_innermost_and_last_mount_counts(tmp_path: Path) -> None:
    """A local disk mounted inside a share is local; a later mount on the same point hides the earlier one."""
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    shared = f"{LOCAL}s:/ {tmp_path} nfs rw 0 0\n"
    assert find_network_file_system(inner, shared) == "nfs"
    assert find_network_file_system(inner, f"{shared}d {inner} ext4 rw 0 0\n") is None
    assert find_network_file_system(inner, f"{shared}d {tmp_path} ext4 rw 0 0\n") is None


def test_mount_points_with_spaces_and_of_macos_are_read(tmp_path: Path) -> None:
    """Octal escapes of /proc/mounts, and the lines that `mount` prints on macOS."""
    spaced = tmp_path / "with space"
    spaced.mkdir()
    escaped = str(spaced).replace(" ", "\\040")
    assert find_network_file_system(spaced, f"{LOCAL}s:/ {escaped} nfs4 rw 0 0\n") == "nfs4"
    listed = f"/dev/disk3s1 on / (apfs, local, journaled)\n//u@s/x on {spaced} (smbfs, nodev, nosuid)\n"
    assert find_network_file_system(spaced, listed) == "smbfs"
    assert find_network_file_system(tmp_path, listed) is None


def test_a_home_of_a_newer_layout_is_refused(home: Home) -> None:
    """A home that a newer smalt has made over is not touched by an older one."""
    home.write("layout", "7\n")
    with pytest.raises(Unavailable, match=r"has layout 7, made by a newer smalt .* upgrade smalt"):
        home.check()


def test_a_home_of_another_host_is_refused(home: Home) -> None:
    """The machine's id counts, and the host's name only where there is none."""
    home.check(host=read_host())
    home.check(host={**read_host(), "host": "renamed"} if read_host()["machine_id"] else read_host())
    with pytest.raises(Unavailable, match=r"owned by another host \(.*, this one is other\)"):
        home.check(host={"host": "other", "machine_id": "another"})
    with pytest.raises(Unavailable, match="owned by another host"):
        home.check(host={"host": "other", "machine_id": ""})


def test_the_server_refuses_such_a_home_in_one_sentence(own_server: Server) -> None:
    """Exit status 1, one line on standard error, nothing else in the home."""
    own_server.home.create()
    own_server.home.write("owner", json.dumps({"host": "elsewhere", "machine_id": "1"}))
    process = own_server.spawn()
    said = refusal(process)
    assert process.returncode == 1
    assert said.startswith(f"smalt's home {own_server.home.root} is owned by another host (elsewhere,")
    assert "\n" not in said
    assert not own_server.home.path("smalt.db").exists()


def test_a_home_is_for_its_owner_only(tmp_path: Path) -> None:
    """The folder and what is in it are closed to others, even where it was open before."""
    root = tmp_path / "open"
    root.mkdir(mode=0o755)
    home = Home(root)
    home.create()
    assert root.stat().st_mode & 0o777 == 0o700
    assert home.path("owner").stat().st_mode & 0o777 == 0o600


def test_a_home_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    """A file in the way is told, with what to do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="set SMALT_HOME to a folder that you can write to"):
        Home(tmp_path / "file" / "home").create()


def test_a_relative_home_in_a_deleted_folder_is_one_sentence(tmp_path: Path) -> None:
    """SMALT_HOME=x in a folder that is gone leads nowhere, and the server says so."""
    gone = tmp_path / "gone"
    gone.mkdir()
    program = (
        tmp_path / "program.py"
    )  # Python 3.13's own modules fail where `-c` puts a folder that is gone on the path
    program.write_text(
        f"import os; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r}); import smalt.service.__main__ as m; m.main()"
    )
    environment = {**os.environ, "SMALT_HOME": "x"}
    said = subprocess.run([sys.executable, program], env=environment, capture_output=True, text=True).stderr
    assert said == ("the current folder is gone, so SMALT_HOME=x leads nowhere; change to a folder that exists\n")


def test_a_long_home_has_its_sockets_elsewhere(tmp_path: Path) -> None:
    """The path of a socket stays below what systems take, in a private folder of the user's own."""
    home = Home(tmp_path / ("long" * 30))
    home.create()
    folder = home.make_socket_folder()
    assert len(os.fsencode(home.socket_path("server"))) <= 100
    assert folder.stat().st_mode & 0o777 == 0o700
    assert home.socket_path("launcher").parent == folder
    folder.rmdir()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to another user")
@pytest.mark.parametrize("place", [".cache/smalt", ".cache/smalt/homes"])
@pytest.mark.parametrize("is_link", [False, True])
def test_links_to_homes_do_not_go_through_folders_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, is_link: bool
) -> None:
    """Who owns a folder above a link can put another in its place; a link that is there already is not a proof."""
    monkeypatch.setenv("HOME", str(tmp_path))
    home = Home(tmp_path / "with blank")
    home.create()
    assert home.shell_safe_path.resolve() == home.root
    folder = tmp_path / place
    if is_link:
        folder.rename(tmp_path / "own")
        folder.symlink_to(tmp_path / "own")
    os.chown(folder, 65534, 65534, follow_symlinks=False)
    with pytest.raises(Unavailable, match=rf"{place} belongs to another user; set SMALT_HOME"):
        _ = home.shell_safe_path


def test_the_folders_of_links_are_closed_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are made for the owner only, whatever the umask."""
    monkeypatch.setenv("HOME", str(tmp_path))
    before = os.umask(0)
    try:
        folder = Home(tmp_path / "with blank").shell_safe_path.parent
    finally:
        os.umask(before)
    assert [one.stat().st_mode & 0o777 for one in (folder, folder.parent)] == [0o700, 0o700]


@pytest.mark.parametrize("length", range(40, 100))
def test_all_sockets_of_a_home_are_in_one_folder(length: int) -> None:
    """However long its path is: the launcher cannot listen in a folder that nobody made."""
    home = Home(Path("/tmp", "x" * (length - len("/tmp/"))))
    assert len({home.socket_path(name).parent for name in ("server", "launcher")}) == 1
