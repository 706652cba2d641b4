"""`smalt batch-endpoint …` and `smalt batch-deployment …`"""

from __future__ import annotations

import os
from itertools import islice
from typing import Any

import click

from smalt.cli.commands.stored_nouns import AUTH_MODE, DeploymentNoun, StoredNoun
from smalt.cli.framework import documents, edits, options
from smalt.cli.framework.verb import Invocation
from smalt.entities.syntax.references import is_reference
from smalt.exceptions import NotFound

_DEFAULTS = click.Option(
    ["--defaults"], multiple=True, metavar="KEY=VALUE…", help="The default deployment: deployment_name=NAME."
)
_SKIP = click.Option(
    ["--skip-script-validation"], is_flag=True, help="Do not compile the scoring script; it must be there."
)


class _BatchEndpointNoun(StoredNoun):
    def add_verbs(self, *where: click.Option) -> None:
        super().add_verbs(*where)
        self.commands["update"].params.insert(3, _DEFAULTS)

    def update(self, ctx: Invocation, name: str, file: str | None, no_wait: bool, **rest: Any) -> Any:
        chosen = tuple(f"defaults.{pair}" for pair in rest.pop("defaults"))
        return super().update(ctx, name, file, no_wait, **{**rest, "set": (*rest["set"], *chosen)})


class _BatchDeploymentNoun(DeploymentNoun):
    skips_validation = False
    """True if the script of the deployment that is made is not compiled."""

    def add_verbs(self, *where: click.Option) -> None:
        super().add_verbs(*where)
        for verb in ("create", "update"):
            self.commands[verb].params.insert(3, _SKIP)

    def create(self, ctx: Invocation, file: str | None, name: str | None, **rest: Any) -> Any:  # type: ignore[override]
        self.skips_validation = rest.pop("skip_script_validation", self.skips_validation)
        return super().create(ctx, file, name, **rest)

    def update(self, ctx: Invocation, name: str, file: str | None, no_wait: bool, **rest: Any) -> Any:
        self.skips_validation = rest.pop("skip_script_validation")
        return super().update(ctx, name, file, no_wait, **rest)

    def delete(self, ctx: Invocation, name: str, yes: bool, no_wait: bool, **where: Any) -> None:
        """Delete a deployment; one that is not there is no error, as with `az`: cleaning scripts go on."""
        try:
            super().delete(ctx, name, yes, no_wait, **where)
        except NotFound as error:
            ctx.client.batch_endpoints.get(where["endpoint_name"])
            ctx.print_note(f"nothing was deleted: {error}")

    def put_entity(self, ctx: Invocation, entity: Any, no_wait: bool = False) -> Any:
        collection = ctx.client.batch_deployments
        return collection.begin_create_or_update(entity, skip_script_validation=self.skips_validation).result()


batch_endpoint = _BatchEndpointNoun(
    "batch_endpoint",
    "Batch endpoints: stable names for pipelines and models that run as jobs.",
    ("name", "defaults.deployment_name", "description"),
    "batch_endpoints",
    (AUTH_MODE,),
)
batch_deployment = _BatchDeploymentNoun(
    "batch_deployment",
    "Batch deployments: the pipeline component or model that an endpoint runs.",
    ("name", "endpoint_name", "type", "model", "component"),
    "batch_deployments",
    "--set-default",
)

_NAME = options.make_name_options("The endpoint's name.")
_DEPLOYMENT = click.Option(
    ["-d", "--deployment-name"], metavar="NAME", help="The deployment to run instead of the default."
)
_ENDPOINT = click.Option(["-e", "--endpoint-name"], metavar="NAME", required=True, help="The endpoint.")


