"""The bash text of a step: claim it, enter its folder, run the command, leave its exit code behind.

The code must be left even when the command says `exit`, `exec` or `trap`, and must not be left when the shell is
ended from outside: bash runs an EXIT trap then too, with the exit code of the last command. So there is no trap.
A command that is plain words, and cannot end the shell it runs in, runs in this shell (0.1 ms more than
nothing); any other runs in a subshell (0.4 ms; an inner `bash -c` takes 1.4 ms).

In its messages bash counts lines from the first of the text, so all up to the command stands in one line: then a
message names the line of the command itself.
"""

from __future__ import annotations

import json
import re
import shlex
import signal
import sys
from collections.abc import Mapping
from typing import Any

from smalt.launcher import claims
from smalt.runner.distribution import PROGRAM

_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./=:,@%+ -]*")
_ENDS_OR_CHANGES_THE_SHELL = re.compile(
    r"(?:^| )(?:\.|break|builtin|bg|case|cd|command|continue|coproc|declare|disown|do|done|elif|else|enable|esac|eval"
    r"|exec|exit|export|fc|fg|fi|for|function|getopts|hash|if|in|jobs|kill|let|local|logout|mapfile|popd|pushd|read"
    r"|readarray|readonly|return|select|set|shift|shopt|source|suspend|then|time|times|trap|typeset|ulimit|umask|unset|until"
    r"|wait|while)(?: |$)"
)


def build_script(
    command: str,
    *,
    step_id: str,
    folder: str,
    cwd: str,
    distribution: Mapping[str, Any] | None = None,
    logs: str | None = None,
    is_contained: bool = False,
) -> str:
    """The text for `bash -c`; `folder` is where the claim lies, `cwd` where the command runs.

    `distribution` is the job's own, with `instance_count`; `logs` is where each of its processes logs.
    `is_contained` is true if the command starts a container.
    """
    claim = shlex.quote(claims.make_path(folder, step_id))
    if distribution is not None:
        plan = {"command": command, "logs": logs, "is_contained": is_contained, **_make_plan(distribution)}
        body = shlex.join([sys.executable, "-I", "-S", PROGRAM, json.dumps(plan)])
    else:
        body = command if _is_plain(command) else f"(set --;eval {_quote_in_one_line(command)}\n)"
    taken = f"[ -e {claim} ]&&exit {claims.TAKEN}"
    no_claim = _make_complaint(f"smalt: cannot write to {folder}: is the disk full, or the folder gone?")
    no_folder = _make_complaint(f"smalt: cannot enter the working folder {cwd}")
    # The shell stays on SIGTERM (sent to all of the step at once) until the command, which may be saving its
    # work, has ended; a trapped signal is reset to its default in what the shell runs. One that comes before the
    # command has begun keeps it from beginning.
    return (
        f"set -C;{{ : >{claim}&&set -- 1&&cd {shlex.quote(cwd)};}} 2>/dev/null||"
        f"{{ if [ $1 ];then {no_folder};echo 1 >>{claim};else {taken};{no_claim};fi;exit 1;}};"
        f"set +C;trap _smalt_end=1 TERM;"
        f"[ $_smalt_end ]&&exit {128 + signal.SIGTERM};"
        f"{body}\n"
        f"set -- $?;echo $1 2>/dev/null >>{claim};exit $1"
    )


def _make_plan(distribution: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the program in `distribution` has to know of a job's distribution."""
    kind = str(distribution.get("type", "")).lower()
    nodes = int(distribution.get("instance_count") or 1)
    if kind == "tensorflow":
        servers = int(distribution.get("parameter_server_count") or 0)
        return {"type": kind, "workers": int(distribution.get("worker_count") or nodes), "parameter_servers": servers}
    if kind == "ray":
        fields = ("address", "port", "include_dashboard", "dashboard_port")
        return {
            "type": kind, "nodes": nodes, **{name: distribution.get(name) for name in fields},
            "head_arguments": distribution.get("head_node_additional_args"),
            "worker_arguments": distribution.get("worker_node_additional_args"),
        }  # fmt: skip
    return {"type": kind, "nodes": nodes, "per_node": int(distribution.get("process_count_per_instance") or 1)}


def _make_complaint(sentence: str) -> str:
    return f"echo {shlex.quote(sentence)} >&2"


def _quote_in_one_line(command: str) -> str:
    return shlex.quote(command).replace("\n", r"'$'\n''")


def _is_plain(command: str) -> bool:
    return bool(_PLAIN.fullmatch(command)) and not _ENDS_OR_CHANGES_THE_SHELL.search(command)
