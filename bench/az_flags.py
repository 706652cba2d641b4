"""Which `az ml NOUN VERB …` command lines of a checkout smalt accepts: `python bench/az_flags.py CHECKOUT [--all]`.

Every shell script, README and workflow is read. A command line counts as accepted when its verb exists and its
options parse; whether the verb can do anything with them is the verb's affair. Exit status 1 when one of our nouns
refuses a line.
"""

from __future__ import annotations

import argparse
import re
import shlex
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import click

from smalt.cli.app import LATER, smalt
from smalt.cli.framework import arguments

NOUNS = (
    *("job", "component", "environment", "data", "model", "compute", "datastore", "workspace"),
    *("schedule", "online-endpoint", "online-deployment", "batch-endpoint", "batch-deployment", "connection"),
)
ENDINGS = {".sh", ".md", ".yml", ".yaml", ".ps1", ".azcli", ".txt"}
USE = re.compile(r"\baz ml ([a-z-]+) ([a-z-]+)((?:[^\n\\]|\\\n|\\.)*)")
FLAG = re.compile(r"^--?[A-Za-z]")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--all", action="store_true", help="print the accepted ones, too")
    options = parser.parse_args()
    uses: Counter[tuple[str, str]] = Counter()
    flags: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    refused: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for noun, verb, words in commands(options.checkout):
        uses[noun, verb] += 1
        flags[noun, verb].update(word.partition("=")[0] for word in words if FLAG.match(word))
        problem = parse(noun, verb, words)
        if problem:
            refused[noun, verb][problem] += 1
    report(uses, flags, refused, options.all)
    return 1 if any(noun in NOUNS for noun, _ in refused) else 0


def commands(checkout: Path) -> Iterator[tuple[str, str, list[str]]]:
    """(noun, verb, words after it) of every use, in the order of the files."""
    for path in sorted(checkout.rglob("*")):
        if path.suffix not in ENDINGS or not path.is_file():
            continue
        for found in USE.finditer(path.read_text(errors="replace")):
            yield found[1], found[2], split(found[3])


def split(text: str) -> list[str]:
    """The words of a command line up to where the shell would end it; what it would substitute becomes VALUE."""
    text = re.sub(r"\\\r?\n", " ", text)
    text = re.sub(r"\$\([^()]*\)|<+[\w .-]+>+", "VALUE", text).partition("`")[0]
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.wordchars += "$[]{}@%^!,:+\\"
    words: list[str] = []
    try:
        for word in lexer:
            if set(word) <= set("();<>|&"):
                break
            words.append(word)
    except ValueError:  # an apostrophe in prose
        words = text.split()
    return words


def parse(noun: str, verb: str, words: list[str]) -> str | None:
    """Why smalt would not take this command line; None when it does."""
    root = click.Context(smalt, info_name="smalt")
    group = smalt.get_command(root, noun)
    if group is None:
        return f"no noun '{noun}'"
    if not isinstance(group, click.Group):
        return None
    command = group.get_command(click.Context(group, root), verb)
    if command is None:
        return f"no verb '{verb}'"
    context = click.Context(command, root, info_name=verb)
    context.allow_extra_args = context.ignore_unknown_options = command.context_settings.get("allow_extra_args", False)
    options = [param for param in command.params if isinstance(param, click.Option)]
    if context.allow_extra_args:
        return None
    try:
        # A shell variable may stand for any number of options: it is none of ours.
        kept = [word for word in words if not re.fullmatch(r"\$\{?\w*(info|args)\w*\}?", word)]
        command.make_parser(context).parse_args(arguments.expand_arguments(kept, options))
    except click.BadOptionUsage as error:
        # Prose may name an option without its value.
        return None if words[-1] == error.option_name else error.format_message()
    except click.UsageError as error:
        return error.format_message()
    return None


def report(
    uses: Counter[tuple[str, str]],
    flags: dict[tuple[str, str], Counter[str]],
    refused: dict[tuple[str, str], Counter[str]],
    everything: bool,
) -> None:
    ours = {key: count for key, count in uses.items() if key[0] in NOUNS}
    for noun, verb in sorted(ours):
        problems = refused.get((noun, verb))
        if everything or problems:
            options = " ".join(sorted(flags[noun, verb]))
            print(f"{noun} {verb}: {uses[noun, verb]} uses, {options or 'no options'}")
        for problem, count in (problems or Counter()).most_common():
            print(f"    refused {count} times: {problem}")
    bad = sum(sum(problems.values()) for (noun, _), problems in refused.items() if noun in NOUNS)
    later = sum(count for (noun, _), count in uses.items() if noun in LATER)
    print(f"{sum(ours.values())} uses of our nouns, {sum(ours.values()) - bad} accepted, {bad} refused")
    print(f"{later} uses of nouns that come later, each answered with one sentence")


if __name__ == "__main__":
    raise SystemExit(main())
