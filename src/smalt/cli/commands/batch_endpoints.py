"""`smalt batch-endpoint …` and `smalt batch-deployment …`"""

from __future__ import annotations

from itertools import islice
from typing import Any

import click

from smalt.cli.commands.stored_nouns import AUTH_MODE, DeploymentNoun, StoredNoun
from smalt.cli.framework import options
from smalt.cli.framework.verb import Invocation

batch_endpoint = StoredNoun(
    "batch_endpoint",
    "Batch endpoints: stable names for pipelines and models that run as jobs.",
    ("name", "defaults.deployment_name", "description"),
    "batch_endpoints",
    (AUTH_MODE,),
)
batch_deployment = DeploymentNoun(
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
    click.Option(["--experiment-name"], metavar="NAME", help="The experiment of its job."),
    click.Option(["-j", "--job-name"], metavar="NAME", help="The name of its job."),
)
def invoke_endpoint(
    ctx: Invocation, name: str, deployment_name: str | None, experiment_name: str | None, job_name: str | None
) -> Any:
    """Run an endpoint's deployment on data, and show its job."""
    return ctx.client.batch_endpoints.invoke(
        name, deployment_name=deployment_name, experiment_name=experiment_name, job_name=job_name
    )


@batch_endpoint.verb("list-jobs", _NAME, options.MAX_RESULTS, columns=("name", "status", "deployment_name"))
def list_jobs(ctx: Invocation, name: str, max_results: int | None) -> Any:
    """List the jobs that an endpoint's invocations made."""
    return list(islice(ctx.client.batch_endpoints.list_jobs(name), max_results))


@batch_deployment.verb("list-jobs", _NAME, _ENDPOINT, options.MAX_RESULTS, columns=("name", "status"))
def list_deployment_jobs(ctx: Invocation, name: str, endpoint_name: str, max_results: int | None) -> Any:
    """List the jobs of a deployment."""
    return list(islice(ctx.client.batch_deployments.list_jobs(endpoint_name, name=name), max_results))
