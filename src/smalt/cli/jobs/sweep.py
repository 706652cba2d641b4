"""`smalt job sweep`: a command job, a component or a sweep that has ended becomes a sweep."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from smalt.cli.framework import options
from smalt.cli.framework.verb import Invocation, Noun

if TYPE_CHECKING:
    from smalt.entities.jobs.sweep import SweepJob

_ENDED = ("Completed", "Failed", "Canceled")
OPTIONS = [
    click.Argument(["what"], required=False, metavar="FILE|SWEEP"),
    click.Option(
        ["--space"], multiple=True, metavar="NAME=DISTRIBUTION…",
        help="A parameter that varies: --space 'lr=loguniform(-6,-1)' 'kernel=choice(rbf,linear)'.",
    ),
    click.Option(["--primary-metric"], metavar="METRIC", help="The metric that the trials log."),
    click.Option(["--goal"], type=click.Choice(["minimize", "maximize"]), help="Which values of it are sought."),
    click.Option(["--max-total-trials"], type=int, metavar="N", help="Trials in all; the earlier ones count, too."),
    click.Option(["--max-concurrent-trials"], type=int, metavar="N", help="Trials at a time; by default all."),
    click.Option(["--timeout"], type=int, metavar="SECONDS", help="When the sweep is ended."),
    click.Option(["--trial-timeout"], type=int, metavar="SECONDS", help="When a trial is ended."),
    click.Option(
        ["--sampling"], metavar="ALGORITHM",
        help="random (the default), grid, bayesian, gp, cmaes or hyperband; also 'random(rule=sobol)'.",
    ),
    click.Option(["--seed"], type=int, metavar="N", help="Makes the points the same each time."),
    click.Option(
        ["--policy"], metavar="POLICY",
        help="Early termination: 'bandit(slack_factor=0.1)', median_stopping or "
        "'truncation_selection(truncation_percentage=20)'.",
    ),
    click.Option(["-n", "--name"], metavar="NAME", help="The new sweep's name, instead of a generated one."),
    options.SET,
    click.Option(["-s", "--stream"], is_flag=True, help="Show the trials until the sweep ends."),
]  # fmt: skip


def add_sweep_verb(job: Noun) -> None:
    """Add the verb to `smalt job`."""
    job.verb("sweep", OPTIONS)(sweep_job)


def sweep_job(ctx: Invocation, what: str | None, set: tuple[str, ...], stream: bool, **given: Any) -> None:
    """Run a command job at many points: turn its file into a sweep, or go on with a sweep that has ended.

    With --output yaml nothing runs: the sweep is printed as a file for smalt job create.
    """
    if not what:
        raise click.UsageError("say what to sweep: smalt job sweep job.yml --space …, or the name of a sweep")
    sweep = _make_of_file(what, set, given) if _is_file(what) else _make_of_sweep(ctx, what, set, given)
    if given["name"]:
        sweep.name = given["name"]
    if ctx.output == "yaml" and not stream:
        click.echo(_render_file(sweep), nl=False)
        return
    created = ctx.client.jobs.create_or_update(sweep)
    if not stream:
        ctx.print_result(created)
        ctx.print_hint(f"to follow it: smalt job stream {created.name}")
        return
    from smalt.cli.jobs.stream import follow_job

    ctx.print_note(f"job {created.name}")
    completed = follow_job(ctx, str(created.name))
    if ctx.has_output_options:
        ctx.print_result(ctx.client.jobs.get(str(created.name)))
    if not completed:
        raise click.exceptions.Exit(1)


def _render_file(sweep: SweepJob) -> str:
    """Return the YAML of the sweep, for a file in the current folder."""
    from smalt.entities import Component
    from smalt.yaml.dumping import dump_plain
    from smalt.yaml.places import make_relative

    plain = make_relative(os.getcwd(), sweep)
    if isinstance(sweep.trial, Component) and sweep.trial.source_path:
        plain["trial"] = f"file:{os.path.relpath(sweep.trial.source_path)}"
    return dump_plain(plain)


def _is_file(what: str) -> bool:
    return os.path.isfile(what) or what.endswith((".yml", ".yaml")) or os.sep in what


def _make_of_file(file: str, sets: tuple[str, ...], given: dict[str, Any]) -> SweepJob:
    """Return the sweep of the command job or component in a file."""
    from smalt.cli.framework.documents import read_document
    from smalt.cli.jobs.distributions import parse_space
    from smalt.entities import CommandJob, Component
    from smalt.yaml.loading import find_kind

    _require_options(given, "primary_metric", "goal", "max_total_trials")
    if not given["space"]:
        raise click.UsageError("say what varies, as in --space 'lr=loguniform(-6,-1)'")
    for text in sets:
        name = text.partition("=")[0].strip()
        if any(name == f"inputs.{one}" or name.startswith(f"inputs.{one}.") for one in parse_space(given["space"])):
            words = f"--set {name} gives a value to an input that varies by --space; remove one of them"
            raise click.UsageError(words)
    noun = read_document(find_kind(file), file, sets, {})
    if isinstance(noun, CommandJob):
        document = _describe_job(noun)
    elif isinstance(noun, Component) and noun.type != "sweep":
        document = {"trial": noun}
    else:
        hint = "it is one already; run it with: smalt job create" if noun.type == "sweep" else "it is no command job"
        raise click.UsageError(f"{file} cannot become a sweep: {hint}")
    return _read_sweep(document, given)


def _describe_job(job: Any) -> dict[str, Any]:
    """Return the document of a sweep whose trials run what a command job runs."""
    from smalt.entities.jobs.sweep import SweepJob, Trial

    document = job.to_dict()
    trial = {name: document[name] for name in Trial._fields if name in document and name != "queue_settings"}
    timeout = (document.get("limits") or {}).get("timeout")
    kept = {
        name: value
        for name, value in document.items()
        if name in SweepJob._fields and name not in (*trial, "type", "name", "limits")
    }
    return {"trial": trial, **kept, "limits": {"trial_timeout": timeout} if timeout else {}}


def _make_of_sweep(ctx: Invocation, name: str, sets: tuple[str, ...], given: dict[str, Any]) -> SweepJob:
    """Return the sweep that goes on where one has ended: of the same seed, so that its first trials are reused."""
    from smalt.cli.framework.documents import parse_settings
    from smalt.yaml.loading import apply_overrides
    from smalt.yaml.submitted_documents import describe_submission

    sweep: Any = ctx.client.jobs.get(name)
    if sweep.type != "sweep":
        raise click.UsageError(f"job {name} is a {sweep.type} job; give the file of a command job, or name a sweep")
    if sweep.status not in _ENDED:
        raise click.UsageError(f"sweep {name} is {sweep.status}; wait for its end: smalt job stream {name}")
    _require_options(given, "max_total_trials")
    document = describe_submission(sweep)
    if document.get("display_name") == name:  # the server's, as none was given
        del document["display_name"]
    again = _read_sweep(document, given)
    return apply_overrides(again, parse_settings(sets)) if sets else again


def _read_sweep(document: dict[str, Any], given: dict[str, Any]) -> SweepJob:
    """Return the sweep of a document and the options; raise ValidationException with all problems."""
    from smalt.cli.jobs.distributions import parse_policy, parse_sampling, parse_space
    from smalt.entities.jobs.sweep import SweepJob

    space = parse_space(given["space"])
    document = {"type": "sweep", **document}
    _check_names(space, document)
    document["search_space"] = {**(document.get("search_space") or {}), **space}
    inputs = {name: value for name, value in (document.get("inputs") or {}).items() if name not in space}
    document["inputs"] = inputs
    trial: Any = document["trial"]
    if isinstance(trial, dict) and "command" in trial:
        for name in space:
            trial["command"] = _rename_input(trial["command"], name)
    aim = {"primary_metric": given["primary_metric"], "goal": given["goal"]}
    document["objective"] = {**(document.get("objective") or {}), **_drop_unset(aim)}
    limits = {key: given[key] for key in ("max_total_trials", "max_concurrent_trials", "timeout", "trial_timeout")}
    document["limits"] = {**(document.get("limits") or {}), **_drop_unset(limits)}
    if given["sampling"] is not None:
        document["sampling_algorithm"] = parse_sampling(given["sampling"], given["seed"])
    elif given["seed"] is not None:
        known = document.get("sampling_algorithm") or "random"
        known = known if isinstance(known, dict) else {"type": known}
        document["sampling_algorithm"] = {**known, "seed": given["seed"]}
    document.setdefault("sampling_algorithm", "random")
    if given["policy"] is not None:
        document["early_termination"] = parse_policy(given["policy"])
    return SweepJob.from_dict({key: value for key, value in document.items() if value not in (None, {})})


def _check_names(space: dict[str, Any], document: dict[str, Any]) -> None:
    """Raise UsageError for a parameter that a command in place has no input for and does not name."""
    from smalt.entities.schema.problems import did_you_mean, join_words
    from smalt.entities.syntax.expression import find_expressions

    trial: Any = document["trial"]
    if not isinstance(trial, dict) or "command" not in trial:
        return
    named = [one.name for one in find_expressions(trial["command"]) if one.kind in ("inputs", "search_space")]
    known = [*(document.get("inputs") or {}), *(document.get("search_space") or {}), *named]
    for name in space:
        if name not in known:
            there = f"; there are {join_words(dict.fromkeys(known), 'and')}" if known else "; declare it under 'inputs'"
            hint = did_you_mean(name, known) or there
            raise click.UsageError(f"--space {name}: the job has no input '{name}' to vary{hint}")


def _rename_input(command: str, name: str) -> str:
    """Return the command with a parameter of the search space in place of an input."""
    import re

    return re.sub(r"\$\{\{\s*inputs\." + re.escape(name) + r"\s*\}\}", f"${{{{search_space.{name}}}}}", command)


def _drop_unset(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _require_options(given: dict[str, Any], *names: str) -> None:
    """Raise UsageError for the options that are not given."""
    missing = [f"--{name.replace('_', '-')}" for name in names if given[name] is None]
    if missing:
        from smalt.entities.schema.problems import join_words

        raise click.UsageError(f"a sweep needs {join_words(missing, 'and')}")
