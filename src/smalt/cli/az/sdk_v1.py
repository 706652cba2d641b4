"""`az ml` of SDK v1's extension, as scripts and templates call it: what it did, by `smalt.v1`."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from smalt.v1.workspace import Workspace

_GROUPS = ("computetarget", "experiment", "folder", "pipeline", "run", "service")
"""The groups that v2's extension does not have."""
_VERBS = {("model", "register"), ("model", "deploy"), ("environment", "register"), ("environment", "scaffold")}
"""The verbs of v1 in groups that both have."""


def is_v1_call(words: Sequence[str]) -> bool:
    """Return True of the words after `az ml` if they are a call of v1's extension."""
    return bool(words) and (words[0] in _GROUPS or tuple(words[:2]) in _VERBS)


_workspace = [
    click.option("--workspace-name", "-w", "workspace", metavar="NAME"),
    click.option("--resource-group", "-g", "group", metavar="NAME"),
    click.option("--subscription-id", "--subscription", "subscription", metavar="ID"),
]


def take_workspace(function: Any) -> Any:
    for option in _workspace:
        function = option(function)
    return function


def open_workspace(path: str | None, subscription: str | None, group: str | None, workspace: str | None) -> Workspace:
    from smalt.v1.workspace import Workspace

    if workspace is None and group is None:
        return Workspace.from_config(path)
    from smalt.client import MLClient

    return Workspace.from_client(MLClient(None, subscription, group, workspace))


class V1Group(click.Group):
    """A group whose unknown verbs say what v2 has instead."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and self.get_command(ctx, args[0]) is None:
            raise click.ClickException(
                f"'az ml {' '.join((*_list_names(ctx), args[0]))}' of SDK v1 is not served; there are: "
                f"{', '.join(sorted(self.commands))} (in v2: az ml job, az ml compute, az ml data; see docs/v1.md)"
            )
        return super().resolve_command(ctx, args)


def _list_names(ctx: click.Context) -> list[str]:
    """Return the names of the groups that lead to a call, without the first."""
    return [] if ctx.parent is None else [*_list_names(ctx.parent), str(ctx.info_name)]


@click.group("ml", cls=V1Group)
def ml() -> None:
    """SDK v1's `az ml`."""


@ml.group(cls=V1Group)
def folder() -> None:
    """Folders with a workspace's configuration."""


@folder.command("attach")
@take_workspace
@click.option("--experiment-name", "-e", "experiment")
@click.option("--path", default=".")
def attach_folder(
    workspace: str | None, group: str | None, subscription: str | None, experiment: str | None, path: str
) -> None:
    """Write `.azureml/config.json` into the folder; the experiment is kept beside."""
    open_workspace(None, subscription, group, workspace).write_config(path)
    if experiment:
        with open(os.path.join(path, ".azureml", "project.json"), "w", encoding="utf-8") as file:
            json.dump({"Experiment": experiment}, file)


@ml.group(cls=V1Group)
def computetarget() -> None:
    """Computes."""


@computetarget.group("create", cls=V1Group)
def create_compute() -> None:
    """Make a compute."""


@create_compute.command("amlcompute")
@take_workspace
@click.option("--name", "-n", required=True)
@click.option("--vm-size", "-s", "size", default="")
@click.option("--vm-priority", "-p", "priority", default="dedicated")
@click.option("--min-nodes", type=int, default=0)
@click.option("--max-nodes", type=int)
@click.option("--idle-seconds-before-scaledown", "-i", "idle", type=int, default=1800)
@click.option("--path")
def create_cluster(
    workspace: str | None, group: str | None, subscription: str | None, name: str, size: str, priority: str,
    min_nodes: int, max_nodes: int | None, idle: int, path: str | None,
) -> None:  # fmt: skip
    from smalt.v1.compute.kinds import AmlCompute
    from smalt.v1.compute.target import ComputeTarget

    ws = open_workspace(path, subscription, group, workspace)
    wanted = AmlCompute.provisioning_configuration(size, priority, min_nodes, max_nodes, idle)
    click.echo(json.dumps(ComputeTarget.create(ws, name, wanted).serialize(), indent=2, default=str))


