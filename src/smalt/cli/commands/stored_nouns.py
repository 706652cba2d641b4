"""`smalt schedule …`, `smalt online-endpoint …` and the like: what smalt keeps as it is described."""

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


class Described(Noun):
    """A noun with create, show, list, update and delete; `more` are options of create beside the usual ones."""

    def __init__(
        self, kind: str, help: str, columns: tuple[str, ...], collection: str, more: tuple[click.Option, ...] = ()
    ) -> None:
        super().__init__(kind.replace("_", "-"), help, columns)
        self.kind, self.words, self.collection, self.more = kind, kind.replace("_", " "), collection, more
        self.add_verbs()

    def add_verbs(self, *where: click.Option) -> None:
        """`where` says which endpoint a deployment belongs to."""
        words, a_word = self.words, options.with_article(self.words)
        name, whole = options.name(f"The {words}'s name."), options.file(f"A file with the whole {words}.", first=False)
        self.verb(
            "create",
            options.file(f"The {words}'s YAML file."),
            options.name("Its name, instead of the file's.", needed=False, argument="[FILE]"),
            [click.Option(each.opts, metavar="NAME", help="The endpoint, instead of the file's.") for each in where],
            options.SET,
            self.more,
            options.NO_WAIT,
            help=f"Create {a_word} from a YAML file.",
        )(self.create)
        self.verb("show", name, where, help=f"Show {a_word}.")(self.show)
        self.verb("list", options.MAX_RESULTS, where, help=f"List {words}s.")(self.every)
        self.verb(
            "update", name, whole, options.EDITS, options.NO_WAIT, where, help=f"Change {a_word}, by --set or a file."
        )(self.update)
        self.verb("delete", name, options.YES, options.NO_WAIT, where, help=f"Delete {a_word}.")(self.delete)
        if self.kind.startswith("online"):
            for verb in self.commands.values():
                verb.params.insert(-len(COMMON), LOCAL)

    def of(self, to: Invocation) -> Any:
        """The client's collection."""
        return getattr(to.client, self.collection)

    def put(self, to: Invocation, entity: Any) -> Any:
        collection = self.of(to)
        if hasattr(collection, "begin_create_or_update"):
            return collection.begin_create_or_update(entity).result()
        return collection.create_or_update(entity)

    def create(
        self, to: Invocation, file: str | None, name: str | None, set: tuple[str, ...], no_wait: bool, **where: Any
    ) -> Any:
        if file is None and not (name and AUTH_MODE in self.more):
            raise click.UsageError(f"say which file describes the {self.words}: smalt {self.name} create --file FILE")
        given = {"name": name, **where, "credentials": dict(_pair(text) for text in where.get("credentials", ()))}
        return self.put(to, documents.read(self.kind, file, set, given))

    def show(self, to: Invocation, name: str, **where: Any) -> Any:
        return self.of(to).get(name, **where)

    def every(self, to: Invocation, max_results: int | None, **where: Any) -> Any:
        return list(islice(self.of(to).list(**where), max_results))

    def update(self, to: Invocation, name: str, file: str | None, no_wait: bool, **rest: Any) -> Any:
        where = {key: rest.pop(key) for key in ("endpoint_name",) if key in rest}
        if file is not None:
            documents.refuse_edits(rest)
            return self.create(to, file, name, set=rest["set"], no_wait=no_wait, **where)
        return documents.update(self.of(to).get(name, **where), rest, lambda entity: self.put(to, entity))

    def delete(self, to: Invocation, name: str, yes: bool, no_wait: bool, **where: Any) -> None:
        collection = self.of(to)
        collection.get(name, **where)
        to.confirm(yes, f"delete the {self.words} {name}?")
        if hasattr(collection, "begin_delete"):
            collection.begin_delete(name, **where).wait()
        else:
            collection.delete(name)


class Deployments(Described):
    """`first` is the flag of create that makes the deployment the one that answers."""

    def __init__(self, kind: str, help: str, columns: tuple[str, ...], collection: str, first: str) -> None:
        self.first = first
        super().__init__(kind, help, columns, collection)

    def add_verbs(self, *where: click.Option) -> None:
        endpoint = click.Option(["-e", "--endpoint-name"], metavar="NAME", required=True, help="The endpoint.")
        super().add_verbs(*where, endpoint)
        flag = click.Option(
            [self.first, "answers"], is_flag=True, help="It is the one that answers its endpoint's calls."
        )
        self.commands["create"].params.insert(2, flag)

    def create(self, to: Invocation, file: str | None, name: str | None, *, answers: bool = False, **rest: Any) -> Any:  # type: ignore[override]
        made = super().create(to, file, name, **rest)
        if answers:
            kind = self.kind.partition("_")[0]
            endpoints = getattr(to.client, f"{kind}_endpoints")
            endpoint = endpoints.get(made.endpoint_name)
            if kind == "online":
                endpoint.traffic = {made.name: 100}
            else:
                endpoint.defaults = {"deployment_name": made.name}
            endpoints.begin_create_or_update(endpoint).wait()
        return made


