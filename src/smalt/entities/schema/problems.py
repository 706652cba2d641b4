"""Problems with a document, as paths into it and sentences, and the parts of such sentences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

Path = tuple[Any, ...]
"""Keys and indexes from the root of a document down to a value."""


class Problem(NamedTuple):
    """A problem with a document; with `at_key` it is shown at the key instead of the value."""

    path: Path
    message: str
    at_key: bool = False

    def __str__(self) -> str:
        where = format_path(self.path)
        return f"{where}: {self.message}" if where else self.message


def format_path(path: Path) -> str:
    """Return a path in dotted form, such as `jobs.train.inputs[0]`."""
    text = ""
    for part in path:
        if isinstance(part, int) and not isinstance(part, bool):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else str(part)
    return text


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return `; did you mean 'command'?`, or the empty text if no known word is near."""
    near = find_nearest(word, known)
    return f"; did you mean '{near}'?" if near else ""


def find_nearest(word: object, known: Iterable[str]) -> str | None:
    """Return the known word that was probably meant, misspelt or with letters swapped, or None."""
    import difflib

    names = {name.lower().replace("-", "_"): name for name in reversed([*known]) if isinstance(name, str)}
    given = str(word).lower().replace("-", "_")
    found = difflib.get_close_matches(given, names, n=1, cutoff=0.65)
    found = found or [name for name in names if len(name) > 2 and sorted(name) == sorted(given)]
    return names[found[0]] if found else None


def format_value(value: object) -> str:
    """Return a value as a sentence shows it: short, and with its type unless that is obvious."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value}'" if len(value) <= 60 and "\n" not in value else f"'{value[:57].splitlines()[0]}…'"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, (list, tuple)) else f"a {type(value).__name__}"


def add_article(word: str) -> str:
    """Return the word with its article, such as `a command` or `an automl`."""
    return f"an {word}" if word[:1] in "aeio" else f"a {word}"


def join_words(words: Iterable[str], last: str = "or") -> str:
    """Return the words as a list in a sentence, such as `a, b or c`."""
    items = list(words)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}"
