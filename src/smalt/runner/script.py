"""The bash text of a step: claim it, enter its folder, run the command, leave its exit code behind.

The code must be left even when the command says `exit`, `exec` or `trap`, and must not be left when the shell is
ended from outside: bash runs an EXIT trap then too, with the code of whatever came before. So there is no trap.
A command that is plain words, and cannot end the shell it runs in, runs in this shell (0.1 ms more than
nothing); any other runs in a subshell (0.4 ms; an inner `bash -c` takes 1.4 ms).
"""

from __future__ import annotations

import re
import shlex

from smalt.launcher import claims

_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./=:,@%+ -]*")
_ENDS_OR_CHANGES_THE_SHELL = frozenset(
    """
    . break builtin bg case cd command continue coproc declare disown do done elif else enable esac eval exec exit export
    fc fg fi for function getopts hash if in jobs kill let local logout mapfile popd pushd read readarray readonly return
    select set shift shopt source suspend then time times trap typeset ulimit umask unset until wait while
    """.split()
)


def build(command: str, *, step_id: str, folder: str, cwd: str) -> str:
    """The text for `bash -c`; `folder` is where the claim lies, `cwd` where the command runs."""
    claim = shlex.quote(claims.path(folder, step_id))
    body = command if _plain(command) else f"(eval {shlex.quote(command)}\n)"
    no_claim = f"smalt: cannot write to {folder}: is the disk full, or the folder gone?"
    no_folder = f"smalt: cannot enter the working folder {cwd}"
    # The shell stays on SIGTERM (sent to all of the step at once) until the command, which may be saving its
    # work, has ended; a trapped signal is reset to its default in what the shell runs.
    return (
        f"set -C;: 2>/dev/null >{claim}||{{ [ -e {claim} ]&&exit {claims.TAKEN};{_complain(no_claim)};exit 1;}};set +C\n"
        f"trap : TERM;cd {shlex.quote(cwd)} 2>/dev/null||{{ {_complain(no_folder)};false;}}&&{{\n"
        f"{body}\n}}\n"
        f"set -- $?;echo $1 2>/dev/null >>{claim};exit $1"
    )


def _complain(sentence: str) -> str:
    return f"echo {shlex.quote(sentence)} >&2"


def _plain(command: str) -> bool:
    return bool(_PLAIN.fullmatch(command)) and _ENDS_OR_CHANGES_THE_SHELL.isdisjoint(command.split())
