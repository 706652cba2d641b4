"""`smalt python …`: a program or notebook written for `azure.ai.ml`, run unedited; see docs/python.md."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click


def _run_python(module: bool, text: bool, words: tuple[str, ...]) -> None:
    """Run a Python program or a notebook written for azure.ai.ml, unedited.

    Its imports of azure.ai.ml, azure.identity and mldesigner are smalt's, whether or not those packages are installed.
    A notebook's cells run in order until one fails; the notebook with its outputs is written to NAME.executed.ipynb
    beside it.

    \b
        smalt python submit.py --learning-rate 0.1
        smalt python -m package.train
        smalt python -c 'from azure.ai.ml import MLClient; print(MLClient.from_config().workspace_name)'
        smalt python pipeline.ipynb
    """
    from smalt.python import programs

    if module and text:
        raise click.UsageError("-m and -c exclude each other; give one")
    if (module or text) and not words:
        raise click.UsageError("say what to run: smalt python -m MODULE, or smalt python -c CODE")
    if not words:
        raise click.UsageError("say what to run: smalt python FILE, where FILE is a program or a notebook")
    first, rest = words[0], words[1:]
    add_programs_to_path()
    if module:
        code = programs.run_module(first, rest)
    elif text:
        code = programs.run_text(first, rest)
    elif first == "-":
        code = programs.run_text(sys.stdin.read(), rest, "-")
    elif Path(first).suffix == ".ipynb":
        from smalt.python.notebook import run_notebook

        code = run_notebook(first, rest)
    else:
        code = programs.run_file(first, rest)
    if code:
        raise click.exceptions.Exit(code)


def add_programs_to_path() -> None:
    """Put smalt's `az` and `mldesigner`, and this process's Python, first on the PATH of the program's children."""
    from smalt.cli.commands.exec import install_az, install_program
    from smalt.machine.home import Home

    home = Home.find()
    home.create()
    ours = (install_az(home), install_program(home, "programs/designer/mldesigner", "smalt.designer"))
    os.environ["PATH"] = os.pathsep.join((*ours, os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)))


class _PythonCommand(click.Command):
    """A command that passes everything after the program to the program."""

    allow_interspersed_args = False

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0].startswith(("-m", "-c")) and len(args[0]) > 2 and not args[0].startswith("--"):
            args = [args[0][:2], args[0][2:], *args[1:]]
        return super().parse_args(ctx, args)


python = _PythonCommand(
    "python",
    callback=_run_python,
    params=[
        click.Option(["-m", "module"], is_flag=True, help="The next word is a module, as of 'python -m'."),
        click.Option(["-c", "text"], is_flag=True, help="The next word is the program's text, as of 'python -c'."),
        click.Argument(["words"], nargs=-1, type=click.UNPROCESSED, metavar="FILE|MODULE|CODE [ARGUMENT…]"),
    ],
    help=_run_python.__doc__,
    context_settings={"help_option_names": ["-h", "--help"]},
)
