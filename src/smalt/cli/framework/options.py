"""Options common to several verbs, spelt as `az ml` spells them."""

from __future__ import annotations

import click

from smalt.cli.framework.arguments import WordsOption
from smalt.cli.framework.verb import FileOption, NameOption


def make_name_options(help: str, needed: bool = True, argument: str = "[NAME]") -> list[click.Parameter]:
    """Return -n/--name and the first argument of the command line, which may give the name as well."""
    return [
        NameOption(["-n", "--name"], metavar="NAME", needed=needed, help=help),
        click.Argument(["argument"], required=False, metavar=argument),
    ]


def make_file_option(help: str, first: bool = True) -> click.Option:
    return FileOption(["-f", "--file"], metavar="FILE", first=first, help=help)


SET = click.Option(["--set"], multiple=True, metavar="KEY=VALUE…", help="Set values in the file: --set a.b=1 c=2.")
SKIP_VALIDATION = click.Option(["--skip-validation"], is_flag=True, help="Accepted; smalt always validates.")
NO_WAIT = click.Option(["--no-wait"], is_flag=True, help="Accepted; the command returns immediately.")
YES = click.Option(["-y", "--yes"], is_flag=True, help="Do not ask.")
WEB = click.Option(["-e", "--web"], is_flag=True, help="Open the job in the studio.")
DOWNLOAD_PATH = click.Option(
    ["-p", "--download-path"], metavar="FOLDER", default=".", help="The target folder; by default the current folder."
)
REGISTRY = click.Option(["--registry-name"], metavar="NAME", help="A registry instead of the workspace.")
LOCATION = click.Option(["-l", "--location"], metavar="NAME", help="Accepted; everything is on this machine.")
DATASTORE = click.Option(["--datastore"], metavar="NAME", help="The datastore to upload local files to.")
DESCRIPTION = click.Option(["--description"], metavar="TEXT", help="A description.")
TAGS = click.Option(["--tags"], multiple=True, metavar="KEY=VALUE…", help="Tags.")
VERSION = click.Option(["-v", "--version"], metavar="VERSION", help="The version.")
LABEL = click.Option(["-l", "--label"], metavar="LABEL", help="A label instead of a version, such as latest.")

EDITS = [
    SET,
    WordsOption(["--add"], multiple=True, metavar="LIST VALUE…", help="Add to a list."),
    WordsOption(["--remove"], multiple=True, metavar="KEY [INDEX]…", help="Remove a value, or one of a list."),
    click.Option(["--force-string"], is_flag=True, help="Take the values of --set and --add as text, not as JSON."),
]

LISTING = [
    click.Option(["--archived-only"], is_flag=True, help="Only archived items."),
    click.Option(["--include-archived"], is_flag=True, help="Include archived items."),
]
MAX_RESULTS = click.Option(
    ["-r", "--max-results"], type=click.IntRange(1), metavar="N", help="The maximum number of results."
)


def add_article(words: str) -> str:
    """Return `an online endpoint`, `a model`."""
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def get_list_view(archived_only: bool, include_archived: bool) -> str:
    """Return the service's word for the entities that a list shows."""
    if archived_only and include_archived:
        raise click.UsageError("--archived-only and --include-archived exclude each other; give one")
    return "ArchivedOnly" if archived_only else "All" if include_archived else "ActiveOnly"
