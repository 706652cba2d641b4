"""Command lines as `az` reads them, rewritten into what click reads.

`az` takes several values after one option (`--set a=1 b=2`) and any unambiguous beginning of a long option
(`--workspace` for `--workspace-name`); click takes neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

SEPARATOR = "\0"  # cannot stand in a command line


def expand(arguments: Sequence[str], options: Iterable[click.Option]) -> list[str]:
    """`arguments` with shortened long options written out and options of several values repeated."""
    names = {name: option for option in options for name in (*option.opts, *option.secondary_opts)}
    names.setdefault("--help", click.Option(["--help"], is_flag=True))
    return list(_repeated(_written_out(arguments, names), names))


def _written_out(arguments: Sequence[str], names: dict[str, click.Option]) -> list[str]:
    result: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if argument == "--":
            return [*result, argument, *rest]
        if name.startswith("--") and name not in names:
            name = _full_name(name, names)
        result.append(name + equals + value)
        option = names.get(name)
        if option is not None and not equals and not option.is_flag:
            result.extend(value for value in (next(rest, None),) if value is not None)
    return result


def _full_name(start: str, names: dict[str, click.Option]) -> str:
    """The one option that begins with `start`; `start` itself when there is none, for click to refuse."""
    found = [name for name in names if name.startswith(start)]
    if len({id(names[name]) for name in found}) > 1:
        raise click.UsageError(f"{start} could be {' or '.join(sorted(found))}; write it out")
    return found[0] if found else start


def _repeated(arguments: Sequence[str], names: dict[str, click.Option]) -> Iterable[str]:
    """After an option of several values more `key=value` belong to it; after one that takes words, any words."""
    several: str | None = None
    waiting = list(reversed(arguments))
    while waiting:
        argument = waiting.pop()
        name, equals, _ = argument.partition("=")
        option = names.get(name)
        if option is None:
            if several and "=" in argument and not argument.startswith("-"):
                yield several
            else:
                several = None
            yield argument
            continue
        several = name if option.multiple and not isinstance(option, Words) else None
        yield argument
        if isinstance(option, Words) and not equals:
            yield SEPARATOR.join(_words(waiting))
        elif not option.is_flag and not equals and waiting:
            yield waiting.pop()


def _words(waiting: list[str]) -> Iterable[str]:
    while waiting and not waiting[-1].startswith("--"):
        yield waiting.pop()


class Words(click.Option):
    """An option that takes all words up to the next option; they arrive as one text, joined by SEPARATOR."""
