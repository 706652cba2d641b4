"""`smalt job …`."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from itertools import islice
from typing import Any

import click

from smalt.cli.framework import documents, options
from smalt.cli.framework.verb import Invocation, Noun
from smalt.cli.output import lineage_tree as lineage

job = Noun(
    "job",
    "Run jobs and look after them.",
    ("name", "status", "type", "display_name", "experiment_name", "creation_context.created_at"),
)

_NO_EFFECT = "smalt.no_effect"
"""The server's property of a job with all that it says and that does nothing."""
_NEWEST = 50
_MOST_STEPS = 5
"""As many steps of a pipeline as a line names."""
_MOST_WORKSPACES = 5
_COLUMNS = 6
_NAME = options.name("The job's name.")
_STREAM = click.Option(["-s", "--stream"], is_flag=True, help="Show the log until the job is over.")
_SAVE_AS = click.Option(["-a", "--save-as"], metavar="FILE", help="Write the job as created to this file, as YAML.")


@job.verb(
    "create",
    options.file("The job's YAML file."),
    options.name("A name for the job, instead of a made one.", needed=False, argument="[FILE]"),
    options.SET,
    _STREAM,
    click.Option(["--only"], multiple=True, metavar="STEP", help="Run only this step of the pipeline again."),
    click.Option(["--from", "since"], multiple=True, metavar="STEP", help="Run this step and all that need it again."),
    click.Option(["--of"], metavar="JOB", help="With --only or --from: the earlier run whose outputs the steps read."),
    options.WEB,
    _SAVE_AS,
    options.NO_WAIT,
    options.SKIP_VALIDATION,
)
def create(
    to: Invocation,
    file: str | None,
    name: str | None,
    set: tuple[str, ...],
    stream: bool,
    only: tuple[str, ...],
    since: tuple[str, ...],
    of: str | None,
    web: bool,
    save_as: str | None,
    **_: Any,
) -> None:
    """Create a job from a YAML file: it is validated, submitted, and runs."""
    if file is None:
        raise click.UsageError("say which file describes the job: smalt job create --file job.yml")
    entity = documents.read("job", file, set, {"name": name})
    if only or since:
        from smalt.client.jobs.step_selection import part

        entity, lines = part(to.client, entity, only, since, of, "--of")
        documents.refuse_lost(set, entity)
        for line in () if stream else lines:  # the log says it, too
            to.note(line)
    elif of is not None:
        raise click.UsageError("--of is said with --only STEP or --from STEP")
    created = to.client.jobs.create_or_update(entity)
    if not stream:  # the log says it, too
        _warn(to, filter(None, str((created.properties or {}).get(_NO_EFFECT) or "").split("; ")))
    if save_as is not None:
        _save(created, save_as)
    if web:
        to.note(f"there is no web interface yet; to watch the job: smalt job stream {created.name}")
    if not stream:
        to.show(created)
        to.hint(f"to follow it: smalt job stream {created.name}")
        return
    to.note(f"job {created.name}")
    _follow(to, str(created.name))


@job.verb("show", _NAME, options.WEB)
def show(to: Invocation, name: str, web: bool) -> Any:
    """Show a job: its state and error, the end of its log, its steps, and the last values of its metrics."""
    if web:
        to.note(f"there is no web interface yet; to watch the job: smalt job stream {name}")
    from smalt.cli.jobs import report
    from smalt.cli.output import plain_data as plain
    from smalt.client.jobs.metrics import Metrics

    shown = report.with_overview(plain.data(to.client.jobs.get(name)), list(to.client.jobs.overview(name)))
    latest = Metrics(to.client).latest([name]).get(name)
    shown = {**shown, "metrics": latest} if latest else shown
    if to.is_for_a_person:
        report.write(to, shown)
        return None
    return shown


