"""`smalt online-endpoint …` and `smalt online-deployment …`."""

from __future__ import annotations

from typing import Any

import click

from smalt.cli.commands.stored_nouns import AUTH_MODE, DeploymentNoun, StoredNoun
from smalt.cli.framework import documents, options
from smalt.cli.framework.verb import COMMON, Invocation

_LOCAL = click.Option(["--local"], is_flag=True, expose_value=False, help="Accepted; everything is on this machine.")
_NO_WAIT = click.Option(["--no-wait"], is_flag=True, help="Return at once; 'show' has the provisioning_state.")
_ENDPOINT = click.Option(["-e", "--endpoint-name"], metavar="NAME", required=True, help="The endpoint.")


def _add_local(noun: StoredNoun) -> None:
    """Let every verb take --local, which changes nothing."""
    for verb in noun.commands.values():
        if not any("--local" in param.opts for param in verb.params):
            verb.params.insert(-len(COMMON), _LOCAL)


class OnlineEndpointNoun(StoredNoun):
    """Online endpoints, which are created with a name alone, too."""


class OnlineDeploymentNoun(DeploymentNoun):
    """Online deployments, which are made while the command waits, unless it has --no-wait."""

    skips_validation = False
    """True if the script of the deployment that is made is not compiled."""

    def add_verbs(self, *where: click.Option) -> None:
        super().add_verbs(*where)
        flags = (
            ("--skip-script-validation", "Do not compile the scoring script; it must be there."),
            ("--package-model", "Refused: the packages of a model are installed when it is deployed."),
            ("--vscode-debug", "Refused: no debugger is attached to a deployment."),
            ("--local-enable-gpu", "Accepted; a deployment sees this machine's GPUs."),
        )
        create = self.commands["create"]
        create.params = [_NO_WAIT if "--no-wait" in param.opts else param for param in create.params]
        self.commands["create"].params[3:3] = [click.Option([name], is_flag=True, help=text) for name, text in flags]

    def create(  # type: ignore[override]
        self,
        ctx: Invocation,
        file: str | None,
        name: str | None,
        *,
        answers: bool = False,
        skip_script_validation: bool = False,
        package_model: bool = False,
        vscode_debug: bool = False,
        local_enable_gpu: bool = False,
        **rest: Any,
    ) -> Any:
        if package_model:
            raise click.UsageError("smalt makes no packages of models; leave --package-model out")
        if vscode_debug:
            raise click.UsageError(
                "smalt attaches no debugger to a deployment; set AZUREML_DEBUG_PORT among its environment_variables"
            )
        self.skips_validation = skip_script_validation
        return super().create(ctx, file, name, answers=answers, **rest)

    def put_entity(self, ctx: Invocation, entity: Any, no_wait: bool = False) -> Any:
        collection = self.get_collection(ctx)
        poller = collection.begin_create_or_update(entity, skip_script_validation=self.skips_validation)
        if no_wait:
            return collection.get(entity.name, entity.endpoint_name)
        if not ctx.quiet:
            poller.on_log = lambda text: click.echo(text, nl=False, err=True)
        return poller.result()

    def direct_calls(self, ctx: Invocation, made: Any) -> None:
        """Give the new deployment all of its endpoint's traffic."""
        endpoint = ctx.client.online_endpoints.get(made.endpoint_name)
        endpoint.traffic, endpoint.mirror_traffic = {made.name: 100}, {}
        ctx.client.online_endpoints.begin_create_or_update(endpoint).wait()


online_endpoint = OnlineEndpointNoun(
    "online_endpoint",
    "Online endpoints: stable names behind which deployments answer requests.",
    ("name", "auth_mode", "provisioning_state", "description"),
    "online_endpoints",
    (AUTH_MODE,),
)
online_deployment = OnlineDeploymentNoun(
    "online_deployment",
    "Online deployments: models and scoring scripts that processes of this machine serve.",
    ("name", "endpoint_name", "provisioning_state", "model", "instance_count"),
    "online_deployments",
    "--all-traffic",
)

_NAME = options.make_name_options("The endpoint's name.")


@online_endpoint.verb(
    "update",
    _NAME,
    options.make_file_option("A file with the whole online endpoint.", first=False),
    click.Option(["--traffic"], multiple=True, metavar="NAME=PERCENT…", help="Percent of the requests, by deployment."),
    click.Option(
        ["--mirror-traffic"],
        multiple=True,
        metavar="NAME=PERCENT…",
        help="Percent of the requests to mirror, by deployment.",
    ),
    click.Option(["--defaults"], hidden=True, help="Of batch endpoints."),
    options.EDITS,
    options.NO_WAIT,
)
def update_endpoint(
    ctx: Invocation,
    name: str,
    file: str | None,
    traffic: tuple[str, ...],
    mirror_traffic: tuple[str, ...],
    defaults: str | None,
    no_wait: bool,
    **rest: Any,
) -> Any:
    """Change an online endpoint, by --traffic, --set or a file."""
    if defaults is not None:
        raise click.UsageError("--defaults is of batch endpoints; set --traffic of an online endpoint")
    if file is not None:
        documents.check_no_edits(rest)
        return online_endpoint.create(ctx, file, name, set=rest["set"], no_wait=no_wait)
    shares, mirrored = _read_shares("--traffic", traffic), _read_shares("--mirror-traffic", mirror_traffic)

    def put_changed(entity: Any) -> Any:
        if traffic:
            entity.traffic = shares
        if mirror_traffic:
            entity.mirror_traffic = mirrored
        return online_endpoint.put_entity(ctx, entity)

    found = ctx.client.online_endpoints.get(name)
    if not any(rest.values()) and (traffic or mirror_traffic):
        return put_changed(found)
    return documents.update_entity(found, rest, put_changed)


