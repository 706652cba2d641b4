"""What a step reads it cannot change; or, where the machine cannot enforce that, the change is found."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from smalt import launcher
from smalt.launcher import claims, watching
from smalt.launcher.sealing import MountSealer
from tests.helpers import eventually
from tests.launcher.rig import Client, Rig

_DROP, _SYS_ADMIN = 24, 21  # prctl's PR_CAPBSET_DROP, CAP_SYS_ADMIN

can_seal = pytest.mark.skipif(not MountSealer().is_available, reason="needs the right to make mount namespaces")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "sub").mkdir(parents=True)
    (folder / "f.txt").write_text("first\n")
    (folder / "sub" / "g.txt").write_text("first\n")
    return folder


@pytest.fixture
def weak(rig: Rig) -> Client:
    """A launcher that may not make mount namespaces, whoever runs the tests."""
    program = Path(launcher.__file__).with_name("__main__.py")
    with open(rig.home.path("launcher.log"), "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(program), str(rig.home.root)],
            stdout=log, stderr=log, start_new_session=True,
            preexec_fn=lambda: ctypes.CDLL(None).prctl(_DROP, _SYS_ADMIN),
        )  # fmt: skip
    rig.launchers.append(process)
    return rig.connect()


WRITES = {
    "append": "echo more >>{}/f.txt",
    "overwrite": "echo other >{}/f.txt",
    "same size": "echo first | tr f F >{}/f.txt",
    "add": "echo new >{}/new.txt",
    "add below": "echo new >{}/sub/new.txt",
    "delete": "rm -f {}/sub/g.txt",
    "rename": "mv {}/f.txt {}/h.txt",
    "replace": "echo other >there; cp there {}/sub/there && mv {}/sub/there {}/f.txt",
    "empty folder": "mkdir {}/more",
    "by a link": "ln -s {} here; echo more >>here/f.txt",
}


@can_seal
@pytest.mark.parametrize("way", WRITES)
def test_a_step_cannot_change_what_it_reads(rig: Rig, client: Client, data: Path, way: str) -> None:
    """Every way to change an input fails with "Read-only file system", also as root, and changes nothing."""
    step = rig.step("a", WRITES[way].replace("{}", str(data)), reads={str(data): "d"}, writes=[])
    client.start(step)
    assert client.exit("a")["code"] != 0
    assert "Read-only file system" in Path(step["log"]).read_text()
    found = {str(path.relative_to(data)): path.read_text() for path in data.rglob("*") if path.is_file()}
    assert found == {"f.txt": "first\n", "sub/g.txt": "first\n"}
    assert watching.find_change(claims.make_path(step["folder"], "a")) is None


@can_seal
def test_no_namespace_is_kept_of_steps_that_have_ended(rig: Rig, client: Client, data: Path) -> None:
    """The launcher holds a namespace while its step runs, and none of steps that have ended or could not start."""
    held = Path("/proc", str(rig.launchers[-1].pid), "fd")
    names = [f"quick{number}" for number in range(5)]
    client.start(*(rig.step(name, "true", reads={str(data): "d"}) for name in names))
    client.start({**rig.step("refused", "true", reads={str(data): "d"}), "log": str(data / "none" / "log")})
    client.start(rig.step("long", "sleep 60", reads={str(data): "d"}))
    assert [client.exit(name)["code"] for name in names] == [0] * len(names)
    assert client.exit("refused")["reason"] == "refused"
    client.pid("long")
    eventually(lambda: _count_namespaces(held) == 2, "its own namespace and that of the step that runs")
    client.stop("long", 0.0)
    client.exit("long")
    eventually(lambda: _count_namespaces(held) == 1, "its own namespace alone")


def _count_namespaces(descriptors: Path) -> int:
    found = 0
    for descriptor in os.listdir(descriptors):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            found += os.readlink(descriptors / descriptor).startswith("mnt:")
    return found


@can_seal
@pytest.mark.parametrize("way", WRITES)
def test_what_all_steps_share_cannot_be_written(rig: Rig, client: Client, data: Path, way: str) -> None:
    """A step that writes to a sealed path fails there, and needs no input for that."""
    step = rig.step("a", WRITES[way].replace("{}", str(data)), seals=[str(data)], writes=[])
    client.start(step)
    assert client.exit("a")["code"] != 0
    assert "Read-only file system" in Path(step["log"]).read_text()
    assert sorted(path.name for path in data.rglob("*")) == ["f.txt", "g.txt", "sub"]
    assert (data / "f.txt").read_text() == "first\n"


def test_what_is_only_sealed_is_not_watched(rig: Rig, weak: Client, data: Path) -> None:
    """Without namespaces a sealed path, which may have many entries, costs a step nothing."""
    step = rig.step("a", f"echo more >>{data}/f.txt", seals=[str(data)], reads={str(data / "sub"): "d"})
    weak.start(step)
    assert weak.exit("a")["code"] == 0
    assert list(watching.read_note(claims.make_path(step["folder"], "a"))) == [str(data / "sub")]


@can_seal
def test_a_file_can_be_an_input(rig: Rig, client: Client, data: Path) -> None:
    """Of an input that is a file, that file is read-only and the one beside it is not."""
    step = rig.step("a", f"echo x >{data}/sub/h; echo more >{data}/f.txt", reads={f"{data}/f.txt": "d"})
    client.start(step)
    assert client.exit("a")["code"] != 0
    assert (data / "f.txt").read_text() == "first\n"
    assert (data / "sub" / "h").read_text() == "x\n"


@can_seal
def test_what_a_step_writes_may_lie_in_what_it_reads(rig: Rig, client: Client, data: Path) -> None:
    """An output, or the step's own folder, below an input can be written, and so can one that is the input itself."""
    below = rig.step("a", f"echo x >{data}/sub/x; echo x >{data}/x", reads={str(data): "d"}, writes=[f"{data}/sub"])
    same = rig.step("b", f"echo x >{data}/y", reads={str(data): "d"}, writes=[str(data)])
    client.start(below, same)
    assert client.exit("a")["code"] != 0
    assert client.exit("b")["code"] == 0
    assert [(data / name).exists() for name in ("sub/x", "x", "y")] == [True, False, True]


