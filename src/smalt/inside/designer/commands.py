"""The command line of mldesigner that a job uses."""

from __future__ import annotations

import argparse
import sys
import traceback

from .errors import UserErrorException
from .executor import execute_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn


def main(words: Sequence[str] | None = None) -> None:
    words = list(sys.argv[1:] if words is None else words)
    parser = argparse.ArgumentParser("mldesigner", description="Runs the function of a component.")
    parser.add_argument("--source", required=True, help="the file of the component")
    parser.add_argument("--name", help="the component's name; needed where the file has several")
    parser.add_argument("--inputs", nargs="*", metavar="NAME=VALUE", help="the function's inputs")
    parser.add_argument("--outputs", nargs="*", metavar="NAME=PATH", help="where its outputs are written")
    if words and words[0] in ("compile", "generate", "export"):
        _exit_with(f"'mldesigner {words[0]}' is not for jobs; run it where smalt is installed: smalt.designer")
    given = parser.parse_args(words[1:] if words[:1] == ["execute"] else words)
    try:
        execute_file(given.source, given.name, _split_pairs(given.inputs), _split_pairs(given.outputs))
    except UserErrorException as problem:
        if not _is_ours():
            _show_traceback()
        _exit_with(str(problem))
    except Exception:
        _show_traceback()
        sys.exit(1)


def _split_pairs(words: Sequence[str] | None) -> dict[str, str]:
    pairs = {}
    for word in words or ():
        name, equals, value = word.partition("=")
        if not equals or not name:
            _exit_with(f"'{word}' is not NAME=VALUE")
        pairs[name] = value
    return pairs


def _is_ours() -> bool:
    """Return True if the component's function did not raise the error itself."""
    frames = traceback.extract_tb(sys.exc_info()[2])
    return all(frame.filename.startswith(_FOLDER) for frame in frames)


_FOLDER = __file__.rpartition("/")[0]


def _show_traceback() -> None:
    """Print the traceback from the user's first line on."""
    kind, problem, trace = sys.exc_info()
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith((_FOLDER, "<frozen importlib")):
        trace = trace.tb_next
    traceback.print_exception(kind, problem, trace)


def _exit_with(sentence: str) -> NoReturn:
    sys.stderr.write(f"mldesigner: {sentence}\n")
    sys.exit(1)
