"""Distributions, sampling algorithms and policies as they are written on a command line: `loguniform(-6,-1)`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import click

from smalt.entities.jobs.search_space import DISTRIBUTION, EARLY_TERMINATION, SAMPLING_NOUNS, SweepDistribution
from smalt.entities.schema.nested import TaggedNoun, load_noun
from smalt.entities.schema.problems import did_you_mean, join_words

_CALL = re.compile(r"\s*(?P<name>[A-Za-z_]\w*)\s*(?:\((?P<arguments>.*)\)\s*)?", re.DOTALL)
_PAIRS = {"(": ")", "[": "]", "{": "}"}
_KEYWORD = re.compile(r"\s*([A-Za-z_]\w*)\s*=(.*)", re.DOTALL)


def parse_space(pairs: Sequence[str]) -> dict[str, Any]:
    """Return the search space of `lr=loguniform(-6,-1)` and the like, as in YAML."""
    space: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.strip():
            raise click.UsageError(f"--space '{pair}': write NAME=DISTRIBUTION, as in --space 'lr=uniform(0,1)'")
        if name.strip() in space:
            raise click.UsageError(f"--space {name.strip()} is given twice; give each parameter once")
        space[name.strip()] = parse_call(f"--space {name.strip()}", text, DISTRIBUTION)
    return space


def parse_sampling(text: str, seed: int | None) -> Any:
    """Return a sampling algorithm with its seed, as in YAML."""
    algorithm = parse_call("--sampling", text, SAMPLING_NOUNS)
    if seed is not None and "seed" in algorithm:
        raise click.UsageError(
            f"--seed {seed} and the seed {algorithm['seed']} in --sampling are two; remove one of them"
        )
    if seed is not None:
        algorithm["seed"] = seed
    return algorithm if len(algorithm) > 1 else algorithm["type"]


def parse_policy(text: str) -> dict[str, Any]:
    """Return a policy of early termination, as in YAML."""
    return parse_call("--policy", text, EARLY_TERMINATION)


def parse_call(option: str, text: str, nouns: TaggedNoun[Any]) -> dict[str, Any]:
    """Return the mapping that a call such as `quniform(0, 10, q=2)` stands for."""
    kind, arguments = _split_call(option, text, nouns)
    noun = load_noun(nouns.table[kind])
    order = noun._order if issubclass(noun, SweepDistribution) else ()
    positional, named = _split_arguments(option, arguments, nouns)
    if kind == "choice":
        positional = [positional] if positional else []
    if len(positional) > len(order):
        count = "1 value" if len(positional) == 1 else f"{len(positional)} values"
        raise click.UsageError(f"{option}: {kind} {_describe_settings(noun, order)}, not {count}")
    values = {**dict(zip(order, positional, strict=False)), **named}
    for name in values:
        if name not in noun._fields:
            hint = did_you_mean(name, noun._fields)
            raise click.UsageError(f"{option}: {kind} has no '{name}'{hint}")
    missing = [name for name in noun._required if name not in values]
    if missing:
        raise click.UsageError(f"{option}: {kind} needs {join_words(missing, 'and')}{_show_example(kind, order)}")
    return {"type": kind, **values}


def _split_call(option: str, text: str, nouns: TaggedNoun[Any]) -> tuple[str, str]:
    """Return the kind that a call names, and the text of its arguments."""
    found = _CALL.fullmatch(text)
    if found is None and text.count("(") > text.count(")"):
        raise click.UsageError(f"{option}: '{text}' has no ')' at its end")
    kinds = {kind.replace("_", ""): kind for kind in nouns.table}
    kind = kinds.get(found["name"].lower().replace("_", "")) if found is not None else None
    if found is None or kind is None:
        name = found["name"] if found is not None else text
        hint = did_you_mean(name, nouns.table) or f"; it may be {join_words(nouns.table)}"
        raise click.UsageError(f"{option}: '{name}' is not {nouns.base.noun}{hint}")
    return kind, found["arguments"] or ""


def _describe_settings(noun: Any, order: Sequence[str]) -> str:
    if order:
        return f"takes {join_words(order, 'and')}"
    own = [name for name in noun._fields if name != "type"]
    return f"takes its settings by name: {', '.join(f'{name}=…' for name in own)}" if own else "takes no settings"


def _show_example(kind: str, order: Sequence[str]) -> str:
    if kind == "choice":
        return ", as in choice(a,b)"
    return f", as in {kind}({','.join(order)})" if order else ""


def _split_arguments(option: str, text: str, nouns: TaggedNoun[Any]) -> tuple[list[Any], dict[str, Any]]:
    """Return the arguments without a name and those with one: each a value as in YAML, or a distribution again."""
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for part in _split_commas(option, text):
        keyword = _KEYWORD.fullmatch(part)
        value = _read_argument(option, keyword[2] if keyword is not None else part, nouns)
        if keyword is not None:
            named[keyword[1]] = value
        else:
            positional.append(value)
    return positional, named


def _read_argument(option: str, text: str, nouns: TaggedNoun[Any]) -> Any:
    import datetime

    import yaml

    found = _CALL.fullmatch(text)
    is_call = found is not None and found["arguments"] is not None
    if (
        found is not None
        and is_call
        and nouns is DISTRIBUTION
        and found["name"].lower().replace("_", "") in nouns.table
    ):
        return parse_call(option, text, nouns)
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        raise click.UsageError(f"{option}: '{text.strip()}' cannot be read as a value") from None
    return text.strip() if isinstance(value, datetime.date) else value  # as in files


def _split_commas(option: str, text: str) -> list[str]:
    """Return the parts between the commas that are in no quotes, brackets, braces or parentheses."""
    parts, open, quote = [""], "", ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"" and parts[-1].rstrip()[-1:] in ("", *"=([{,:"):
            quote = letter
        elif letter in _PAIRS:
            open += _PAIRS[letter]
        elif letter in _PAIRS.values():
            if not open.endswith(letter):
                raise click.UsageError(f"{option}: the '{letter}' in '{text}' closes nothing; put a text in quotes")
            open = open[:-1]
        if letter == "," and not open and not quote:
            parts.append("")
        else:
            parts[-1] += letter
    if quote or open:
        raise click.UsageError(f"{option}: there is no {quote or open[-1]} at the end of '{text}'")
    return parts if any(part.strip() for part in parts) else []
