"""`python -m smalt.designer execute|compile`, with the options of `mldesigner`."""

from __future__ import annotations

import argparse
import sys

from smalt.designer.compiling import compile as compile_components
from smalt.exceptions import SmaltError
from smalt.inside.designer import commands


def main() -> None:
    if sys.argv[1:2] != ["compile"]:
        commands.main()
        return
    parser = argparse.ArgumentParser("python -m smalt.designer compile")
    parser.add_argument("--source", required=True, help="a Python file, or a pattern of such")
    parser.add_argument("--name", help="the component; all of the file where it is not said")
    parser.add_argument("--output", help="the folder for the components and copies of their code")
    parser.add_argument("--ignore-file", help="what of the code is left out, beside its own .amlignore")
    given = parser.parse_args(sys.argv[2:])
    try:
        paths = compile_components(given.source, name=given.name, output=given.output, ignore_file=given.ignore_file)
    except SmaltError as problem:
        sys.exit(str(problem))
    print(*paths, sep="\n")


if __name__ == "__main__":
    main()
