"""The CLI reference, generated from the commands: `python -m smalt.cli.reference docs/cli.md` writes it there."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from smalt.cli.app import LATER, NOUNS, smalt
from smalt.cli.framework.verb import COMMON, Noun

MARK = "<!-- Below this line the page is made by: python -m smalt.cli.reference docs/cli.md -->\n"


def main() -> None:
    page = Path(sys.argv[1])
    page.write_text(page.read_text().partition(MARK)[0] + MARK + render_reference())


def render_reference() -> str:
    """Return every noun, verb and option as Markdown."""
    root = click.Context(smalt, info_name="smalt")
    parts = [
        "\n## Options of every verb\n",
        _render_options(COMMON),
        "| `-h`, `--help` | Show the help of the verb. |\n",
    ]
    for name in NOUNS:
        command = smalt.get_command(root, name)
        assert command is not None
        parts.append(_render_noun(command, root) if isinstance(command, Noun) else _render_verb(command, root, "##"))
    nouns = ", ".join(f"`{name}`" for name in LATER)
    parts.append(
        f"\n## Nouns that smalt does not support yet\n\nEach answers with one sentence and exit code 2: {nouns}.\n"
    )
    return "".join(parts)


def _render_noun(noun: Noun, root: click.Context) -> str:
    context = click.Context(noun, root, info_name=noun.name)
    parts = [f"\n## smalt {noun.name}\n\n{noun.help}\n"]
    parts += [_render_verb(verb, context, "###") for verb in noun.commands.values() if not verb.hidden]
    refused = ", ".join(f"`{verb.name}`" for verb in noun.commands.values() if verb.hidden)
    if refused:
        parts.append(f"\nVerbs of `az ml {noun.name}` that are answered with a sentence, exit code 2: {refused}.\n")
    return "".join(parts)


def _render_verb(verb: click.Command, parent: click.Context, level: str) -> str:
    context = click.Context(verb, parent, info_name=verb.name)
    usage = " ".join(verb.collect_usage_pieces(context))
    own = [param for param in verb.params if isinstance(param, click.Option) and param not in COMMON]
    shown = [option for option in own if not option.hidden]
    described = "\n".join(line.strip() for line in (verb.help or "").splitlines()).strip()
    parts = [f"\n{level} {context.command_path}\n\n{described}\n\n    {context.command_path} {usage}\n"]
    if shown:
        parts.append("\n" + _render_options(shown))
    hidden = ", ".join(f"`{'`, `'.join(option.opts)}`" for option in own if option.hidden)
    if hidden:
        parts.append(f"\nAccepted without effect: {hidden}.\n")
    return "".join(parts)


def _render_options(options: list[click.Option] | tuple[click.Option, ...]) -> str:
    rows = ["| option | |\n|---|---|\n"]
    for option in options:
        if option.hidden:
            continue
        names = ", ".join(f"`{name}`" for name in option.opts)
        value = "" if option.is_flag else f" {_render_value(option)}"
        rows.append(f"| {names}{value} | {option.help or ''} |\n")
    return "".join(rows)


def _render_value(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return " ".join(["one of", ", ".join(f"`{choice}`" for choice in option.type.choices)])
    return (option.metavar or "TEXT").replace("|", "\\|")


if __name__ == "__main__":
    main()