@can_seal
def test_others_may_write_meanwhile(rig: Rig, client: Client, data: Path) -> None:
    """The launcher, its other steps and the owner of the data write as before; the step sees what they write."""
    reader = rig.step("a", f"echo ready >ready; until [ -e {data}/go ]; do sleep 0.01; done", reads={str(data): "d"})
    client.start(reader)
    client.start(rig.step("b", f"until [ -e {reader['folder']}/ready ]; do sleep 0.01; done; echo x >{data}/go"))
    assert client.exit("b")["code"] == 0
    assert client.exit("a")["code"] == 0


def test_an_input_that_is_not_there_hinders_nothing(rig: Rig, client: Client, data: Path) -> None:
    """A step whose input was deleted starts, and sees that it is not there."""
    step = rig.step("a", f"ls {data}/gone", reads={f"{data}/gone": "d"})
    client.start(step)
    assert client.exit("a")["code"] == 2
    assert "No such file" in Path(step["log"]).read_text()


@pytest.mark.parametrize("way", WRITES)
def test_a_change_is_found_where_it_cannot_be_prevented(rig: Rig, weak: Client, data: Path, way: str) -> None:
    """Without the right to make namespaces, what was changed is told with the input's name and the file."""
    step = rig.step("a", WRITES[way].replace("{}", str(data)), reads={str(data): "d"}, writes=[])
    weak.start(step)
    assert weak.exit("a")["code"] == 0
    found = watching.find_change(claims.make_path(step["folder"], "a"))
    assert found is not None
    assert "input 'd'" in found
    assert str(data) in found


def test_who_only_reads_is_not_blamed(rig: Rig, weak: Client, data: Path) -> None:
    """Reading, and links to what is read, change nothing."""
    step = rig.step("a", f"cat {data}/f.txt; ln -s {data} here; ls -R here/", reads={str(data): "d", "/gone": "g"})
    weak.start(step)
    assert weak.exit("a")["code"] == 0
    assert watching.find_change(claims.make_path(step["folder"], "a")) is None


def test_of_a_large_input_the_time_is_noted(rig: Rig, weak: Client, data: Path) -> None:
    """Of more entries than the launcher has time for, one that was written since the start is found."""
    for number in range(2100):
        (data / f"{number}").touch()
    os.utime(data / "7", (1, 1))
    found = {}
    for name, command in (("a", "cat"), ("b", "sleep 0.05; echo x >")):  # more than the clock of files counts
        step = rig.step(name, f"{command} {data}/7", reads={str(data): "d"})
        weak.start(step)
        assert weak.exit(name)["code"] == 0
        assert watching.is_large(watching.read_note(claims.make_path(step["folder"], name)))
        found[name] = watching.find_change(claims.make_path(step["folder"], name))
    assert found["a"] is None
    assert "7 was written" in str(found["b"])


@can_seal
def test_a_file_that_is_to_be_made_in_what_is_read(rig: Rig, client: Client, data: Path) -> None:
    """An output that is a file and not there yet, below an input, can be written."""
    step = rig.step("a", f"echo x >{data}/sub/out", reads={str(data): "d"}, writes=[f"{data}/sub/out"])
    client.start(step)
    assert client.exit("a")["code"] == 0
    assert (data / "sub" / "out").read_text() == "x\n"


@can_seal
def test_the_root_as_an_input_hinders_nothing(rig: Rig, client: Client, data: Path) -> None:
    """A step that reads "/" can work in its own folder."""
    client.start(rig.step("a", "echo x >made", reads={"/": "d"}, writes=[]))
    assert client.exit("a")["code"] == 0
    assert rig.file("a", "made") == "x"