def _read_shares(flag: str, words: tuple[str, ...]) -> dict[str, int]:
    """Return percents by deployment; those that are not named get nothing."""
    shares: dict[str, int] = {}
    for word in (word for text in words for word in text.split()):
        name, _, percent = word.partition("=")
        if not name or not percent.isdecimal() or int(percent) > 100:
            raise click.UsageError(f"{flag} takes NAME=PERCENT, from 0 to 100, not '{word}'")
        shares[name] = int(percent)
    return shares


@online_endpoint.verb(
    "invoke",
    _NAME,
    click.Option(["-r", "--request-file"], metavar="FILE", required=True, help="The request's body, as JSON."),
    click.Option(["-d", "--deployment-name"], metavar="NAME", help="The deployment, instead of one by the traffic."),
    click.Option(["--local", "is_local"], is_flag=True, help="Ask the only deployment, although it has no traffic."),
)
def invoke_endpoint(ctx: Invocation, name: str, request_file: str, deployment_name: str | None, is_local: bool) -> Any:
    """Send a request to an online endpoint and print the answer."""
    return ctx.client.online_endpoints.invoke(
        name, request_file=request_file, deployment_name=deployment_name, local=is_local
    )


@online_endpoint.verb("get-credentials", _NAME)
def get_credentials(ctx: Invocation, name: str) -> Any:
    """Show the keys of an online endpoint, or a token where it takes tokens."""
    found: Any = ctx.client.online_endpoints.get_keys(name)
    if hasattr(found, "primary_key"):
        return {"primaryKey": found.primary_key, "secondaryKey": found.secondary_key}
    return {
        "accessToken": found.access_token,
        "expiryTimeUtc": found.expiry_time_utc,
        "refreshAfterTimeUtc": found.refresh_after_time_utc,
        "tokenType": found.token_type,
    }


@online_endpoint.verb(
    "regenerate-keys",
    _NAME,
    click.Option(
        ["--key-type"],
        type=click.Choice(["primary", "secondary"]),
        default="primary",
        show_default=True,
        help="The key to replace.",
    ),
    options.NO_WAIT,
)
def regenerate_keys(ctx: Invocation, name: str, key_type: str, no_wait: bool) -> Any:
    """Replace a key of an online endpoint; the one before opens nothing from then on."""
    ctx.client.online_endpoints.begin_regenerate_keys(name, key_type=key_type).wait()
    return get_credentials(ctx, name)


@online_deployment.verb(
    "update",
    options.make_name_options("The deployment's name; with --file, that of the file.", needed=False),
    options.make_file_option("A file with the whole online deployment.", first=False),
    options.EDITS,
    _NO_WAIT,
    click.Option(["-e", "--endpoint-name"], metavar="NAME", help="The endpoint; with --file, that of the file."),
)
def update_deployment(
    ctx: Invocation, name: str | None, file: str | None, no_wait: bool, endpoint_name: str | None, **rest: Any
) -> Any:
    """Change an online deployment, by --set or a file; requests are answered meanwhile."""
    if file is not None:
        documents.check_no_edits(rest)
        return online_deployment.create(ctx, file, name, set=rest["set"], no_wait=no_wait, endpoint_name=endpoint_name)
    if name is None or endpoint_name is None:
        missing = "'-n' / '--name'" if name is None else "'-e' / '--endpoint-name'"
        raise click.UsageError(
            f"missing option {missing}, as there is no --file; see smalt online-deployment update -h"
        )
    return online_deployment.update(ctx, name, None, no_wait, endpoint_name=endpoint_name, **rest)


@online_deployment.verb(
    "get-logs",
    options.make_name_options("The deployment's name."),
    _ENDPOINT,
    click.Option(["-l", "--lines"], type=click.IntRange(1), default=50, metavar="N", help="Last lines to show."),
    click.Option(
        ["-c", "--container"],
        type=click.Choice(["inference-server", "storage-initializer"]),
        default="inference-server",
        help="The processes, or what was done before they started.",
    ),
)
def get_logs(ctx: Invocation, name: str, endpoint_name: str, lines: int, container: str) -> Any:
    """Show the log of an online deployment."""
    text = ctx.client.online_deployments.get_logs(name, endpoint_name, lines, container_type=container)
    if ctx.has_output_options:
        return text
    click.echo(text, nl=False)
    return None


for _noun in (online_endpoint, online_deployment):
    _add_local(_noun)
