"""`smalt online-endpoint …`, `smalt batch-endpoint …` and the other nouns that smalt only stores."""

from __future__ import annotations

from itertools import islice
from typing import Any

import click

from smalt.cli.framework import documents, options
from smalt.cli.framework.verb import COMMON, Invocation, Noun

LOCAL = click.Option(["--local"], is_flag=True, expose_value=False, help="Accepted; everything is on this machine.")
AUTH_MODE = click.Option(["--auth-mode"], metavar="MODE", help="How callers prove who they are: key or aml_token.")
CREDENTIALS = click.Option(
    ["--credentials"], multiple=True, metavar="KEY=VALUE…", help="Values of the file's credentials, such as a password."
)


class StoredNoun(Noun):
    """A noun with create, show, list, update and delete; `more` are further options of create."""

    def __init__(
        self, kind: str, help: str, columns: tuple[str, ...], collection: str, more: tuple[click.Option, ...] = ()
    ) -> None:
        super().__init__(kind.replace("_", "-"), help, columns)
        self.kind, self.words, self.collection, self.more = kind, kind.replace("_", " "), collection, more
        self.add_verbs()

    def add_verbs(self, *where: click.Option) -> None:
        """Add the verbs; `where` are the options that name a deployment's endpoint."""
        words, a_word = self.words, options.add_article(self.words)
        name, whole = (
            options.make_name_options(f"The {words}'s name."),
            options.make_file_option(f"A file with the whole {words}.", first=False),
        )
        self.verb(
            "create",
            options.make_file_option(f"The {words}'s YAML file."),
            options.make_name_options("Its name, instead of the file's.", needed=False, argument="[FILE]"),
            [click.Option(each.opts, metavar="NAME", help="The endpoint, instead of the file's.") for each in where],
            options.SET,
            self.more,
            options.NO_WAIT,
            help=f"Create {a_word} from a YAML file.",
        )(self.create)
        self.verb("show", name, where, help=f"Show {a_word}.")(self.show)
        self.verb("list", options.MAX_RESULTS, where, help=f"List {words}s.")(self.list_entities)
        self.verb(
            "update", name, whole, options.EDITS, options.NO_WAIT, where, help=f"Change {a_word}, by --set or a file."
        )(self.update)
        self.verb("delete", name, options.YES, options.NO_WAIT, where, help=f"Delete {a_word}.")(self.delete)
        if self.kind.startswith("online"):
            for verb in self.commands.values():
                verb.params.insert(-len(COMMON), LOCAL)

    def get_collection(self, ctx: Invocation) -> Any:
        """Return the client's collection of this noun."""
        return getattr(ctx.client, self.collection)

    def put_entity(self, ctx: Invocation, entity: Any) -> Any:
        collection = self.get_collection(ctx)
        if hasattr(collection, "begin_create_or_update"):
            return collection.begin_create_or_update(entity).result()
        return collection.create_or_update(entity)

    def create(
        self, ctx: Invocation, file: str | None, name: str | None, set: tuple[str, ...], no_wait: bool, **where: Any
    ) -> Any:
        if file is None and not (name and AUTH_MODE in self.more):
            raise click.UsageError(f"say which file describes the {self.words}: smalt {self.name} create --file FILE")
        given = {"name": name, **where, "credentials": dict(_split_pair(text) for text in where.get("credentials", ()))}
        return self.put_entity(ctx, documents.read_document(self.kind, file, set, given))

    def show(self, ctx: Invocation, name: str, **where: Any) -> Any:
        return self.get_collection(ctx).get(name, **where)

    def list_entities(self, ctx: Invocation, max_results: int | None, **where: Any) -> Any:
        return list(islice(self.get_collection(ctx).list(**where), max_results))

    def update(self, ctx: Invocation, name: str, file: str | None, no_wait: bool, **rest: Any) -> Any:
        where = {key: rest.pop(key) for key in ("endpoint_name",) if key in rest}
        if file is not None:
            documents.check_no_edits(rest)
            return self.create(ctx, file, name, set=rest["set"], no_wait=no_wait, **where)
        return documents.update_entity(
            self.get_collection(ctx).get(name, **where), rest, lambda entity: self.put_entity(ctx, entity)
        )

    def delete(self, ctx: Invocation, name: str, yes: bool, no_wait: bool, **where: Any) -> None:
        collection = self.get_collection(ctx)
        collection.get(name, **where)
        ctx.confirm(yes, f"delete the {self.words} {name}?")
        if hasattr(collection, "begin_delete"):
            collection.begin_delete(name, **where).wait()
        else:
            collection.delete(name)