WAYS = {
    "below": ("sub", "sub/x"),
    "file": ("sub/out", "sub/out"),
    "same": (".", "y"),
    "deep": ("sub/g.txt", "sub/g.txt"),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_a_step_writes_is_no_change_of_what_it_reads(rig: Rig, weak: Client, data: Path, way: str) -> None:
    """Without namespaces, too, an output may lie in an input or be it; all else of the input is watched."""
    output, made = (data / name for name in WAYS[way])
    step = rig.step("a", f"echo more >>{made}", reads={str(data): "d"}, writes=[str(output)])
    weak.start(step)
    assert weak.exit("a")["code"] == 0
    assert watching.find_change(claims.make_path(step["folder"], "a")) is None
    if way != "same":
        step = rig.step("b", f"echo more >>{made}; echo x >>{data}/f.txt", reads={str(data): "d"}, writes=[str(output)])
        weak.start(step)
        assert weak.exit("b")["code"] == 0
        assert "f.txt was written" in str(watching.find_change(claims.make_path(step["folder"], "b")))


def test_what_is_written_may_be_a_link_into_what_is_read(rig: Rig, weak: Client, data: Path, tmp_path: Path) -> None:
    """An output that is named by another path than the input is known by where it is."""
    (tmp_path / "other").symlink_to(data)
    step = rig.step("a", f"echo x >{data}/sub/x", reads={str(data): "d"}, writes=[f"{tmp_path}/other/sub"])
    weak.start(step)
    assert weak.exit("a")["code"] == 0
    assert watching.find_change(claims.make_path(step["folder"], "a")) is None


@can_seal
def test_beside_a_file_that_is_to_be_made_changes_are_found(rig: Rig, client: Client, data: Path) -> None:
    """A folder of an input that is opened for a new file is watched: what else changes there is told."""
    for name, command, found in (("a", f"echo x >>{data}/sub/g.txt", "sub/g.txt was written"), ("b", "true", "")):
        step = rig.step(
            name, f"echo x >{data}/sub/out{name}; {command}", reads={str(data): "d"}, writes=[f"{data}/sub/out{name}"]
        )
        client.start(step)
        assert client.exit(name)["code"] == 0
        assert found in (watching.find_change(claims.make_path(step["folder"], name)) or "")
    assert watching.find_change(claims.make_path(step["folder"], "b")) is None


def test_many_entries_are_looked_at_beside_the_loop(rig: Rig, weak: Client, data: Path) -> None:
    """An input of more than 500 entries is large, all inputs of a step together."""
    for number in range(300):
        (data / f"{number}").touch()
    for name, reads, is_large in (("a", [data], False), ("b", [data, data.parent], True)):
        step = rig.step(name, "true", reads={str(path): path.name for path in reads})
        weak.start(step)
        assert weak.exit(name)["code"] == 0
        assert watching.is_large(watching.read_note(claims.make_path(step["folder"], name))) is is_large


def test_an_entry_that_is_gone_hides_no_other(data: Path) -> None:
    """A file that is deleted while its folder is looked through takes nothing else out of the look."""
    for number in range(8):
        (data / f"{number}").touch()
    first, second, *others = [entry.name for entry in os.scandir(data)]
    walk = iter(watching._walk_entries(str(data), ()))
    assert [next(walk)[0], next(walk)[0]] == ["", first]
    gone = data / second
    gone.rename(data.parent / "gone")
    assert set(others) <= {place for place, _ in walk}


_NAMESPACES = "/proc/sys/user/max_mnt_namespaces"  # each user namespace has its own
_IN_USER_NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount", "bash", "-c"]
can_limit = pytest.mark.skipif(
    sys.platform != "linux"
    or subprocess.run([*_IN_USER_NAMESPACE, f"echo 2 >{_NAMESPACES}"], check=False).returncode != 0,
    reason="needs user namespaces",
)


@can_limit
def test_a_step_for_which_there_is_no_namespace_is_watched(rig: Rig, data: Path) -> None:
    """Where the kernel gives no more namespaces, a step runs all the same, and a change of its input is found."""
    program = Path(launcher.__file__).with_name("__main__.py")
    command = f"echo 2 >{_NAMESPACES} && exec {sys.executable} -I -S {program} {rig.home.root}"
    with open(rig.home.path("launcher.log"), "ab") as log:
        rig.launchers.append(
            subprocess.Popen([*_IN_USER_NAMESPACE, command], stdout=log, stderr=log, start_new_session=True)
        )
    client = rig.connect()
    reader = rig.step(
        "a", f"until [ -e {data.parent}/go ]; do sleep 0.01; done; echo x >{data}/y", reads={str(data): "d"}
    )
    client.start(reader)  # has the only one until it ends
    step = rig.step("b", f"echo x >>{data}/f.txt; touch {data.parent}/go", reads={str(data): "d"})
    client.start(step)
    assert client.exit("b")["code"] == 0
    assert "f.txt was written" in str(watching.find_change(claims.make_path(step["folder"], "b")))
    assert client.exit("a")["code"] != 0  # its own is read-only


@can_seal
def test_a_launcher_that_cannot_come_back_ends(tmp_path: Path) -> None:
    """A launcher that cannot leave a step's namespace starts no other step there: it ends and says so."""
    program = (
        "import os, sys; from smalt.launcher.sealing import MountSealer; s = MountSealer(); os.close(s._own)\n"
        "with s.seal_inputs([sys.argv[1]], []): pass\n"
        "print('went on')"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "this launcher ends" in done.stderr