@batch_endpoint.verb(
    "invoke",
    _NAME,
    _DEPLOYMENT,
    options.make_file_option("A YAML file with 'inputs', 'outputs' and other settings.", first=False),
    click.Option(["--input"], metavar="PATH", help="The data: a path, a URI, or azureml:NAME:VERSION."),
    click.Option(["--input-type"], metavar="TYPE", help="Its type; uri_folder, or uri_file for a local file."),
    click.Option(["--inputs"], multiple=True, metavar="NAME=VALUE…", help="Inputs by name: data or literals."),
    click.Option(["--output-path"], metavar="PATH", help="The folder for a model's results."),
    click.Option(["--outputs"], multiple=True, metavar="NAME=PATH…", help="The folders of outputs, by name."),
    click.Option(["-m", "--mini-batch-size"], type=int, metavar="N", help="Files in a mini-batch of a model."),
    click.Option(["-c", "--instance-count"], type=int, metavar="N", help="The number of machines of a model."),
    click.Option(["-j", "--job-name"], metavar="NAME", help="The name of the job."),
    click.Option(["--experiment-name"], metavar="NAME", help="The experiment of the job; by default the endpoint."),
    options.SET,
)
def invoke_endpoint(
    ctx: Invocation, name: str, deployment_name: str | None, file: str | None, set: tuple[str, ...], **given: Any
) -> Any:
    """Run an endpoint's deployment on data, and show its job."""
    from smalt.entities.endpoints.invocation import BatchInvocation

    values = _collect_values(given)
    is_bare = file is None and not set and not any(values.values())
    invocation = BatchInvocation() if is_bare else documents.read_document("batch_invocation", file, set, values)
    return ctx.client.batch_endpoints.submit_invocation(name, deployment_name, invocation)


def _collect_values(given: dict[str, Any]) -> dict[str, Any]:
    """Return the options as a file of an invocation has them."""
    inputs = {key: _read_value(value) for key, value in edits.split_pairs(given["inputs"], "--inputs")}
    if given["input"] is not None:
        if inputs:
            raise click.UsageError("--input and --inputs exclude each other; give all inputs with --inputs")
        data = _make_data(given["input"], given["input_type"])
        inputs = {"UriFile" if data["type"] == "uri_file" else "UriFolder": data}
    elif given["input_type"] is not None:
        raise click.UsageError("--input-type is the type of --input, which is not there")
    outputs: dict[str, Any] = {key: {"path": path} for key, path in edits.split_pairs(given["outputs"], "--outputs")}
    if given["output_path"] is not None:
        outputs["score"] = {"type": "uri_folder", "path": given["output_path"]}
    compute = {"instance_count": given["instance_count"]} if given["instance_count"] is not None else None
    kept = ("mini_batch_size", "job_name", "experiment_name")
    return {"inputs": inputs, "outputs": outputs, "compute": compute, **{key: given[key] for key in kept}}


def _read_value(text: str) -> Any:
    """Return data for a text that names some, also where that is missing, and a literal for any other."""
    is_path = text.startswith(("./", "../")) or os.path.exists(os.path.expanduser(text))
    if is_path or "://" in text or is_reference(text):
        return _make_data(text, None)
    return text


def _make_data(text: str, type: str | None) -> dict[str, Any]:
    local = documents.to_local_path(text) or text
    return {"type": type or ("uri_file" if os.path.isfile(local) else "uri_folder"), "path": local}


@batch_endpoint.verb("list-jobs", _NAME, options.MAX_RESULTS, columns=("name", "status", "deployment_name"))
def list_jobs(ctx: Invocation, name: str, max_results: int | None) -> Any:
    """List the jobs that an endpoint's invocations made."""
    return list(islice(ctx.client.batch_endpoints.list_jobs(name), max_results))


@batch_deployment.verb("list-jobs", _NAME, _ENDPOINT, options.MAX_RESULTS, columns=("name", "status"))
def list_deployment_jobs(ctx: Invocation, name: str, endpoint_name: str, max_results: int | None) -> Any:
    """List the jobs of a deployment."""
    return list(islice(ctx.client.batch_deployments.list_jobs(endpoint_name, name=name), max_results))
