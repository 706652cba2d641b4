"""`smalt job …`."""

from __future__ import annotations

import shlex
from typing import Any

import click

from smalt.cli.framework import documents, options
from smalt.cli.framework.browser import open_job_page
from smalt.cli.framework.verb import Invocation, Noun
from smalt.cli.jobs.sweep import add_sweep_verb
from smalt.cli.output import lineage_tree as lineage

job = Noun(
    "job",
    "Run and manage jobs.",
    ("name", "status", "type", "display_name", "experiment_name", "creation_context.created_at"),
)

_NAME = options.make_name_options("The job's name.")
_STREAM = click.Option(["-s", "--stream"], is_flag=True, help="Show the log until the job ends.")
_SAVE_AS = click.Option(["-a", "--save-as"], metavar="FILE", help="Write the created job to this file as YAML.")


@job.verb(
    "create",
    options.make_file_option("The job's YAML file."),
    options.make_name_options("The job's name, instead of a generated one.", needed=False, argument="[FILE]"),
    options.SET,
    _STREAM,
    click.Option(["--only"], multiple=True, metavar="STEP", help="Run only this step of the pipeline again."),
    click.Option(
        ["--from", "since"], multiple=True, metavar="STEP", help="Run this step and all that depend on it again."
    ),
    click.Option(["--of"], metavar="JOB", help="With --only or --from: the earlier run whose outputs the steps read."),
    options.WEB,
    _SAVE_AS,
    options.NO_WAIT,
    options.SKIP_VALIDATION,
)
def create_job(
    ctx: Invocation,
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
    """Create a job from a YAML file: validate and submit it."""
    if file is None:
        raise click.UsageError("say which file describes the job: smalt job create --file job.yml")
    from smalt.cli.jobs import submission

    entity = documents.read_document("job", file, set, {"name": name})
    if only or since:
        entity, lines = submission.select_steps(ctx, entity, set, only, since, of)
        for line in () if stream else lines:  # the log says it, too
            ctx.print_note(line)
    elif of is not None:
        raise click.UsageError("--of needs --only STEP or --from STEP")
    if stream and save_as is None and not web:
        _announce_and_follow(ctx, ctx.client.jobs.submit_job(entity))
        return
    created = ctx.client.jobs.create_or_update(entity)
    if not stream:  # the log says it, too
        submission.print_ineffective(ctx, created)
    if save_as is not None:
        submission.save_job(created, save_as)
    if web:
        open_job_page(ctx, created)
    if not stream:
        ctx.print_result(created)
        ctx.print_hint(f"to follow it: smalt job stream {created.name}")
        return
    _announce_and_follow(ctx, str(created.name))


@job.verb("show", _NAME, options.WEB)
def show_job(ctx: Invocation, name: str, web: bool) -> Any:
    """Show a job: its state and error, the end of its log, its steps or trials, and the last values of its metrics."""
    if web:
        open_job_page(ctx, ctx.client.jobs.get(name))
    from smalt.cli.jobs import report

    shown = report.fetch_report(ctx.client, name)
    if ctx.is_interactive:
        report.print_report(ctx, shown)
        return None
    return shown


@job.verb(
    "list",
    click.Option(["-p", "--parent-job-name"], metavar="NAME", help="Only the children of this job."),
    click.Option(["--experiment-name"], metavar="NAME", help="Only jobs of this experiment."),
    click.Option(
        ["--status"], metavar="STATUS", help="Only jobs with this status, such as Failed, in upper or lower case."
    ),
    click.Option(["--tag"], metavar="KEY[=VALUE]", help="Only jobs with this tag."),
    click.Option(["--type"], metavar="TYPE", help="Only jobs of this type, such as pipeline or sweep."),
    click.Option(
        ["--where"],
        multiple=True,
        metavar="CONDITION",
        help="Only jobs whose own metrics have such last values, in quotes: 'loss<0.3', 'auc>=0.9', or the name alone.",
    ),
    click.Option(
        ["--sort"],
        metavar="KEY",
        help="Order by created, name, experiment, type, status, owner, started, duration or metric.NAME; -KEY: down.",
    ),
    click.Option(
        ["--all-results"],
        type=click.BOOL,
        is_flag=False,
        flag_value=True,
        default=False,
        metavar="[BOOL]",
        help="All jobs, not only the newest 50.",
    ),
    click.Option(["--metrics"], is_flag=True, help="Include the last values of their metrics."),
    click.Option(["--costs"], is_flag=True, help="Include the CPU seconds and peak memory of each job and its steps."),
    click.Option(["--asset-name"], metavar="NAME", hidden=True),
    options.LISTING,
    options.MAX_RESULTS,
)
def list_jobs(
    ctx: Invocation,
    parent_job_name: str | None,
    experiment_name: str | None,
    status: str | None,
    tag: str | None,
    type: str | None,
    where: tuple[str, ...],
    sort: str | None,
    archived_only: bool,
    include_archived: bool,
    max_results: int | None,
    all_results: bool,
    metrics: bool,
    costs: bool,
    **_: Any,
) -> Any:
    """List the newest jobs, at most 50; or all children of one job."""
    if parent_job_name is not None and (experiment_name or tag or where or sort):
        raise click.UsageError("--experiment-name, --tag, --where and --sort are for jobs, not for the steps of one")
    if metrics and costs:
        raise click.UsageError("--metrics and --costs exclude each other; give one")
    from smalt.cli.jobs import job_list

    view = options.get_list_view(archived_only, include_archived)
    chosen: dict[str, Any] = {"status": status, "experiment_name": experiment_name, "tag": tag}
    chosen |= {"job_type": type, "where": where, "sort": sort, "list_view_type": view}
    if max_results is None and not all_results and parent_job_name is None:
        found = job_list.fetch_newest(ctx, **chosen)
    else:
        found = list(ctx.client.jobs.list(parent_job_name=parent_job_name, max_results=max_results, **chosen))
    if not found and ctx.is_table:
        is_part = bool(parent_job_name or experiment_name or status or tag or type or where or archived_only)
        job_list.explain_empty_list(ctx, is_part)
    if parent_job_name is not None:
        ctx.columns = (*ctx.columns[:3], job_list.POINT, *ctx.columns[3:])
    return job_list.add_metrics(ctx, found) if metrics else job_list.add_costs(ctx, found) if costs else found


@job.verb("stream", _NAME)
def stream_job(ctx: Invocation, name: str) -> None:
    """Show a job's log from its beginning until the job ends."""
    _follow_job(ctx, name)


@job.verb(
    "metrics",
    _NAME,
    click.Option(["--metric"], multiple=True, metavar="METRIC", help="Only this metric; may be given several times."),
    click.Option(["--history"], is_flag=True, help="All values, not only the last."),
    click.Option(["--plot"], is_flag=True, help="Draw the curves."),
)
def show_metrics(ctx: Invocation, name: str, metric: tuple[str, ...], history: bool, plot: bool) -> Any:
    """Show the metrics of a job, its steps and its nested runs, and their use of the machine."""
    from smalt.cli.jobs import metrics as job_metrics
    from smalt.client.jobs.metrics import MetricsReader

    if plot and (history or ctx.has_output_options):
        raise click.UsageError("--plot cannot be combined with --history, --output or --query")
    runs = MetricsReader(ctx.client).get_runs(
        name, metric, extremes=not history, history=history or plot, points=job_metrics.POINTS if plot else None
    )
    if not any(run["metrics"] for run in runs):
        ctx.print_note(f"job {name} has no metrics{' of these names' if metric else ''}")
    if plot:
        click.echo(job_metrics.plot_metrics(runs), nl=False)
        return None
    ctx.columns = job_metrics.HISTORY_COLUMNS if history else job_metrics.COLUMNS
    return job_metrics.build_history_rows(runs) if history else job_metrics.build_rows(runs)


@job.verb(
    "compare",
    click.Argument(["jobs"], nargs=-1, metavar="JOB JOB…"),
    click.Option(
        ["--html"],
        metavar="FILE",
        help="Write a page with the comparison and the curves to this file; of one sweep, a page with all its trials.",
    ),
)
def compare_jobs(ctx: Invocation, jobs: tuple[str, ...], html: str | None) -> Any:
    """Compare jobs side by side: parameters, metrics, inputs, code and environment, with differences marked.

    Of a single sweep its best trials are compared.
    """
    from smalt.cli.jobs import comparison
    from smalt.client.jobs.metrics import MetricsReader

    names = list(dict.fromkeys(jobs))
    if not names:
        raise click.UsageError("name the jobs to compare: smalt job compare JOB JOB; or one sweep, for its trials")
    if len(names) == 1:
        from smalt.cli.jobs import sweep_comparison

        trials = sweep_comparison.fetch_trials(ctx, names[0])
        if html is not None:
            return sweep_comparison.write_page(ctx, trials, html)
        names = sweep_comparison.choose_best(ctx, trials)
    reader = MetricsReader(ctx.client)
    rows = comparison.build_rows(reader.compare_jobs(names))
    if html is not None:
        from smalt.cli.jobs.comparison_page import write_page

        write_page(html, rows, names, reader)
        ctx.print_note(f"wrote {html}")
        return rows if ctx.has_output_options else None
    if not ctx.is_table:
        return rows
    click.echo(comparison.render_text(rows), nl=False)
    return None


add_sweep_verb(job)


@job.verb("cancel", _NAME, click.Option(["--no-wait"], is_flag=True, help="Do not wait until it has ended."))
def cancel_job(ctx: Invocation, name: str, no_wait: bool) -> None:
    """Cancel a job and wait until all its processes have ended."""
    poller = ctx.client.jobs.begin_cancel(name)
    if no_wait:
        ctx.print_note(f"job {name} is being canceled")
        return
    from smalt.cli.jobs.cancelling import wait_for_end

    wait_for_end(ctx, name, poller)
    ctx.print_note(f"job {name} is {ctx.client.jobs.get(name).status}")


@job.verb(
    "download",
    _NAME,
    options.DOWNLOAD_PATH,
    click.Option(["--output-name"], metavar="NAME", help="Only this output."),
    click.Option(["--all"], is_flag=True, help="The logs, files and outputs of the job and of all its steps."),
)
def download_job(ctx: Invocation, name: str, download_path: str, output_name: str | None, all: bool) -> None:
    """Download a job's logs and default outputs, one named output, or everything; each step has a folder in steps/.

    Of a sweep these are the files of its best trial, and its own logs are in hd-artifacts/.
    """
    from smalt.cli.jobs import downloads

    if ctx.client.jobs.download(name, download_path=download_path, output_name=output_name, all=all):
        ctx.print_note(f"downloaded to {download_path}")
        return
    downloads.explain_empty_download(ctx, name, all)


@job.verb(
    "export",
    _NAME,
    click.Option(["--folder"], metavar="FOLDER", help="The new folder to write; by default named like the job."),
    click.Option(["--copy-inputs"], is_flag=True, help="Also copy the job's input data."),
)
def export_to_folder(ctx: Invocation, name: str, folder: str | None, copy_inputs: bool) -> None:
    """Write a job as a folder that runs elsewhere: job.yml, code, components and environments."""
    from smalt.client.jobs.export import export_job

    written = export_job(ctx.client, name, folder or name, copy_inputs=copy_inputs)
    ctx.print_note(f"to run it: smalt job create --file {shlex.quote(written)}")


@job.verb(
    "debug",
    _NAME,
    click.Option(["--node"], metavar="STEP", help="A step of the pipeline."),
    click.Option(
        ["--debugpy"],
        type=click.IntRange(1, 65535),
        metavar="PORT",
        help="Run the step under debugpy, which waits for an editor there.",
    ),
    click.Option(["--keep"], is_flag=True, help="Keep the copy afterwards."),
    click.Argument(["command"], nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND…]"),
)
def debug_job(
    ctx: Invocation, name: str, node: str | None, debugpy: int | None, keep: bool, command: tuple[str, ...]
) -> None:
    """Open a shell in a copy of a step, with its folder, inputs, environment and variables; or run a command there.

    The job and its outputs stay unchanged; metrics are logged to the job, as by the step itself.
    """
    from smalt.cli.jobs import debug as debugger

    code = debugger.debug_step(ctx, name, node, debugpy, keep, command)
    if code:
        raise click.exceptions.Exit(code if code > 0 else 128 - code)


@job.verb(
    "snapshot",
    _NAME,
    click.Option(["--restore-to"], metavar="FOLDER", help="Write the code into this new folder."),
)
def show_snapshot(ctx: Invocation, name: str, restore_to: str | None) -> Any:
    """Show the code that a job ran, or with --restore-to write it to a folder."""
    from smalt.cli.jobs import snapshot as job_snapshot

    if restore_to is not None:
        found = ctx.client.jobs.restore_snapshot(name, restore_to)
        ctx.print_note("\n".join(f"restored to {one['folder']}" for one in found["snapshots"]))
        return found if ctx.has_output_options else None
    return job_snapshot.show_snapshot(ctx, ctx.client.jobs.snapshot(name))


@job.verb("lineage", _NAME, lineage.DEPTH)
def show_lineage(ctx: Invocation, name: str, depth: int) -> Any:
    """Show the inputs of a job and their sources, and the users of its outputs."""
    return lineage.show_lineage(ctx, ctx.client.jobs.lineage(name, depth=depth))


@job.verb(
    "explain-reuse",
    _NAME,
    click.Option(["--node"], metavar="STEP", help="Only this step of the pipeline."),
)
def explain_reuse(ctx: Invocation, name: str, node: str | None) -> Any:
    """Show why each step was reused or ran, compared part by part with the nearest earlier run."""
    from smalt.cli.jobs import reuse

    steps = ctx.client.jobs.explain_reuse(name, node)
    if ctx.has_output_options:
        return steps
    click.echo(reuse.render_explanation(steps), nl=False)
    return None


@job.verb("update", _NAME, options.EDITS, options.WEB)
def update_job(ctx: Invocation, name: str, web: bool, **changes: Any) -> Any:
    """Change a job's display name, description, tags or properties; what it runs cannot be changed."""
    updated = documents.update_entity(ctx.client.jobs.get(name), changes, ctx.client.jobs.create_or_update)
    if web:
        open_job_page(ctx, updated)
    return updated


@job.verb("delete", _NAME, options.YES)
def delete_job(ctx: Invocation, name: str, yes: bool) -> None:
    """Delete a finished job with its steps and files; what other jobs or registered versions use stays."""
    ctx.client.jobs.get(name)
    ctx.confirm(yes, f"delete job {name} with its steps, logs and outputs? this cannot be undone")
    ctx.client.jobs.begin_delete(name).wait()
    ctx.print_note(f"deleted job {name}")


@job.verb("archive", _NAME)
def archive_job(ctx: Invocation, name: str) -> None:
    """Hide a job from lists."""
    ctx.client.jobs.archive(name)


@job.verb("restore", _NAME)
def restore_job(ctx: Invocation, name: str) -> None:
    """Undo archive."""
    ctx.client.jobs.restore(name)


@job.verb(
    "validate",
    options.make_file_option("The job's YAML file."),
    options.make_name_options("A name for the job.", needed=False, argument="[FILE]"),
    options.SET,
    click.Option(["--local"], is_flag=True, help="Check only the files; no server is needed."),
)
def validate_job(ctx: Invocation, file: str | None, name: str | None, set: tuple[str, ...], local: bool) -> Any:
    """Check a job's YAML file and everything that it names, without running it."""
    if file is None:
        raise click.UsageError("say which file to check: smalt job validate --file job.yml")
    from smalt.cli.jobs import submission
    from smalt.yaml.loading import list_warnings

    job = documents.read_document("job", file, set, {"name": name})
    found: list[str] = []
    if local:
        from smalt.client.jobs.local_checks import check_alone

        check_alone(job)
    else:
        found = ctx.client.jobs.validate(job, raise_on_failure=True).warnings
    found = found or submission.find_ineffective(job)  # the server says nothing of a job that is there already
    submission.print_warnings(ctx, found)
    ctx.print_note(f"{file}: ok")
    return {"result": "Succeeded", "errors": [], "warnings": [*map(str, list_warnings(job)), *found]}


@job.verb(
    "show-services",
    _NAME,
    click.Option(["-i", "--node-index"], type=int, default=0, metavar="N", help="The node; only 0 exists."),
)
def show_services(ctx: Invocation, name: str, node_index: int) -> Any:
    """Show the services of a job; locally none are started."""
    return ctx.client.jobs.get(name).services or {}


def _announce_and_follow(ctx: Invocation, name: str) -> None:
    ctx.print_note(f"job {name}")
    _follow_job(ctx, name)


def _follow_job(ctx: Invocation, name: str) -> None:
    """Show the job until it ends, then the result if one is asked for; exit code 1 if it did not complete."""
    from smalt.cli.jobs.stream import follow_job

    completed = follow_job(ctx, name)
    if ctx.has_output_options:
        ctx.print_result(ctx.client.jobs.get(name))
    if not completed:
        raise click.exceptions.Exit(1)


job.add_refusal(
    "connect-ssh", "jobs run on this machine, so there is nothing to connect to; see the job with: smalt job show NAME"
)