class DeploymentNoun(StoredNoun):
    """A noun for deployments; `first` is the flag of create that directs the endpoint's calls to the new deployment."""

    def __init__(self, kind: str, help: str, columns: tuple[str, ...], collection: str, first: str) -> None:
        self.first = first
        super().__init__(kind, help, columns, collection)

    def add_verbs(self, *where: click.Option) -> None:
        endpoint = click.Option(["-e", "--endpoint-name"], metavar="NAME", required=True, help="The endpoint.")
        super().add_verbs(*where, endpoint)
        flag = click.Option(
            [self.first, "answers"], is_flag=True, help="Direct its endpoint's calls to this deployment."
        )
        self.commands["create"].params.insert(2, flag)

    def create(self, ctx: Invocation, file: str | None, name: str | None, *, answers: bool = False, **rest: Any) -> Any:  # type: ignore[override]
        made = super().create(ctx, file, name, **rest)
        if answers:
            kind = self.kind.partition("_")[0]
            endpoints = getattr(ctx.client, f"{kind}_endpoints")
            endpoint = endpoints.get(made.endpoint_name)
            if kind == "online":
                endpoint.traffic = {made.name: 100}
            else:
                endpoint.defaults = {"deployment_name": made.name}
            endpoints.begin_create_or_update(endpoint).wait()
        return made


online_endpoint = StoredNoun(
    "online_endpoint",
    "Online endpoints: stored; smalt does not serve them yet.",
    ("name", "auth_mode", "description"),
    "online_endpoints",
    (AUTH_MODE,),
)
online_deployment = DeploymentNoun(
    "online_deployment",
    "Online deployments: stored; smalt does not serve them yet.",
    ("name", "endpoint_name", "model", "instance_type", "instance_count"),
    "online_deployments",
    "--all-traffic",
)
connection = StoredNoun(
    "connection",
    "Connections: addresses and credentials of other services.",
    ("name", "type", "target", "description"),
    "connections",
    (CREDENTIALS,),
)

_NAME = options.make_name_options("The name.")
_DEPLOYMENT = click.Option(["-d", "--deployment-name"], metavar="NAME", help="The deployment to call.")
_ENDPOINT = click.Option(["-e", "--endpoint-name"], metavar="NAME", required=True, help="The endpoint.")


def _split_pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"'{text}' is not KEY=VALUE")
    return key, value


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
    options.EDITS,
    options.NO_WAIT,
    LOCAL,
)
def update_online(ctx: Invocation, traffic: tuple[str, ...], mirror_traffic: tuple[str, ...], **rest: Any) -> Any:
    """Change an online endpoint, by --traffic, --set or a file."""
    shares = [f"traffic.{share}" for words in traffic for share in words.split()]
    shares += [f"mirror_traffic.{share}" for words in mirror_traffic for share in words.split()]
    return online_endpoint.update(ctx, **{**rest, "set": (*rest["set"], *shares)})


@online_endpoint.verb(
    "invoke",
    _NAME,
    click.Option(["-r", "--request-file"], metavar="FILE", help="The request's body."),
    _DEPLOYMENT,
    LOCAL,
)
def invoke_online(ctx: Invocation, name: str, request_file: str | None, deployment_name: str | None) -> Any:
    """Refused: no deployment answers requests yet."""
    return ctx.client.online_endpoints.invoke(name, request_file=request_file, deployment_name=deployment_name)


@online_endpoint.verb("get-credentials", _NAME)
def get_credentials(ctx: Invocation, name: str) -> Any:
    """Refused: online endpoints have no keys yet."""
    return ctx.client.online_endpoints.get_keys(name)


@online_deployment.verb(
    "get-logs",
    _NAME,
    _ENDPOINT,
    click.Option(["-l", "--lines"], type=int, default=50, metavar="N", help="The number of last lines to show."),
    click.Option(["-c", "--container"], metavar="NAME", help="Whose: inference-server or storage-initializer."),
    LOCAL,
)
def get_logs(ctx: Invocation, name: str, endpoint_name: str, lines: int, container: str | None) -> Any:
    """Refused: no deployment runs yet, so none has logs."""
    return ctx.client.online_deployments.get_logs(name, endpoint_name, lines, container_type=container)
