"""`smalt data …`."""

from __future__ import annotations

from itertools import islice
from typing import Any

import click

from smalt.cli.commands import assets
from smalt.cli.framework import documents, options
from smalt.cli.framework.verb import Invocation, Noun

data = Noun("data", "Data assets: named and versioned data.", assets.COLUMNS)

assets.add_create(data, "data", ("uri_folder", "uri_file", "mltable"), "The local path or URI of the data.")
assets.add_verbs(data, "data")


@data.verb(
    "import",
    options.make_file_option("The data import's YAML file."),
    options.make_name_options("The name of the data, instead of the file's.", needed=False, argument="[FILE]"),
    options.VERSION,
    click.Option(["--path"], metavar="URI", help="The place that it is written to."),
    click.Option(["--datastore"], metavar="NAME", help="The datastore, if the path names none."),
    options.DESCRIPTION,
    options.SET,
    options.SKIP_VALIDATION,
    click.Option(["-s", "--stream"], is_flag=True, help="Show the log until the job ends."),
)
def import_data(
    ctx: Invocation, file: str | None, set: tuple[str, ...], skip_validation: bool, stream: bool, **given: Any
) -> Any:
    """Import data from a database or a folder: submit the job that does it, and registers the data."""
    made = ctx.client.data.import_data(documents.read_document("data_import", file, set, given))
    if not stream:
        return made
    ctx.print_note(f"job {made.name}")
    ctx.client.jobs.stream(str(made.name))
    return None


@data.verb(
    "list-materialization-status", options.make_name_options("The data's name."), options.MAX_RESULTS, options.LISTING
)
def list_imports(
    ctx: Invocation, name: str, max_results: int | None, archived_only: bool, include_archived: bool
) -> Any:
    """List the jobs that imported the data, newest first."""
    view = options.get_list_view(archived_only, include_archived)
    return list(islice(ctx.client.data.list_materialization_status(name, list_view_type=view), max_results))


data.add_refusal(
    "mount", "data is already on this machine, so nothing is mounted; to see its path: smalt data show NAME"
)
