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
    "Secrets: encrypted values that jobs get by name.",
    ("name", "version", "enabled", "tags"),
)

_NAME = options.make_name_options("The secret's name.")


@secret.verb(
    "set",
    _NAME,
    click.Option(
        ["--value"], metavar="TEXT", help="The value; by default it is prompted for, or read from standard input."
    ),
    click.Option(["-f", "--file"], metavar="FILE", help="A file that holds the value."),
    options.TAGS,
)
def set_secret(ctx: Invocation, name: str, value: str | None, file: str | None, tags: tuple[str, ...]) -> Any:
    """Store a secret. A value given by --value is visible in the process list and the shell's history."""
    return _get_secrets(ctx).set(name, _read_value(name, value, file), tags=edits.parse_tags(tags))


@secret.verb(
    "show",
    _NAME,
    click.Option(["--version"], metavar="VERSION", help="A version other than the newest."),
    click.Option(["--include-value"], is_flag=True, help="Show the value, too."),
)
def show_secret(ctx: Invocation, name: str, version: str | None, include_value: bool) -> Any:
    """Show a secret, without its value."""
    return _get_secrets(ctx).get(name, version or "", include_value=include_value)


@secret.verb("list")
def list_secrets(ctx: Invocation) -> Any:
    """List secrets, without their values."""
    return list(_get_secrets(ctx).list())


@secret.verb("delete", _NAME, options.YES)
def delete_secret(ctx: Invocation, name: str, yes: bool) -> None:
    """Delete a secret and all its versions permanently."""
    ctx.confirm(yes, f"delete the secret {name}? this cannot be undone")
    _get_secrets(ctx).delete(name)


@secret.verb("rotate-keys")
def rotate_keys(ctx: Invocation) -> None:
    """Encrypt all secrets, and the credentials of datastores and connections, with new keys."""
    count = _get_secrets(ctx).rotate_keys()
    ctx.print_note(f"encrypted {count} value{'s' * (count != 1)} with new keys")


def _get_secrets(ctx: Invocation) -> SecretOperations:
    from smalt.client.collections.secrets import SecretOperations

    return SecretOperations(ctx.client)


def _read_value(name: str, value: str | None, file: str | None) -> str:
    if value is not None and file is not None:
        raise click.UsageError("give the value by --value or by --file, not by both")
    if value is not None:
        return value
    if file is not None:
        try:
            text = Path(file).expanduser().read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise ValidationException(f"cannot read {file}: {getattr(error, 'strerror', None) or error}") from None
        return _check_not_empty(name, text, file)
    if sys.stdin.isatty():
        asked: str = click.prompt(f"value of {name}", hide_input=True, err=True)
        return asked
    return _check_not_empty(name, sys.stdin.read().removesuffix("\n"), "standard input")


def _check_not_empty(name: str, value: str, source: str) -> str:
    """Return the value; an empty one is most likely a pipe or a file that was forgotten."""
    if not value:
        raise ValidationException(
            f"secret '{name}' was not set: {source} is empty; give its value by --value, by --file or on standard "
            "input (for an empty one: --value '')"
        )
    return value
