"""A command whose first word is a file of the code that no shell finds."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from smalt.service.compute.backend import Exit
from smalt.service.engine.error_lines import find_error_line
from smalt.service.engine.outcome import add_command_hint, add_error_line, add_module_hint, find_exit_error
from tests.engine.bench import workbench

TRACEBACK = """Traceback (most recent call last):
  File "train.py", line 3, in <module>
    row['price']
KeyError: 'price'
"""

GROUP = """  + Exception Group Traceback (most recent call last):
  |   File "train.py", line 1, in <module>
  |     raise ExceptionGroup("both", [ValueError("inner")])
  | ExceptionGroup: both (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "train.py", line 2, in <module>
    | ValueError: inner
    +------------------------------------
"""


PIECES = [
    *("1", " ", ":", "[", "(", "x", ".", ",", "a.", "1,", "1 ", "1.", "-", "a: ", "a=1 ", "1, ", "0 ", "1 % ", "\r"),
    *("no ", "cannot x ", "Connection refused", "Error", "ERROR ", "Failed to x", ": Assertion 'x", "\x1b[1", "[a1]: "),
]
TERMINATED = """terminate called after throwing an instance of 'std::runtime_error'
  what():  no such model
bash: line 1:  1234 Aborted                 (core dumped) ./score
"""
WITHOUT = "terminate called without an active exception"
TERMINATED_LINE = "terminate called after throwing an instance of 'std::runtime_error': no such model"


@pytest.mark.parametrize(
    ("command", "code", "instead"),
    [
        ("train.py", 127, "python train.py"),
        ("LR=1 train.py --epochs 2", 127, "python train.py"),
        ("./run.sh", 126, "bash run.sh"),
        ("tool", 127, "./tool"),
        ("ls train.py", 127, None),
        ("train.py", 1, None),
        ("../train.py", 127, None),
    ],
)
def test_what_to_write_instead(tmp_path: Path, command: str, code: int, instead: str | None) -> None:
    """The way to run a file follows from its ending; other commands and codes get no hint."""
    for name in ("train.py", "run.sh", "tool"):
        (tmp_path / name).write_text("")
    (tmp_path.parent / "train.py").write_text("")
    error = add_command_hint({"code": "UserError", "message": "it", "exit_code": code}, command, str(tmp_path), "src/x")
    assert error["message"].startswith("it")
    assert (instead is None) == (error["message"] == "it")
    assert (
        instead is None or f"src/x exists, but its name alone is not a command; write '{instead}'" in error["message"]
    )


def test_a_command_of_r_that_is_not_there_says_how_to_have_it(tmp_path: Path) -> None:
    error = add_command_hint({"code": "UserError", "message": "it", "exit_code": 127}, "Rscript main.R", str(tmp_path))
    assert "list 'r-base' in the environment's conda_file" in error["message"]


@pytest.mark.parametrize(
    ("number", "ended_by"),
    [(9, "SIGKILL (possibly out of memory)"), (15, "SIGTERM"), (11, "SIGSEGV"), (99, "signal 99")],
)
def test_the_signal_that_ended_a_command_is_named(number: int, ended_by: str) -> None:
    exit = Exit("s", None, number, "exited", None, None, 0.0, None)
    error = find_exit_error(exit, None)
    assert error is not None
    assert (error["message"], error["signal"]) == (f"the command was ended by {ended_by}", number)


@pytest.mark.parametrize(
    ("signal", "code", "words"), [(6, None, ": why"), (None, 134, ": why"), (None, 137, ""), (9, None, "")]
)
def test_a_command_that_aborts_has_said_why(signal: int | None, code: int | None, words: str) -> None:
    """A C++ program does after an exception that nobody caught; one that another ends has not."""
    error = find_exit_error(Exit("s", code, signal, "exited", None, None, 0.0, None), None)
    assert error is not None
    assert add_error_line(error, "why")["message"] == error["message"] + words


async def test_a_module_that_the_host_lacks_is_named_with_what_to_do() -> None:
    """Only in `azureml:host`, and only if the log ends with that error."""
    async with workbench() as bench:
        job = bench.submit("c", {"command": "python3 -c 'import nothing_of_that.name'", "environment": "azureml:host"})
        message = str((await bench.over(job)).error)
        assert "the command exited with code 1: azureml:host is /" in message
        assert "which has no module 'nothing_of_that'; install it there, name another Python with" in message
        job = bench.submit("d", {"command": "echo \"No module named 'x'\"; exit 1", "environment": "azureml:host"})
        assert "no module" not in str((await bench.over(job)).error)


def test_mlflow_is_in_an_environment_that_the_hint_names(tmp_path: Path) -> None:
    log = tmp_path / "std_log.txt"
    log.write_text("Traceback …\nModuleNotFoundError: No module named 'mlflow'\n")
    hint = add_module_hint({"message": "it"}, str(log), "/usr/bin/python3")["message"]
    assert hint.endswith("give the job an environment that has it, such as azureml:sklearn-1.5@latest")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("begun\n" + TRACEBACK + "bye\n", "KeyError: 'price'"),
        (TRACEBACK.replace("KeyError: 'price'", "__main__.Stop"), "__main__.Stop"),
        (
            TRACEBACK + "\nDuring handling …\n\n" + TRACEBACK.replace("KeyError", "RuntimeError"),
            "RuntimeError: 'price'",
        ),
        ("bash: line 1: no-such-program: command not found\n", "bash: line 1: no-such-program: command not found"),
        ("cat: /x: No such file or directory\n", "cat: /x: No such file or directory"),
        ("curl: (7) Failed to connect to warehouse\n", "curl: (7) Failed to connect to warehouse"),
        ("connection refused: warehouse:5432\n", "connection refused: warehouse:5432"),
        ("train.py: error: unrecognized arguments: --x\n", "train.py: error: unrecognized arguments: --x"),
        ("Error in f(x) : object 'y' not found\nExecution halted\n", "Error in f(x) : object 'y' not found"),
        ("\x1b[31m2026-01-01 ERROR load: no rows\x1b[0m\r\n", "2026-01-01 ERROR load: no rows"),
        (TRACEBACK + "INFO cleanup: log level ERROR reached\n", "KeyError: 'price'"),
        (TRACEBACK + "ERROR cleanup: left behind\n", "KeyError: 'price'"),
        (TRACEBACK + "loader: weights not found, using defaults\n", "KeyError: 'price'"),
        ("ValueError: bad\nloader: weights not found, using defaults\n", "ValueError: bad"),
        (TRACEBACK + "TypeError: one that is printed\n", "KeyError: 'price'"),
        ("".join(f"[rank0]: {line}\n" for line in TRACEBACK.split("\n")), "KeyError: 'price'"),
        (GROUP, "ValueError: inner"),
        ("ERROR load: no INFO\n", "ERROR load: no INFO"),
        ("INFO cleanup: log level ERROR reached\n  ERROR_RATE: 0.1 ERROR\n", None),
        (TRACEBACK + "going on\n" * 2000, "KeyError: 'price'"),
        (TERMINATED, TERMINATED_LINE),
        (TRACEBACK + "going on\n" + TERMINATED + "Aborted (core dumped)\n", TERMINATED_LINE),
        ("main: a.c:3: main: Assertion `x' failed.\nAborted\n", "main: a.c:3: main: Assertion `x' failed."),
        (TRACEBACK + "going on\nbash: line 3: foo: command not found\n", "bash: line 3: foo: command not found"),
        (
            TRACEBACK + "./run.sh: line 3:  1234 Killed        python a.py\n",
            "./run.sh: line 3:  1234 Killed        python a.py",
        ),
        (TRACEBACK + "going on\nSegmentation fault (core dumped)\n", "Segmentation fault (core dumped)"),
        (TRACEBACK + "going on\nsh: 1: nvidia-smi: not found\n", "KeyError: 'price'"),
        ("bash: line 1: foo: command not found\n" + TRACEBACK, "KeyError: 'price'"),
        ("bash: line 1: foo: command not found\ntrain.py: error: bad\n", "train.py: error: bad"),
        ("bash: line 1: DATA: unbound variable\n", "bash: line 1: DATA: unbound variable"),
        ("ValueError: bad\n0 ERROR found\nerror: 0.12\n", "ValueError: bad"),
        ("error: 0.12, loss: 0.3\nval: error: 1e-3\nRelativeError: 0.02\nERROR: 12 %\n", None),
        ("0 ERROR found\nno errors\nerror: none\ncheck: error: no errors\n", None),
        ("error: 0.12 (val: 0.3), best: 0.1 / 0.2; n=3\nerror: 1,234.5 ± 0.1\nError: 12 %\nerror: 3e-4 | 5\n", None),
        ("KeyError: 3\n", "KeyError: 3"),
        ("Error: 404\n", "Error: 404"),
        ("panic: 42\n", "panic: 42"),
        ("fatal: no\n", "fatal: no"),
        ("ERROR 1045 (28000): Access denied for user\n", "ERROR 1045 (28000): Access denied for user"),
        ("ERROR 1064 (42000) at line 1: You have an error\n", "ERROR 1064 (42000) at line 1: You have an error"),
        ("ERROR: 1/4 workers died\n", "ERROR: 1/4 workers died"),
        ("error: 5 (Access is denied)\n", "error: 5 (Access is denied)"),
        ("FATAL: 3 (No such process)\n", "FATAL: 3 (No such process)"),
        ("FATAL: 3\n", "FATAL: 3"),
        ("ERROR 2024/01/15 10:00:00 connection lost\n", "ERROR 2024/01/15 10:00:00 connection lost"),
        ("ERROR 3, rank died: OOM\n", "ERROR 3, rank died: OOM"),
        ("error: 3 files: missing\n", "error: 3 files: missing"),
        ("error: code: 5\n", "error: code: 5"),
        (TRACEBACK + WITHOUT + "\nAborted\n", "KeyError: 'price'"),
        (TRACEBACK + "going on\n" * 2000 + WITHOUT + "\nAborted (core dumped)\n", "KeyError: 'price'"),
        (WITHOUT + "\nAborted\n", WITHOUT),
        (TRACEBACK + "cleanup.sh: line 4: /tmp/x: No such file or directory\nbye\n", "KeyError: 'price'"),
        (
            TRACEBACK + "bash: line 3:  1234 Killed        python a.py\nbye\n",
            "bash: line 3:  1234 Killed        python a.py",
        ),
        ("Error: 404 Not Found\n", "Error: 404 Not Found"),
        ("12 ERROR found\n", "12 ERROR found"),
        ("mean absolute error: 0.2\n0 errors\nUserWarning: an Error may come\n", None),
        ("", None),
    ],
)
def test_the_line_of_a_log_that_names_an_error(text: str, line: str | None) -> None:
    """The end of the last traceback; where there is none, what programs and shells write before they fail."""
    assert find_error_line(text) == line


@pytest.mark.parametrize("length", [64 * 1024, 900])
@pytest.mark.parametrize(
    "start", ["error: 1", "ERROR ", "val: error: nan, a", "KeyError: ", "x: line 1: ", "a: ", "[rank", "", "0 "]
)
def test_no_line_takes_long(start: str, length: int) -> None:
    """The server waits while a pattern is matched: all pieces take less than a second, not hours for one line."""

    def interrupt(*_: object) -> None:
        raise TimeoutError(f"it took 5 seconds after {start!r}")

    before = signal.signal(signal.SIGVTALRM, interrupt)
    signal.setitimer(signal.ITIMER_VIRTUAL, 5)
    try:
        for piece in PIECES:
            line = start + piece * ((length - len(start)) // len(piece)) + "!"
            find_error_line(f"{line}\n" * (64 * 1024 // length))
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def test_a_long_line_is_clipped() -> None:
    assert len(find_error_line(f"ValueError: {'x' * 5000}") or "") == 301


async def test_the_error_of_a_command_has_the_line_of_its_log() -> None:
    """Not where it ended by a signal, or where a hint says why."""
    async with workbench() as bench:
        failing = "python3 -c \"{'a': 1}['price']\""
        job = bench.submit("a", {"command": failing, "environment": "azureml:host"})
        assert "the command exited with code 1: KeyError: 'price'" in str((await bench.over(job)).ended_by)
        job = bench.submit("b", {"command": "echo 'error: no' >&2; kill -9 $$", "environment": "azureml:host"})
        assert "error: no" not in str((await bench.over(job)).ended_by)