@job.verb(
    "list",
    click.Option(["-p", "--parent-job-name"], metavar="NAME", help="Only the children of this job."),
    click.Option(["--experiment-name"], metavar="NAME", help="Only jobs of this experiment."),
    click.Option(["--status"], metavar="STATUS", help="Only jobs in this state, such as Failed; upper or lower case."),
    click.Option(["--tag"], metavar="KEY[=VALUE]", help="Only jobs with this tag."),
    click.Option(
        ["--all-results"],
        type=click.BOOL,
        is_flag=False,
        flag_value=True,
        default=False,
        metavar="[BOOL]",
        help="All of them, not only the newest 50.",
    ),
    click.Option(["--metrics"], is_flag=True, help="With the last values of their metrics."),
    click.Option(["--costs"], is_flag=True, help="With the CPU seconds and the peak memory of each job and its steps."),
    click.Option(["--asset-name"], metavar="NAME", hidden=True),
    options.LISTING,
    options.MAX_RESULTS,
)
def list_jobs(
    to: Invocation,
    parent_job_name: str | None,
    experiment_name: str | None,
    status: str | None,
    tag: str | None,
    archived_only: bool,
    include_archived: bool,
    max_results: int | None,
    all_results: bool,
    metrics: bool,
    costs: bool,
    **_: Any,
) -> Any:
    """List jobs, the newest first, as many as 50; or all children of one."""
    view = options.view(archived_only, include_archived)
    if parent_job_name is not None and (experiment_name or tag):
        raise click.UsageError("--experiment-name and --tag choose among jobs, not among the steps of one")
    most = max_results
    if most is None and not all_results and parent_job_name is None:
        most = _NEWEST + 1
    chosen = {"status": status, "experiment_name": experiment_name, "tag": tag}
    found = list(to.client.jobs.list(parent_job_name=parent_job_name, list_view_type=view, max_results=most, **chosen))
    if max_results is None and most is not None and len(found) > _NEWEST:
        to.hint(f"these are the newest {_NEWEST}; add --all-results to see all")
        found = found[:_NEWEST]
    if not found and to.wants_table:
        _tell_empty(to, bool(parent_job_name or experiment_name or status or tag or archived_only))
    if metrics and costs:
        raise click.UsageError("--metrics and --costs exclude each other; give one")
    return _with_metrics(to, found) if metrics else _with_costs(to, found) if costs else found


def _tell_empty(to: Invocation, is_part: bool) -> None:
    """Say of which workspace an empty list is, and where jobs are."""
    client = to.client
    every = list(client.connection.pages("/smalt/v1/workspaces", jobs="true"))
    here = f"workspace '{client.workspace_name}' of resource group '{client.resource_group_name}'"
    to.hint(f"no {'such jobs' if is_part else 'jobs'} in {here} ({client.why})")
    others = [one for one in every if one["jobs"] and str(one["id"]).lower() != client.workspace_id.lower()]
    for one in others[:_MOST_WORKSPACES]:
        count = f"{one['jobs']} job{'s' * (one['jobs'] != 1)}"
        to.hint(f"workspace '{one['name']}' has {count}: smalt job list{client.options_of(str(one['id']))}")
    if len(others) > _MOST_WORKSPACES:
        to.hint(f"and so have {len(others) - _MOST_WORKSPACES} more; see: smalt workspace list")


@job.verb("stream", _NAME)
def stream(to: Invocation, name: str) -> None:
    """Show a job's log from its beginning until the job is over."""
    _follow(to, name)


@job.verb(
    "metrics",
    _NAME,
    click.Option(["--metric"], multiple=True, metavar="METRIC", help="Only this metric; may be given several times."),
    click.Option(["--history"], is_flag=True, help="All values, not only the last."),
    click.Option(["--plot"], is_flag=True, help="Draw the curves."),
)
def metrics(to: Invocation, name: str, metric: tuple[str, ...], history: bool, plot: bool) -> Any:
    """Show what a job, its steps and its nested runs logged, and what they used of the machine."""
    from smalt.cli.jobs import metrics as job_metrics
    from smalt.client.jobs.metrics import Metrics

    if plot and (history or to.wants_result):
        raise click.UsageError("--plot draws; leave out --history, --output and --query")
    runs = Metrics(to.client).runs(
        name, metric, extremes=not history, history=history or plot, points=job_metrics.POINTS if plot else None
    )
    if not any(run["metrics"] for run in runs):
        to.note(f"job {name} has no metrics{' of these names' if metric else ''}")
    if plot:
        click.echo(job_metrics.plot(runs), nl=False)
        return None
    to.columns = job_metrics.HISTORY_COLUMNS if history else job_metrics.COLUMNS
    return job_metrics.history(runs) if history else job_metrics.rows(runs)


@job.verb(
    "compare",
    click.Argument(["jobs"], nargs=-1, metavar="JOB JOB…"),
    click.Option(["--html"], metavar="FILE", help="Write a page with the comparison and the curves to this file."),
)
def compare(to: Invocation, jobs: tuple[str, ...], html: str | None) -> Any:
    """Put jobs side by side: parameters, metrics, inputs, code and environment, what differs with a mark."""
    from smalt.cli.jobs import comparison
    from smalt.client.jobs.metrics import Metrics

    names = list(dict.fromkeys(jobs))
    if len(names) < 2:
        raise click.UsageError("name the jobs to compare: smalt job compare JOB JOB")
    reader = Metrics(to.client)
    rows = comparison.rows(reader.compare(names))
    if html is not None:
        from smalt.cli.jobs.comparison_page import write

        write(html, rows, names, reader)
        to.note(f"wrote {html}")
        return rows if to.wants_result else None
    if not to.wants_table:
        return rows
    click.echo(comparison.text(rows), nl=False)
    return None