schedule = Described(
    "schedule",
    "Schedules: stored; smalt does not run them yet.",
    ("name", "display_name", "is_enabled", "trigger.type", "description"),
    "schedules",
)
online_endpoint = Described(
    "online_endpoint",
    "Online endpoints: stored; smalt does not serve them yet.",
    ("name", "auth_mode", "description"),
    "online_endpoints",
    (AUTH_MODE,),
)
online_deployment = Deployments(
    "online_deployment",
    "Online deployments: stored; smalt does not serve them yet.",
    ("name", "endpoint_name", "model", "instance_type", "instance_count"),
    "online_deployments",
    "--all-traffic",
)
batch_endpoint = Described(
    "batch_endpoint",
    "Batch endpoints: stored; smalt does not run them yet.",
    ("name", "defaults.deployment_name", "description"),
    "batch_endpoints",
    (AUTH_MODE,),
)
batch_deployment = Deployments(
    "batch_deployment",
    "Batch deployments: stored; smalt does not run them yet.",
    ("name", "endpoint_name", "type", "model", "component"),
    "batch_deployments",
    "--set-default",
)
connection = Described(
    "connection",
    "Connections: addresses of other services, and how to log in there.",
    ("name", "type", "target", "description"),
    "connections",
    (CREDENTIALS,),
)

_NAME = options.name("The name.")
_DEPLOYMENT = click.Option(["-d", "--deployment-name"], metavar="NAME", help="The deployment that is to answer.")
_ENDPOINT = click.Option(["-e", "--endpoint-name"], metavar="NAME", required=True, help="The endpoint.")


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"'{text}' is not KEY=VALUE")
    return key, value


@schedule.verb("enable", _NAME, options.NO_WAIT)
def enable(to: Invocation, name: str, no_wait: bool) -> Any:
    """Switch a schedule on."""
    return to.client.schedules.begin_enable(name).result()


@schedule.verb("disable", _NAME, options.NO_WAIT)
def disable(to: Invocation, name: str, no_wait: bool) -> Any:
    """Switch a schedule off."""
    return to.client.schedules.begin_disable(name).result()


@schedule.verb("trigger", _NAME)
def trigger(to: Invocation, name: str) -> Any:
    """Refused: no schedule happens yet."""
    return to.client.schedules.trigger(name)


@schedule.verb(
    "list",
    options.MAX_RESULTS,
    click.Option(["--include-disabled"], is_flag=True, help="Those that are off, too."),
    click.Option(["--disabled-only"], is_flag=True, help="Only those that are off."),
)
def list_schedules(to: Invocation, max_results: int | None, include_disabled: bool, disabled_only: bool) -> Any:
    """List schedules."""
    view = "DisabledOnly" if disabled_only else "All" if include_disabled else "EnabledOnly"
    return list(islice(to.client.schedules.list(list_view_type=view), max_results))


@online_endpoint.verb(
    "update",
    _NAME,
    options.file("A file with the whole online endpoint.", first=False),
    click.Option(["--traffic"], multiple=True, metavar="NAME=PERCENT…", help="Percent of the requests, by deployment."),
    click.Option(
        ["--mirror-traffic"], multiple=True, metavar="NAME=PERCENT…", help="Percent of the requests that go there, too."
    ),
    options.EDITS,
    options.NO_WAIT,
    LOCAL,
)
def update_online(to: Invocation, traffic: tuple[str, ...], mirror_traffic: tuple[str, ...], **rest: Any) -> Any:
    """Change an online endpoint, by --traffic, --set or a file."""
    shares = [f"traffic.{share}" for words in traffic for share in words.split()]
    shares += [f"mirror_traffic.{share}" for words in mirror_traffic for share in words.split()]
    return online_endpoint.update(to, **{**rest, "set": (*rest["set"], *shares)})


@online_endpoint.verb(
    "invoke",
    _NAME,
    click.Option(["-r", "--request-file"], metavar="FILE", help="The request's body."),
    _DEPLOYMENT,
    LOCAL,
)
def invoke_online(to: Invocation, name: str, request_file: str | None, deployment_name: str | None) -> Any:
    """Refused: no deployment answers yet."""
    return to.client.online_endpoints.invoke(name, request_file=request_file, deployment_name=deployment_name)


@online_endpoint.verb("get-credentials", _NAME)
def get_credentials(to: Invocation, name: str) -> Any:
    """Refused: there is nothing yet that a key would open."""
    return to.client.online_endpoints.get_keys(name)


@batch_endpoint.verb(
    "invoke",
    _NAME,
    _DEPLOYMENT,
    options.file("The job's file.", first=False),
    *(
        click.Option([f"--{name}"], metavar=name.rpartition("-")[2].upper(), help=f"The {name.replace('-', ' ')}.")
        for name in ("input", "input-type", "output-path", "instance-count", "mini-batch-size", "job-name")
    ),
    click.Option(["--experiment-name"], metavar="NAME", help="The experiment of its job."),
    options.SET,
)
def invoke_batch(to: Invocation, name: str, deployment_name: str | None, **_: Any) -> Any:
    """Refused: no deployment runs yet."""
    return to.client.batch_endpoints.invoke(name, deployment_name=deployment_name)


@batch_endpoint.verb("list-jobs", _NAME)
def list_jobs(to: Invocation, name: str) -> Any:
    """List the jobs of a batch endpoint: none yet."""
    return list(to.client.batch_endpoints.list_jobs(name))


@batch_deployment.verb("list-jobs", _NAME, _ENDPOINT)
def list_deployment_jobs(to: Invocation, name: str, endpoint_name: str) -> Any:
    """List the jobs of a batch deployment: none yet."""
    return list(to.client.batch_deployments.list_jobs(endpoint_name, name=name))


@online_deployment.verb(
    "get-logs",
    _NAME,
    _ENDPOINT,
    click.Option(["-l", "--lines"], type=int, default=50, metavar="N", help="How many of the last lines."),
    click.Option(["-c", "--container"], metavar="NAME", help="Whose: inference-server or storage-initializer."),
    LOCAL,
)
def get_logs(to: Invocation, name: str, endpoint_name: str, lines: int, container: str | None) -> Any:
    """Refused: a deployment that answers nothing has no logs."""
    return to.client.online_deployments.get_logs(name, endpoint_name, lines, container_type=container)
