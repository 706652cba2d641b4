"""`smalt completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes smalt's commands in a shell.

    For bash, add to ~/.bashrc: eval "$(smalt completion bash)"
    """
    kind = get_completion_class(shell)
    root = click.get_current_context().find_root().command
    assert kind is not None
    click.echo(kind(root, {}, "smalt", "_SMALT_COMPLETE").source())
