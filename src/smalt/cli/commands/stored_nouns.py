"""The commands that nouns share which are stored as described, and `smalt connection …`."""

from __future__ import annotations

from itertools import islice
from typing import Any

import click

from smalt.cli.framework import documents, options
from smalt.cli.framework.verb import Invocation, Noun

AUTH_MODE = click.Option(
    ["--auth-mode"], metavar="MODE", help="How callers prove who they are: key, aml_token or aad_token."
)
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

    def get_collection(self, ctx: Invocation) -> Any:
        """Return the client's collection of this noun."""
        return getattr(ctx.client, self.collection)

    def put_entity(self, ctx: Invocation, entity: Any, no_wait: bool = False) -> Any:
        """Create or replace the resource; with `no_wait`, return before the server has made all of it."""
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
        return self.put_entity(ctx, documents.read_document(self.kind, file, set, given), no_wait)

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
            self.get_collection(ctx).get(name, **where), rest, lambda entity: self.put_entity(ctx, entity, no_wait)
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
            self.direct_calls(ctx, made)
        return made

    def direct_calls(self, ctx: Invocation, made: Any) -> None:
        """Make the new deployment the one that answers its endpoint's calls."""
        endpoints = ctx.client.batch_endpoints
        endpoint = endpoints.get(made.endpoint_name)
        endpoint.default_deployment_name = made.name
        endpoints.begin_create_or_update(endpoint).wait()


connection = StoredNoun(
    "connection",
    "Connections: addresses and credentials of other services.",
    ("name", "type", "target", "description"),
    "connections",
    (CREDENTIALS,),
)


def _split_pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"'{text}' is not KEY=VALUE")
    return key, value
