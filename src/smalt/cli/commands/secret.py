"""`smalt secret …`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smalt.cli.framework import edits, options
from smalt.cli.framework.verb import Invocation, Noun
from smalt.exceptions import ValidationException

if TYPE_CHECKING:
    from smalt.client.collections.secrets import SecretOperations

secret = Noun(
    "secret",
    "Secrets: values that jobs are handed by name, kept encrypted.",
    ("name", "version", "enabled", "tags"),
)

_NAME = options.name("The secret's name.")


@secret.verb(
    "set",
    _NAME,
    click.Option(["--value"], metavar="TEXT", help="The value; else it is asked for, or read from standard input."),
    click.Option(["-f", "--file"], metavar="FILE", help="A file that holds the value."),
    options.TAGS,
)
def set_secret(to: Invocation, name: str, value: str | None, file: str | None, tags: tuple[str, ...]) -> Any:
    """Keep a value under a name. What --value says is seen in the list of processes and the shell's history."""
    return _secrets(to).set(name, _given(name, value, file), tags=edits.tags(tags))


@secret.verb(
    "show",
    _NAME,
    click.Option(["--version"], metavar="VERSION", help="A version other than the newest."),
    click.Option(["--include-value"], is_flag=True, help="Show the value, too."),
)
def show(to: Invocation, name: str, version: str | None, include_value: bool) -> Any:
    """Show a secret, without its value."""
    return _secrets(to).get(name, version or "", include_value=include_value)


@secret.verb("list")
def list_secrets(to: Invocation) -> Any:
    """List secrets, without their values."""
    return list(_secrets(to).list())


@secret.verb("delete", _NAME, options.YES)
def delete(to: Invocation, name: str, yes: bool) -> None:
    """Delete a secret with all its versions, for good."""
    to.confirm(yes, f"delete the secret {name}? it cannot be had back")
    _secrets(to).delete(name)


@secret.verb("rotate-keys")
def rotate_keys(to: Invocation) -> None:
    """Encrypt all secrets, and the credentials of datastores and connections, again, with new keys."""
    count = _secrets(to).rotate_keys()
    to.note(f"{count} value{'s' * (count != 1)} encrypted again, with new keys")


def _secrets(to: Invocation) -> SecretOperations:
    from smalt.client.collections.secrets import SecretOperations

    return SecretOperations(to.client)


def _given(name: str, value: str | None, file: str | None) -> str:
    if value is not None and file is not None:
        raise click.UsageError("give the value by --value or by --file, not by both")
    if value is not None:
        return value
    if file is not None:
        try:
            text = Path(file).expanduser().read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise ValidationException(f"cannot read {file}: {getattr(error, 'strerror', None) or error}") from None
        return _refuse_empty(name, text, file)
    if sys.stdin.isatty():
        asked: str = click.prompt(f"value of {name}", hide_input=True, err=True)
        return asked
    return _refuse_empty(name, sys.stdin.read().removesuffix("\n"), "standard input")


def _refuse_empty(name: str, value: str, source: str) -> str:
    """Return the value; an empty one is most likely a pipe or a file that somebody forgot to fill."""
    if not value:
        raise ValidationException(
            f"secret '{name}' was not set: {source} is empty; give its value by --value, by --file or on standard "
            "input (for an empty one: --value '')"
        )
    return value