@job.verb("cancel", _NAME, click.Option(["--no-wait"], is_flag=True, help="Do not wait for its end."))
def cancel(to: Invocation, name: str, no_wait: bool) -> None:
    """Cancel a job and wait until all that it started has ended."""
    poller = to.client.jobs.begin_cancel(name)
    if no_wait:
        to.note(f"job {name} is being canceled")
        return
    poller.wait()
    to.note(f"job {name} is {to.client.jobs.get(name).status}")


@job.verb(
    "download",
    _NAME,
    options.DOWNLOAD_PATH,
    click.Option(["--output-name"], metavar="NAME", help="Only this output."),
    click.Option(["--all"], is_flag=True, help="The logs, files and outputs, of the job and of all its steps."),
)
def download(to: Invocation, name: str, download_path: str, output_name: str | None, all: bool) -> None:
    """Download a job's logs and default outputs, one named output, or everything; each step has a folder in steps/."""
    if to.client.jobs.download(name, download_path=download_path, output_name=output_name, all=all):
        to.note(f"downloaded to {download_path}")
        return
    steps = [str(step.name) for step in islice(to.client.jobs.list(parent_job_name=name), _MOST_STEPS + 1)]
    more = "" if all else "; --all downloads its outputs, and all files of its steps"
    to.note(f"job {name} has no files of its own, so nothing was made{more}")
    if steps:
        others = f", or {', '.join(steps[1:_MOST_STEPS])}" if steps[1:] else ""
        rest = f", …; see: smalt job list --parent-job-name {name}" if len(steps) > _MOST_STEPS else ""
        to.note(f"the files of a step are the step's: smalt job download --name {steps[0]}{others}{rest}")


@job.verb(
    "export",
    _NAME,
    click.Option(["--folder"], metavar="FOLDER", help="Where to write it, a new folder; by default the job's name."),
    click.Option(["--copy-inputs"], is_flag=True, help="Copy the data that the job reads, too."),
)
def export(to: Invocation, name: str, folder: str | None, copy_inputs: bool) -> None:
    """Write a job as a folder that runs again elsewhere: job.yml, code, components and environments."""
    from smalt.client.jobs.export import export_job

    written = export_job(to.client, name, folder or name, copy_inputs=copy_inputs)
    to.note(f"to run it: smalt job create --file {shlex.quote(written)}")


@job.verb(
    "debug",
    _NAME,
    click.Option(["--node"], metavar="STEP", help="A step of the pipeline."),
    click.Option(
        ["--debugpy"], type=click.IntRange(1, 65535), metavar="PORT", help="Run the step; it waits there for an editor."
    ),
    click.Option(["--keep"], is_flag=True, help="Leave the copy when all is done."),
    click.Argument(["command"], nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND…]"),
)
def debug(
    to: Invocation, name: str, node: str | None, debugpy: int | None, keep: bool, command: tuple[str, ...]
) -> None:
    """Open a shell in a copy of a step: its folder, inputs, environment and variables; or run a command there.

    The job and its outputs stay as they are; metrics are logged to the job, as the step itself would.
    """
    from smalt.cli.jobs import debug as debugger

    code = debugger.debug(to, name, node, debugpy, keep, command)
    if code:
        raise click.exceptions.Exit(code if code > 0 else 128 - code)


@job.verb(
    "snapshot",
    _NAME,
    click.Option(["--restore-to"], metavar="FOLDER", help="Write the code into this new folder."),
)
def snapshot(to: Invocation, name: str, restore_to: str | None) -> Any:
    """Show the code that a job ran, or with --restore-to get it back."""
    from smalt.cli.jobs import snapshot as job_snapshot

    if restore_to is not None:
        found = to.client.jobs.restore_snapshot(name, restore_to)
        to.note("\n".join(f"restored to {one['folder']}" for one in found["snapshots"]))
        return found if to.wants_result else None
    return job_snapshot.show(to, to.client.jobs.snapshot(name))


@job.verb("lineage", _NAME, lineage.DEPTH)
def show_lineage(to: Invocation, name: str, depth: int) -> Any:
    """Show what a job read and where that came from, and what uses its outputs."""
    return lineage.show(to, to.client.jobs.lineage(name, depth=depth))


@job.verb(
    "explain-reuse",
    _NAME,
    click.Option(["--node"], metavar="STEP", help="Only this step of the pipeline."),
)
def explain_reuse(to: Invocation, name: str, node: str | None) -> Any:
    """Show why steps were reused or ran: part by part what is as in the nearest earlier run, and what is not."""
    from smalt.cli.jobs import reuse

    steps = to.client.jobs.explain_reuse(name, node)
    if to.wants_result:
        return steps
    click.echo(reuse.text(steps), nl=False)
    return None


