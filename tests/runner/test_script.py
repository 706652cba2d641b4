"""The text of a step, given to bash itself. What the launcher makes of it is in tests/launcher."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from smalt.launcher import claims
from smalt.runner import script
from tests.helpers import LONGEST


def run(folder: Path, command: str, **more: object) -> subprocess.CompletedProcess[str]:
    text = script.build_script(command, step_id="s", folder=str(folder), cwd=str(folder), **more)  # type: ignore[arg-type]
    return subprocess.run(["bash", "-c", text], capture_output=True, text=True)


@pytest.mark.parametrize(
    "command",
    [
        "echo a b",
        "echo a  b c=d ./x",
        "echo $1 $# $- $0",
        "echo a; echo b",
        "cat <<'X'\n$y 'z'\nX",
        'echo "it\'s" \\\n on',
    ],
)
def test_a_command_sees_the_shell_it_expects(tmp_path: Path, command: str) -> None:
    """Output and code are those of a bare `bash -c`."""
    bare = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    done = run(tmp_path, command)
    assert (done.stdout, done.returncode) == (bare.stdout, bare.returncode)
    assert not done.stderr


@pytest.mark.parametrize(
    "command",
    [
        "absent",
        "absent --plain words",
        "echo a\n\nabsent\nif true; then\n  absent2 'it'\\''s\ntwo'\nfi",
        "f() {\n  absent $LINENO\n}\ncat <<X\n$LINENO\nX\nf\necho $LINENO \\\n $LINENO",
        "\n\nset -u\necho $UNSET",
        "trap 'echo $? $LINENO' EXIT\nset -e\n\nabsent\necho never",
        "echo $'a\\n' \"b\nc\" 'd\n\\e'\nabsent",
    ],
)
def test_messages_name_the_line_of_the_command(tmp_path: Path, command: str) -> None:
    """Lines are counted from the first of the command, as by a bare `bash -c`."""
    bare = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    done = run(tmp_path, command)
    assert (done.stdout, done.stderr) == (bare.stdout, bare.stderr)


def test_a_syntax_error_is_found_in_its_line(tmp_path: Path) -> None:
    """bash shows the line, and counts from the first of the command."""
    done = run(tmp_path, "echo a\n\n  foo )")
    assert done.stderr == "bash: eval: line 3: syntax error near unexpected token `)'\nbash: eval: line 3: `  foo )'\n"
    assert (done.stdout, done.returncode) == ("a\n", 2)


def test_every_character_arrives(tmp_path: Path) -> None:
    text = "".join(map(chr, [*range(1, 0x180), 0x20AC, 0x1F600]))
    done = subprocess.run(
        [
            "bash",
            "-c",
            script.build_script(f"\nprintf %s {shlex.quote(text)}", step_id="s", folder=str(tmp_path), cwd="/"),
        ],
        capture_output=True,
    )
    assert done.stdout == text.encode()


@pytest.mark.parametrize("command", ["true", "python train.py --lr 0.1", "./run.sh a=b", "echo hello world"])
def test_plain_words_need_no_shell_of_their_own(command: str) -> None:
    """The quick way is for commands that cannot end or change the shell."""
    assert "eval" not in script.build_script(command, step_id="s", folder="/f", cwd="/f")


@pytest.mark.parametrize(
    "command", ["exit 3", "exec x", "echo x; exit 3", "a | b", ". ./x", "echo $x", "x 'y'", "a\nb", "", "x &"]
)
def test_anything_else_has_one(command: str) -> None:
    """So that the code is left whatever happens in it."""
    assert "eval" in script.build_script(command, step_id="s", folder="/f", cwd="/f")


def test_names_with_odd_letters_are_only_names(tmp_path: Path) -> None:
    """Quotes, spaces and dollars in a folder or a step id run nothing."""
    folder = tmp_path / 'it\'s $(touch gone) "here"'
    folder.mkdir()
    text = script.build_script("pwd", step_id="a/b '$(touch gone)'", folder=str(folder), cwd=str(folder))
    done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.strip() == str(folder)
    assert claims.read_code(claims.make_path(str(folder), "a/b '$(touch gone)'")) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [folder.name]


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    """Without a claim nothing is run."""
    done = run(tmp_path / "absent", "echo ran")
    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr == f"smalt: cannot write to {tmp_path}/absent: is the disk full, or the folder gone?\n"


def test_a_command_may_delete_its_own_folder(tmp_path: Path) -> None:
    """No last word can be left then, and nothing is said about it; the code stays the command's."""
    folder = tmp_path / "job"
    folder.mkdir()
    done = run(folder, f"rm -rf {folder}; exit 5")
    assert (done.returncode, done.stderr) == (5, "")


def test_a_terminated_command_leaves_its_own_code(tmp_path: Path) -> None:
    """The shell waits for a command that handles SIGTERM, and takes its code."""
    program = tmp_path / "p.py"
    program.write_text(
        "import signal, sys, time\n"
        "signal.signal(15, lambda *_: sys.exit(6))\nprint('ready', flush=True)\ntime.sleep(1000)\n"
    )
    command = shlex.join([sys.executable, str(program)])
    text = script.build_script(command, step_id="s", folder=str(tmp_path), cwd=str(tmp_path))
    shell = subprocess.Popen(["bash", "-c", text], stdout=subprocess.PIPE, start_new_session=True)
    assert shell.stdout is not None
    assert shell.stdout.readline() == b"ready\n"
    os.killpg(shell.pid, 15)
    assert shell.wait(LONGEST) == 6
    shell.stdout.close()
    assert claims.read_code(claims.make_path(str(tmp_path), "s")) == 6


def test_a_distributed_command_is_fanned_out(tmp_path: Path) -> None:
    """The job's distribution, as the service writes it, becomes processes."""
    pytorch = {"type": "PyTorch", "process_count_per_instance": 2, "instance_count": 2}
    done = run(tmp_path, "echo rank=$RANK", distribution=pytorch, logs=str(tmp_path / "logs"))
    shown = ["[rank 1] rank=1", "[rank 2] rank=2", "[rank 3] rank=3", "rank=0"]
    assert (sorted(done.stdout.splitlines()), done.returncode) == (shown, 0)
    assert [(tmp_path / "logs" / f"std_log_process_0{rank}.txt").read_text() for rank in range(4)] == [
        f"rank={rank}\n" for rank in range(4)
    ]
    assert claims.read_code(claims.make_path(str(tmp_path), "s")) == 0


def test_workers_are_as_many_as_machines_where_unset(tmp_path: Path) -> None:
    """TensorFlow's own counts go before the number of machines."""
    tensorflow = {"type": "tensorflow", "instance_count": 3}
    text = script.build_script("true", step_id="s", folder="/f", cwd="/f", distribution=tensorflow)
    plan = json.loads(next(word for word in shlex.split(text) if word.startswith('{"command"')))
    assert (plan["workers"], plan["parameter_servers"]) == (3, 0)
