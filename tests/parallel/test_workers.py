"""Workers of parallel steps that die, hang, leave or flood: each mini-batch counts once, and the job says why."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.parallel.program import ParallelRun

ALL = [f"{number}.txt" for number in range(6)]
ONCE = """
def once(name):
    try:
        os.open(os.path.join(SIDE, name), os.O_CREAT | os.O_EXCL)
    except FileExistsError:
        return False
    return True
"""
RUN = """
def run(mini_batch):
    if mini_batch[0].endswith("2.txt") and once("run"):
        {}
    return [Path(one).name for one in mini_batch]
"""


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "its process was ended by SIGKILL (possibly out of memory)"),
        ("os._exit(0)", "its process exited with code 0 within run(), by os._exit() or a crash"),
        ("sys.exit(3)", "run() called sys.exit(3)"),
        ("raise KeyboardInterrupt", "run() raised KeyboardInterrupt"),
        ("raise ValueError('bad' + chr(10) + 'see there')", "run() raised ValueError: bad (score.py:"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "its process was ended by SIGSEGV"),
    ],
)
def test_a_worker_that_ends_within_run(tmp_path: Path, what: str, why: str) -> None:
    """Another takes its place; the mini-batch is run again, the others are not, and all rows are there in order."""
    count = "\nopen(os.path.join(SIDE, f'call-{os.getpid()}'), 'a').close()\n"
    one = ParallelRun(tmp_path, ONCE + count + RUN.format(what))
    code, out = one.run()
    assert code == 0, out
    assert one.read_rows() == ALL
    assert f"mini-batch 1 failed, try 1 of 3: {why}" in out
    assert "1 retried" in out


def test_a_worker_that_is_killed_in_init(tmp_path: Path) -> None:
    """Another takes its place; when none can start, the job fails with the cause."""
    die = "def init():\n    if {}:\n        os.kill(os.getpid(), signal.SIGKILL)\n"
    # One worker alone: two might be done before it is seen that one of them died.
    one = ParallelRun(tmp_path / "once", ONCE + die.format("once('init')") + RUN.format("pass"), per_instance=1)
    code, out = one.run()
    assert (code, one.read_rows()) == (0, ALL), out
    assert "init() did not return: its process was ended by SIGKILL" in out
    one = ParallelRun(tmp_path / "always", ONCE + die.format("True") + RUN.format("pass"))
    code, out = one.run()
    assert code == 1, out
    assert re.match(r"no worker could start: init\(\) did not return: .*SIGKILL.*times in a row", one.read_result())


def test_a_script_that_cannot_be_loaded(tmp_path: Path) -> None:
    """The error, its file and its line are in the job's sentence."""
    for number, (script, why) in enumerate(
        (
            ("def run(:\n", "score.py:4: invalid syntax"),
            ("import nosuchmodule\n", "No module named 'nosuchmodule' (score.py:4)"),
            (
                "def init():\n    raise OSError('no model')\ndef run(x):\n    return x\n",
                "OSError: no model (score.py:5)",
            ),
            ("def go(mini_batch):\n    return []\n", "score.py has no function run(mini_batch)"),
        )
    ):
        one = ParallelRun(tmp_path / str(number), script)
        code, _ = one.run()
        assert code == 1
        assert why in one.read_result()


def test_a_worker_that_dies_in_shutdown_fails_the_job(tmp_path: Path) -> None:
    """So does one whose shutdown raises: what it had to bring to an end may be lost."""
    for number, (what, why) in enumerate(
        (("os.kill(os.getpid(), signal.SIGKILL)", "ended by SIGKILL"), ("raise OSError('full')", "OSError: full"))
    ):
        script = RUN.format("pass") + f"def shutdown():\n    {what}\n"
        one = ParallelRun(tmp_path / str(number), ONCE + script, per_instance=1)
        code, out = one.run()
        assert code == 1, out
        assert why in one.read_result()
        assert one.read_result().endswith("what it had to bring to an end may be lost")


