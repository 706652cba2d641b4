"""`mldesigner execute|compile` where smalt is installed: under `smalt python`, and as `python -m smalt.designer`."""

from __future__ import annotations

import argparse
import sys

from smalt.designer.compiling import compile as compile_components
from smalt.exceptions import SmaltError
from smalt.inside.designer import commands

_HELP = """usage: mldesigner execute --source FILE [--name NAME] [--inputs NAME=VALUE …] [--outputs NAME=PATH …]
       mldesigner compile --source FILE [--name NAME] [--output FOLDER] [--ignore-file FILE]

execute runs the function of a component, compile writes components and pipelines as YAML files."""
_NO_PACKAGES = "smalt writes no packages of components; load_component(source='component.yml') gives the same function"


def main() -> None:
    verb = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if verb == "compile":
        _run_compile(sys.argv[2:])
    elif verb in ("--help", "-h"):
        print(_HELP)
    elif verb == "generate":
        sys.exit(f"mldesigner: {_NO_PACKAGES}")
    elif verb == "execute" or verb.startswith("-"):
        commands.main()
    else:
        sys.exit(f"mldesigner: smalt has no 'mldesigner {verb}'; it has execute and compile")


def _run_compile(words: list[str]) -> None:
    parser = argparse.ArgumentParser("mldesigner compile")
    parser.add_argument("--source", required=True, help="a Python file, or a pattern of such")
    parser.add_argument("--name", help="the component or pipeline; all of the file where it is not said")
    parser.add_argument("--output", help="the folder for the components and copies of their code")
    parser.add_argument("--ignore-file", help="what of the code is left out, beside its own .amlignore")
    given = parser.parse_args(words)
    try:
        paths = compile_components(given.source, name=given.name, output=given.output, ignore_file=given.ignore_file)
    except SmaltError as problem:
        sys.exit(str(problem))
    print(*paths, sep="\n")


if __name__ == "__main__":
    main()
