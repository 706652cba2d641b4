"""Command lines in the syntax of `az`, rewritten for click.

`az` takes several values after one option (`--set a=1 b=2`) and any unambiguous beginning of a long option
(`--workspace` for `--workspace-name`); click takes neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

SEPARATOR = "\0"  # cannot stand in a command line


def expand_arguments(arguments: Sequence[str], options: Iterable[click.Option]) -> list[str]:
    """Return the arguments with long options written in full and options of several values repeated."""
    names = {name: option for option in options for name in (*option.opts, *option.secondary_opts)}
    names.setdefault("--help", click.Option(["--help"], is_flag=True))
    return list(_repeat_options(_expand_names(arguments, names), names))


def _expand_names(arguments: Sequence[str], names: dict[str, click.Option]) -> list[str]:
    result: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if argument == "--":
            return [*result, argument, *rest]
        if name.startswith("--") and name not in names:
            name = _find_full_name(name, names)
        result.append(name + equals + value)
        option = names.get(name)
        if option is not None and not equals and not option.is_flag:
            result.extend(value for value in (next(rest, None),) if value is not None)
    return result


def _find_full_name(start: str, names: dict[str, click.Option]) -> str:
    """Return the only option that begins with `start`; `start` itself if none does, for click to refuse."""
    found = [name for name in names if name.startswith(start)]
    if len({id(names[name]) for name in found}) > 1:
        raise click.UsageError(f"{start} could be {' or '.join(sorted(found))}; write it out")
    return found[0] if found else start


def _repeat_options(arguments: Sequence[str], names: dict[str, click.Option]) -> Iterable[str]:
    """Yield the arguments, with an option of several values repeated before each `key=value` that follows it.

    An option that takes words is followed by one argument of all words up to the next option.
    """
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
        several = name if option.multiple and not isinstance(option, WordsOption) else None
        yield argument
        if isinstance(option, WordsOption) and not equals:
            yield SEPARATOR.join(_take_words(waiting))
        elif not option.is_flag and not equals and waiting:
            yield waiting.pop()


def _take_words(waiting: list[str]) -> Iterable[str]:
    while waiting and not waiting[-1].startswith("--"):
        yield waiting.pop()


class WordsOption(click.Option):
    """An option that takes all words up to the next option; they arrive as one text, joined by SEPARATOR."""