def test_a_mini_batch_that_hangs(tmp_path: Path) -> None:
    """It is ended after its time with all that it started, where it was is in its log, and it is tried again."""
    hang = "import subprocess; subprocess.Popen(['sleep', '600']); time.sleep(600)"
    one = ParallelRun(tmp_path, ONCE + RUN.format(hang), timeout=1)
    code, out = one.run()
    assert (code, one.read_rows()) == (0, ALL), out
    assert "mini-batch 1 failed, try 1 of 3: run() took longer than the 1 s of retry_settings.timeout" in out
    assert "in run" in (one.code / "logs" / "user" / "error.txt").read_text()


def test_a_hanging_init_is_ended(tmp_path: Path) -> None:
    """After the time for the first mini-batch."""
    one = ParallelRun(
        tmp_path, "def init():\n    time.sleep(600)\n" + RUN.format("pass"), start_timeout=1, per_instance=1
    )
    assert one.run()[0] == 1
    assert "init() took longer than the 1 s of --first_task_creation_timeout" in one.read_result()


def test_a_mini_batch_that_prints_much(tmp_path: Path) -> None:
    """All of it is in the log of its process, and none in the job's own."""
    one = ParallelRun(tmp_path, ONCE + RUN.format("sys.stdout.write('x' * 100_000_000)"), per_instance=1)
    code, out = one.run()
    assert (code, one.read_rows()) == (0, ALL), out[-1000:]
    assert (one.code / "logs" / "user" / "stdout" / "node0" / "process000.stdout.txt").stat().st_size == 100_000_000
    assert len(out) < 10_000


def test_a_mini_batch_that_returns_much(tmp_path: Path) -> None:
    """Rows of many megabytes come through whole."""
    script = "def run(mini_batch):\n    return [Path(one).name * 3_000_000 for one in mini_batch]\n"
    one = ParallelRun(tmp_path, script)
    code, out = one.run()
    assert code == 0, out
    assert [(row[:5], len(row)) for row in one.read_rows()] == [(name, 15_000_000) for name in ALL]


def test_a_thread_that_never_ends_does_not_hold_the_job(tmp_path: Path) -> None:
    """The process is ended by force after its work, with a line; the job completes, and one line has the rate."""
    loop = "import threading; threading.Thread(target=time.sleep, args=(3600,), name='client').start()"
    one = ParallelRun(tmp_path, f"def init():\n    {loop}\n" + ONCE + RUN.format("pass"), start_timeout=3)
    code, out = one.run()
    assert (code, one.read_rows()) == (0, ALL), out
    assert "is done and waits for threads that the script has left running: client" in out
    assert " was ended by force 3 s after its last call had returned" in out
    assert out.count("3 of 3 mini-batches, ") == 1, out


def test_a_thread_that_ends_is_waited_for(tmp_path: Path) -> None:
    """What it writes after the last call has returned is there."""
    script = """
import threading
def write():
    threading.main_thread().join()
    Path(SIDE, "late").touch()
def init():
    threading.Thread(target=write).start()
"""
    one = ParallelRun(tmp_path, script + ONCE + RUN.format("pass"), per_instance=1)
    code, out = one.run()
    assert (code, one.read_rows()) == (0, ALL), out
    assert "late" in one.list_side()
    assert "by force" not in out


def test_a_worker_whose_init_failed_does_not_wait_for_its_threads(tmp_path: Path) -> None:
    """The next one starts in its place at once."""
    script = """
import threading
def init():
    if once("init"):
        threading.Thread(target=time.sleep, args=(3600,)).start()
        raise OSError("not yet")
"""
    one = ParallelRun(tmp_path, ONCE + script + RUN.format("pass"), per_instance=1)
    code, out = one.run()
    assert (code, one.read_rows()) == (0, ALL), out
    assert "init() raised OSError: not yet" in out
    assert "by force" not in out
