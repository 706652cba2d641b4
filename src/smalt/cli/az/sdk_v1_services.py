"""Web services, experiments and published pipelines of SDK v1's `az ml`, as templates call them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

import yaml
from smalt.cli.az.sdk_v1 import V1Group, ml, model, open_workspace, take_workspace

if TYPE_CHECKING:
    from smalt.v1.resources.webservice import DeploymentConfiguration, InferenceConfig

Scope = tuple[str | None, str | None, str | None]


@ml.group(cls=V1Group)
def experiment() -> None:
    """Experiments."""


@experiment.command("create")
@take_workspace
@click.option("--name", "-n", required=True)
def create_experiment(workspace: str | None, group: str | None, subscription: str | None, name: str) -> None:
    """Say that there is nothing to make: an experiment is there with its first run."""
    ws = open_workspace(None, subscription, group, workspace)
    click.echo(json.dumps({"name": name, "workspaceName": ws.name}, indent=2))


@experiment.command("list")
@take_workspace
def list_experiments(workspace: str | None, group: str | None, subscription: str | None) -> None:
    found = open_workspace(None, subscription, group, workspace).experiments
    click.echo(json.dumps([{"name": name} for name in found], indent=2))


@ml.group(cls=V1Group)
def pipeline() -> None:
    """Published pipelines."""


@pipeline.command("create")
@take_workspace
@click.option("--name", "-n", required=True)
@click.option("--pipeline-yaml", "-y", "file", required=True)
@click.option("--description", "-d")
@click.option("--version", "-v", "version")
@click.option("--continue", "-c", "goes_on", is_flag=True)
@click.option("--output-file", "-f", "target")
def create_pipeline(
    workspace: str | None, group: str | None, subscription: str | None, name: str, file: str, description: str | None,
    version: str | None, goes_on: bool, target: str | None,
) -> None:  # fmt: skip
    """Publish the pipeline of a v1 YAML file."""
    from smalt.v1.modules import find_name

    ws = open_workspace(None, subscription, group, workspace)
    made = find_name("azureml.pipeline.core", "Pipeline").load_yaml(ws, file)
    _write_pipeline(made.publish(name, description, version, goes_on), target)


@pipeline.command("list")
@take_workspace
def list_pipelines(workspace: str | None, group: str | None, subscription: str | None) -> None:
    from smalt.v1.pipeline.published import PublishedPipeline

    found = PublishedPipeline.list(open_workspace(None, subscription, group, workspace))
    click.echo(json.dumps([_describe_pipeline(one) for one in found], indent=2))


@pipeline.command("show")
@take_workspace
@click.option("--pipeline-id", "-i", "id", required=True)
def show_pipeline(workspace: str | None, group: str | None, subscription: str | None, id: str) -> None:
    from smalt.v1.pipeline.published import PublishedPipeline

    _write_pipeline(PublishedPipeline.get(open_workspace(None, subscription, group, workspace), id), None)


def _write_pipeline(found: Any, target: str | None) -> None:
    text = json.dumps(_describe_pipeline(found), indent=2)
    if target:
        with open(target, "w", encoding="utf-8") as file:
            file.write(text)
    click.echo(text)


def _describe_pipeline(found: Any) -> dict[str, Any]:
    return {"Id": found.id, "Name": found.name, "Status": found.status, "Endpoint": found.endpoint}


# Web services


@ml.group(cls=V1Group)
def service() -> None:
    """Web services."""


@model.command("deploy")
@take_workspace
@click.option("--name", "-n", required=True)
@click.option("--model", "-m", "models", multiple=True, metavar="NAME:VERSION")
@click.option("--model-metadata-file", "-f", "metadata", multiple=True)
@click.option("--inference-config-file", "--ic", "inference")
@click.option("--deploy-config-file", "--dc", "deployment")
@click.option("--entry-script", "--es", "script")
@click.option("--compute-target", "--ct", "target")
@click.option("--overwrite", is_flag=True)
@click.option("--path")
def deploy_model(
    workspace: str | None, group: str | None, subscription: str | None, name: str, models: tuple[str, ...],
    metadata: tuple[str, ...], inference: str | None, deployment: str | None, script: str | None, target: str | None,
    overwrite: bool, path: str | None,
) -> None:  # fmt: skip
    """Deploy a registered model, and wait for it; the configurations are JSON or YAML files."""
    from smalt.v1.model import Model

    ws = open_workspace(path, subscription, group, workspace)
    ids = [*models, *(str(_read_file(one)["modelId"]) for one in metadata)]
    found = [Model(ws, name=id.partition(":")[0], version=int(id.partition(":")[2] or 0) or None) for id in ids]
    code, config = _read_inference(inference, script), _read_deployment(deployment)
    made = Model.deploy(ws, name, found, code, config, deployment_target=target, overwrite=overwrite)
    made.wait_for_deployment(show_output=False)
    click.echo(json.dumps(made.serialize(), indent=2, default=str))


def _read_file(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            found = yaml.safe_load(file)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be read: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise click.ClickException(f"{path} is neither JSON nor YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(found, dict):
        raise click.ClickException(f"{path} has no settings; write a mapping")
    return found


def _read_inference(path: str | None, script: str | None) -> InferenceConfig:
    """Return the code of a service, of a file with the keys `entryScript`, `condaFile`, `sourceDirectory`, …"""
    from smalt.v1.resources.webservice import InferenceConfig

    given = _read_file(path) if path else {}
    entry = given.get("entryScript") or script
    if not entry:
        raise click.ClickException("a service needs an entry script: 'entryScript' of --ic, or --entry-script")
    return InferenceConfig(
        entry, runtime=given.get("runtime"), conda_file=given.get("condaFile"),
        source_directory=given.get("sourceDirectory"), base_image=given.get("baseImage"),
        description=given.get("description"),
    )  # fmt: skip


def _read_deployment(path: str | None) -> DeploymentConfiguration | None:
    from smalt.v1.resources.webservice import AciWebservice

    if path is None:
        return None
    given = _read_file(path)
    machine = given.get("containerResourceRequirements") or {}
    return AciWebservice.deploy_configuration(
        cpu_cores=machine.get("cpu"), memory_gb=machine.get("memoryInGB"), tags=given.get("tags"),
        description=given.get("description"), auth_enabled=given.get("authEnabled"),
    )  # fmt: skip


_name = click.option("--name", "-n", required=True)


def _get_service(scope: Scope, name: str) -> Any:
    from smalt.v1.resources.webservice import Webservice

    return Webservice(open_workspace(None, *scope), name)


@service.command("show")
@take_workspace
@_name
def show_service(workspace: str | None, group: str | None, subscription: str | None, name: str) -> None:
    click.echo(json.dumps(_get_service((subscription, group, workspace), name).serialize(), indent=2, default=str))


@service.command("list")
@take_workspace
def list_services(workspace: str | None, group: str | None, subscription: str | None) -> None:
    from smalt.v1.resources.webservice import Webservice

    found = Webservice.list(open_workspace(None, subscription, group, workspace))
    click.echo(json.dumps([one.serialize() for one in found], indent=2, default=str))


@service.command("run")
@take_workspace
@_name
@click.option("--input-data", "-d", "data", required=True)
def run_service(workspace: str | None, group: str | None, subscription: str | None, name: str, data: str) -> None:
    """Send data to the service, and write its answer."""
    click.echo(json.dumps(_get_service((subscription, group, workspace), name).run(data), indent=2))


@service.command("get-logs")
@take_workspace
@_name
@click.option("--num_lines", "--num-lines", "-l", "lines", type=int, default=5000)
def show_logs(workspace: str | None, group: str | None, subscription: str | None, name: str, lines: int) -> None:
    click.echo(_get_service((subscription, group, workspace), name).get_logs(lines))


@service.command("get-keys")
@take_workspace
@_name
def show_keys(workspace: str | None, group: str | None, subscription: str | None, name: str) -> None:
    first, second = _get_service((subscription, group, workspace), name).get_keys()
    click.echo(json.dumps({"primaryKey": first, "secondaryKey": second}, indent=2))


@service.command("delete")
@take_workspace
@_name
def delete_service(workspace: str | None, group: str | None, subscription: str | None, name: str) -> None:
    _get_service((subscription, group, workspace), name).delete()