@computetarget.command("list")
@take_workspace
def list_computes(workspace: str | None, group: str | None, subscription: str | None) -> None:
    found = open_workspace(None, subscription, group, workspace).compute_targets
    click.echo(json.dumps([one.serialize() for one in found.values()], indent=2, default=str))


@computetarget.command("show")
@take_workspace
@click.option("--name", "-n", required=True)
def show_compute(workspace: str | None, group: str | None, subscription: str | None, name: str) -> None:
    from smalt.v1.compute.target import ComputeTarget

    found = ComputeTarget(open_workspace(None, subscription, group, workspace), name)
    click.echo(json.dumps(found.serialize(), indent=2, default=str))


@computetarget.command("delete")
@take_workspace
@click.option("--name", "-n", required=True)
def delete_compute(workspace: str | None, group: str | None, subscription: str | None, name: str) -> None:
    from smalt.v1.compute.target import ComputeTarget

    ComputeTarget(open_workspace(None, subscription, group, workspace), name).delete()


@ml.group("run", cls=V1Group)
def runs() -> None:
    """Runs."""


@runs.command("submit-script", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@take_workspace
@click.option("--experiment-name", "-e", "experiment", required=True)
@click.option("--run-configuration-name", "-c", "name", help="A .runconfig of the folder.")
@click.option("--compute-target", "--ct", "target")
@click.option("--conda-dependencies", "-d", "conda")
@click.option("--output-metadata-file", "-t", "target_file")
@click.option("--source-directory", "folder", default=".")
@click.option("--path")
@click.option("--async", "is_async", is_flag=True)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def submit_script(
    workspace: str | None, group: str | None, subscription: str | None, experiment: str, name: str | None,
    target: str | None, conda: str | None, target_file: str | None, folder: str, path: str | None, is_async: bool,
    words: tuple[str, ...],
) -> None:  # fmt: skip
    """Submit a script with its arguments, and follow it unless `--async`."""
    from smalt.v1.conda_dependencies import CondaDependencies
    from smalt.v1.experiment import Experiment
    from smalt.v1.run_configuration import RunConfiguration
    from smalt.v1.script_run_config import ScriptRunConfig

    ws = open_workspace(path, subscription, group, workspace)
    settings = RunConfiguration.load(path or folder, name) if name else RunConfiguration()
    if target:
        settings.target = target
    if conda:
        settings.environment.python.conda_dependencies = CondaDependencies(conda)
    script, arguments = (words[0], list(words[1:])) if words else (settings.script, settings.arguments)
    config = ScriptRunConfig(folder, script, arguments, run_config=settings)
    _follow_run(Experiment(ws, experiment).submit(config), target_file, is_async)


@runs.command("submit-pipeline")
@take_workspace
@click.option("--experiment-name", "-n", "experiment", required=True)
@click.option("--pipeline-yaml", "-y", "file", required=True)
@click.option("--parameters", "-p", "parameters", default="")
@click.option("--output-file", "-f", "target_file")
@click.option("--async", "is_async", is_flag=True)
def submit_pipeline(
    workspace: str | None, group: str | None, subscription: str | None, experiment: str, file: str, parameters: str,
    target_file: str | None, is_async: bool,
) -> None:  # fmt: skip
    """Submit the pipeline of a v1 YAML file; parameters are NAME=VALUE pairs."""
    from smalt.v1.experiment import Experiment
    from smalt.v1.modules import find_name

    ws = open_workspace(None, subscription, group, workspace)
    pipeline = find_name("azureml.pipeline.core", "Pipeline").load_yaml(ws, file)
    given = dict(one.partition("=")[::2] for one in shlex.split(parameters.replace(",", " ")))
    run = Experiment(ws, experiment).submit(pipeline, **({"pipeline_parameters": given} if given else {}))
    _follow_run(run, target_file, is_async)


@runs.command("show")
@take_workspace
@click.option("--run", "-r", "run_id", required=True)
@click.option("--experiment-name", "-e", "experiment")
def show_run(
    workspace: str | None, group: str | None, subscription: str | None, run_id: str, experiment: str | None
) -> None:
    run = open_workspace(None, subscription, group, workspace).get_run(run_id)
    click.echo(json.dumps(_describe_run(run), indent=2, default=str))


@runs.command("list")
@take_workspace
@click.option("--experiment-name", "-e", "experiment", required=True)
@click.option("--last", type=int, default=10)
def list_runs(workspace: str | None, group: str | None, subscription: str | None, experiment: str, last: int) -> None:
    from itertools import islice

    from smalt.v1.experiment import Experiment

    found = Experiment(open_workspace(None, subscription, group, workspace), experiment).get_runs()
    click.echo(json.dumps([_describe_run(run) for run in islice(found, last)], indent=2, default=str))


@runs.command("cancel")
@take_workspace
@click.option("--run", "-r", "run_id", required=True)
@click.option("--experiment-name", "-e", "experiment")
def cancel_run(
    workspace: str | None, group: str | None, subscription: str | None, run_id: str, experiment: str | None
) -> None:
    open_workspace(None, subscription, group, workspace).get_run(run_id).cancel()


@ml.group(cls=V1Group)
def model() -> None:
    """Models."""


@model.command("register")
@take_workspace
@click.option("--name", "-n", required=True)
@click.option("--model-path", "-p", "model_path", required=True)
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE")
@click.option("--property", "properties", multiple=True, metavar="KEY=VALUE")
@click.option("--description", "-d")
@click.option("--run-id", "run_id")
@click.option("--experiment-name", "experiment")
@click.option("--asset-path", "asset_path")
@click.option("--output-metadata-file", "-t", "target_file")
def register_model(
    workspace: str | None, group: str | None, subscription: str | None, name: str, model_path: str,
    tags: tuple[str, ...], properties: tuple[str, ...], description: str | None, run_id: str | None,
    experiment: str | None, asset_path: str | None, target_file: str | None,
) -> None:  # fmt: skip
    """Register a local file or folder, or with `--run-id` a file of a run."""
    from smalt.v1.model import Model

    ws = open_workspace(None, subscription, group, workspace)
    marks: dict[str, Any] = {
        "tags": dict(one.partition("=")[::2] for one in tags),
        "properties": dict(one.partition("=")[::2] for one in properties),
        "description": description,
    }
    if run_id:
        made = ws.get_run(run_id).register_model(name, asset_path or model_path, **marks)
    else:
        made = Model.register(ws, model_path, name, **marks)
    _write_metadata(target_file, {"modelId": made.id, "workspaceName": ws.name, "resourceGroupName": ws.resource_group})
    click.echo(json.dumps(made.serialize(), indent=2, default=str))


@ml.group(cls=V1Group)
def environment() -> None:
    """Environments."""


@environment.command("register")
@take_workspace
@click.option("--directory", "-d", "directory", required=True)
def register_environment(workspace: str | None, group: str | None, subscription: str | None, directory: str) -> None:
    """Register the environment of a folder that `save_to_directory` wrote."""
    from smalt.v1.environment import Environment

    made = Environment.load_from_directory(directory).register(open_workspace(None, subscription, group, workspace))
    click.echo(json.dumps(made.to_dict(), indent=2, default=str))


def _follow_run(run: Any, target_file: str | None, is_async: bool) -> None:
    from smalt.v1.exceptions import ActivityFailedException

    _write_metadata(target_file, {"runId": run.id, "experimentName": run.experiment.name})
    if not is_async:
        try:
            run.wait_for_completion(show_output=True)
        except ActivityFailedException as error:
            raise click.ClickException(error.message) from None
    click.echo(json.dumps(_describe_run(run), indent=2, default=str))


def _describe_run(run: Any) -> dict[str, Any]:
    return {"runId": run.id, "experimentName": run.experiment.name, "status": run.get_status(), "tags": run.tags}


def _write_metadata(path: str | None, content: dict[str, Any]) -> None:
    if path:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(content, file)
