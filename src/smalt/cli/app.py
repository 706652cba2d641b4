"""The root command: its nouns are listed here, and each is imported from its module when it is used."""

from __future__ import annotations

import importlib

import click

GROUPS = {
    "Everyday": {
        "job": "Run and manage jobs.",
        "python": "Run a Python program or notebook written for azure.ai.ml, unedited.",
        "data": "Data assets: named and versioned data.",
        "model": "Models: named and versioned, from files or from a job's output.",
        "environment": "Environments: the packages that jobs run with.",
        "component": "Components: reusable steps of pipelines.",
        "studio": "The studio: this server's pages, in a browser.",
        "workspace": "Workspaces: each has jobs, assets and datastores of its own.",
        "server": "The local server, which starts automatically.",
    },
    "Endpoints and schedules": {
        "schedule": "Schedules: jobs at set times.",
        "batch-endpoint": "Batch endpoints: stable names for pipelines and models that run as jobs.",
        "batch-deployment": "Batch deployments: the pipeline component or model that an endpoint runs.",
        "online-endpoint": "Online endpoints: stable names behind which deployments answer requests.",
        "online-deployment": "Online deployments: models and scoring scripts that processes of this machine serve.",
    },
    "Places and sharing": {
        "datastore": "Datastores: the folders, and the clouds' containers, where data, outputs and models are stored.",
        "compute": "Computes: names for the places where jobs run.",
        "registry": "Registries: folders of assets that workspaces and people share.",
        "connection": "Connections: addresses and credentials of other services.",
        "secret": "Secrets: encrypted values that jobs get by name.",
    },
    "Other programs": {
        "exec": "Run a program written for Azure's SDK or CLI against this server.",
        "upgrade": "Turn programs, notebooks and files of SDK v1 (azureml.…) into v2.",
        "kernel": "A Jupyter kernel in which notebooks written for azure.ai.ml run unedited.",
        "mlflow": "MLflow: the tracking URI of this workspace, and MLflow's own pages.",
        "schema": "The JSON Schema of a kind of YAML file, for editors.",
        "completion": "Completion of commands for bash, zsh or fish.",
    },
    "Housekeeping": {
        "config": "Settings of the home.",
        "doctor": "Check the stored files and records, and repair them.",
        "du": "Disk usage by workspace and kind.",
        "prune": "Free disk space: old jobs' files and unused caches.",
        "version": "The version of smalt.",
    },
}
"""The nouns as the help shows them."""

NOUNS = {noun: help for nouns in GROUPS.values() for noun, help in nouns.items()}

_MODULES = {
    "connection": "stored_nouns",
    **dict.fromkeys(("batch-endpoint", "batch-deployment"), "batch_endpoints"),
    **dict.fromkeys(("online-endpoint", "online-deployment"), "online_endpoints"),
}
"""The modules of nouns that share one; any other has a module of its name."""

LATER = {
    "capability-host": "capability hosts",
    "feature-set": "feature sets",
    "feature-store": "feature stores",
    "feature-store-entity": "feature store entities",
    "index": "indexes",
    "marketplace-subscription": "marketplace subscriptions",
    "serverless-endpoint": "serverless endpoints",
}
"""Nouns of `az ml` that smalt does not have yet, and what to call them."""


class App(click.Group):
    """The command `smalt`, which lists its nouns without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in NOUNS:
            module = _MODULES.get(cmd_name, cmd_name)
            command = getattr(importlib.import_module(f"smalt.cli.commands.{module}"), cmd_name.replace("-", "_"))
            assert isinstance(command, click.Command)
            return command
        if cmd_name in LATER:
            from smalt.cli.framework.verb import make_refusal

            return make_refusal(cmd_name, f"smalt has no {LATER[cmd_name]} yet")
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        widest = max(map(len, NOUNS))
        for title, nouns in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(noun.ljust(widest), help) for noun, help in nouns.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args or ["--help"])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            from smalt.cli.framework.suggestions import suggest_noun

            raise click.UsageError(suggest_noun(args, list(NOUNS), ctx), ctx)
        return super().resolve_command(ctx, args)


def _print_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    from smalt._version import __version__

    click.echo(f"smalt {__version__}")
    ctx.exit()


smalt = App(
    "smalt",
    help="Azure Machine Learning v2 jobs, on your own machines.\n\nThe nouns, verbs and options are those of 'az ml'.",
    epilog=(
        "\b\nFor example:\n"
        "  smalt job create --file job.yml --stream    run a job and follow it\n"
        "  smalt python submit.py                      run a program written for azure.ai.ml"
    ),
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_print_version,
            help="Print the version.",
        )
    ],
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=False,
)