@job.verb("update", _NAME, options.EDITS, options.WEB)
def update(to: Invocation, name: str, web: bool, **changes: Any) -> Any:
    """Change a job's display name, description, tags or properties; what it runs cannot be changed."""
    return documents.update(to.client.jobs.get(name), changes, to.client.jobs.create_or_update)


@job.verb("delete", _NAME, options.YES)
def delete(to: Invocation, name: str, yes: bool) -> None:
    """Delete a finished job with its steps and files; what other jobs or registered versions have of it stays."""
    to.client.jobs.get(name)
    to.confirm(yes, f"delete job {name} with its steps, logs and outputs? it cannot be had back")
    to.client.jobs.begin_delete(name).wait()
    to.note(f"deleted job {name}")


@job.verb("archive", _NAME)
def archive(to: Invocation, name: str) -> None:
    """Hide a job from lists."""
    to.client.jobs.archive(name)


@job.verb("restore", _NAME)
def restore(to: Invocation, name: str) -> None:
    """Undo archive."""
    to.client.jobs.restore(name)


@job.verb(
    "validate",
    options.file("The job's YAML file."),
    options.name("A name for the job.", needed=False, argument="[FILE]"),
    options.SET,
    click.Option(["--local"], is_flag=True, help="Check only the files; no server is needed."),
)
def validate(to: Invocation, file: str | None, name: str | None, set: tuple[str, ...], local: bool) -> Any:
    """Check a job's YAML file and all that it names, as create does; nothing is run."""
    if file is None:
        raise click.UsageError("say which file to check: smalt job validate --file job.yml")
    from smalt.yaml.loading import warnings_of

    job = documents.read("job", file, set, {"name": name})
    found = [] if local else to.client.jobs.validate(job, raise_on_failure=True).warnings
    found = found or _without_effect(job)  # the server says nothing of a job that is there already
    _warn(to, found)
    to.note(f"{file}: ok")
    return {"result": "Succeeded", "errors": [], "warnings": [*map(str, warnings_of(job)), *found]}


def _warn(to: Invocation, warnings: Iterable[str]) -> None:
    for warning in warnings:
        to.note(f"warning: {warning}")


def _without_effect(job: Any) -> list[str]:
    """Return a line for each thing that the job says and that does nothing, as far as its files tell."""
    from smalt.entities.rules.ineffective_keys import list_ineffective_keys, list_unused_inputs

    return [*list_unused_inputs(job), *list_ineffective_keys(job)]


@job.verb(
    "show-services",
    _NAME,
    click.Option(["-i", "--node-index"], type=int, default=0, metavar="N", help="The node; there is one, 0."),
)
def show_services(to: Invocation, name: str, node_index: int) -> Any:
    """Show the services of a job; locally none are started."""
    return to.client.jobs.get(name).services or {}


def _follow(to: Invocation, name: str) -> None:
    """Show the job until it is over, then the result if it is asked for; exit code 1 where it did not complete."""
    from smalt.cli.jobs.stream import follow

    completed = follow(to, name)
    if to.wants_result:
        to.show(to.client.jobs.get(name))
    if not completed:
        raise click.exceptions.Exit(1)


def _with_costs(to: Invocation, found: list[Any]) -> list[Any]:
    """Return the jobs as plain data with what they used of the machine; a table gets the columns."""
    from smalt.cli.output import plain_data as plain
    from smalt.client.jobs.metrics import Metrics

    rows = [plain.data(each) for each in found]
    costs = Metrics(to.client).costs([row["name"] for row in rows]) if rows else {}
    to.columns = (*to.columns[:3], "cpu_seconds", "peak_memory_bytes")
    return [{**row, **costs.get(row["name"], {})} for row in rows]


def _with_metrics(to: Invocation, found: list[Any]) -> list[Any]:
    """The jobs as plain data with what they logged; a table gets a column for each of the commonest metrics."""
    from collections import Counter

    from smalt.cli.output import plain_data as plain
    from smalt.client.jobs.metrics import Metrics

    latest = Metrics(to.client).latest([each.name for each in found]) if found else {}
    common = Counter(name for values in latest.values() for name in values if not name.startswith("system/"))
    to.columns = (*to.columns[:3], *(f"metrics.{name}" for name, _ in common.most_common(_COLUMNS)))
    return [{**plain.data(each), "metrics": latest.get(each.name, {})} for each in found]


def _save(created: Any, path: str) -> None:
    from smalt import yaml

    try:
        with open(path, "w") as file:
            file.write(yaml.dump(created))
    except OSError as error:
        raise click.ClickException(f"the job is created, but {path} cannot be written: {error.strerror}") from None


job.refuse(
    "connect-ssh", "jobs run on this machine, so there is nothing to connect to; see the job with: smalt job show NAME"
)
