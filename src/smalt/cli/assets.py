"""The verbs that components, environments, data and models share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import click

from smalt.cli import documents, edits, options
from smalt.cli.verb import Invocation, Noun

COLUMNS = ("name", "version", "type", "latest_version", "label", "description", "stage")


def add_verbs(noun: Noun, collection: str) -> None:
    """Add show, list, update, archive and restore to a noun whose assets are in `client.<collection>`."""
    kind = str(noun.name)
    verbs = _Verbs(kind, collection)
    versioned = [*options.name(f"The {kind}'s name."), options.VERSION, options.LABEL, options.REGISTRY]
    listed = [*options.name("List the versions of this one.", needed=False), *options.LISTING, options.MAX_RESULTS]
    stage = [click.Option(["--stage"], metavar="STAGE", help="Only those of this stage.")] if kind == "model" else []
    updated = [
        *options.name("Its name; may be in the file.", needed=False),
        *versioned[2:],
        options.file(f"A file with the whole {kind}.", first=False),
        *options.EDITS,
    ]
    noun.verb("show", versioned, help=f"Show one {kind}.")(verbs.show)
    noun.verb("list", listed, stage, options.REGISTRY, help=f"List {plural(kind)}, or the versions of one.")(verbs.list)
    noun.verb("update", updated, help=f"Change a {kind}, by --set or from a file.")(verbs.update)
    noun.verb("archive", versioned, help=f"Hide a {kind}, or one version of it, from lists.")(verbs.archive)
    noun.verb("restore", versioned, help="Undo archive.")(verbs.restore)


def add_create(
    noun: Noun, collection: str, types: tuple[str, ...], path: str, more: Sequence[click.Parameter] = ()
) -> None:
    """Add create, for what has a type and lies at a path; the first of the types is the usual one."""
    kind = str(noun.name)
    called = _called(kind)
    noun.verb(
        "create",
        options.file(f"The {called}'s YAML file.", first=False),
        options.name("Its name.", needed=False),
        options.VERSION,
        click.Option(["-p", "--path"], metavar="PATH", help=path),
        click.Option(["-t", "--type"], type=click.Choice(types), help=f"By default {types[0]}."),
        more,
        options.DESCRIPTION,
        options.TAGS,
        options.DATASTORE,
        options.SET,
        options.SKIP_VALIDATION,
        options.REGISTRY,
        help=f"Register a {called}, from a YAML file or from the options.",
    )(_Verbs(kind, collection).create)


class _Verbs:
    """The verbs of one kind of asset."""

    def __init__(self, kind: str, collection: str) -> None:
        self._kind = kind
        self._collection = collection

    def create(
        self, to: Invocation, file: str | None, set: tuple[str, ...], registry_name: str | None, **given: Any
    ) -> Any:
        given.pop("skip_validation")
        given["path"] = documents.local(given["path"])
        given["tags"] = edits.tags(given["tags"])
        return self._assets(to, registry_name).create_or_update(documents.read(self._kind, file, set, given))

    def show(self, to: Invocation, name: str, version: str | None, label: str | None, registry_name: str | None) -> Any:
        return fetch(self._read(to, registry_name), name, version, label)

    def list(
        self,
        to: Invocation,
        name: str | None,
        archived_only: bool,
        include_archived: bool,
        max_results: int | None,
        registry_name: str | None,
        stage: str | None = None,
    ) -> Any:
        assets = self._read(to, registry_name)
        view = options.view(archived_only, include_archived)
        found = assets.list(name=name, list_view_type=view)
        if stage is not None:
            found = _of_stage(assets, found if name is None else [], name, view, stage)
        return [*islice(found, max_results)]

    def update(
        self,
        to: Invocation,
        name: str | None,
        version: str | None,
        label: str | None,
        registry_name: str | None,
        file: str | None,
        **changes: Any,
    ) -> Any:
        assets = self._assets(to, registry_name)
        if file is not None:
            given = {"name": name, "version": version}
            return assets.create_or_update(documents.read(self._kind, file, changes["set"], given))
        if not name:
            raise click.UsageError(f"say which {self._kind} to update, with --name or --file")
        return assets.create_or_update(documents.changed(fetch(assets, name, version, label), changes))

    def archive(
        self, to: Invocation, name: str, version: str | None, label: str | None, registry_name: str | None
    ) -> None:
        self._assets(to, registry_name).archive(*_named(name, version, label))

    def restore(
        self, to: Invocation, name: str, version: str | None, label: str | None, registry_name: str | None
    ) -> None:
        self._assets(to, registry_name).restore(*_named(name, version, label))

    def _read(self, to: Invocation, registry_name: str | None) -> Any:
        """The assets, of a registry's environments too; those can only be read."""
        if registry_name is not None and self._kind == "environment":
            return to.registry(registry_name).environments
        return self._assets(to, registry_name)

    def _assets(self, to: Invocation, registry_name: str | None) -> Any:
        local_only(registry_name)
        return getattr(to.client, self._collection)


def fetch(assets: Any, name: str, version: str | None, label: str | None) -> Any:
    """One version of an asset: the named one, the labelled one, or the latest."""
    name, version, label = _named(name, version, label)
    if version is None and label is None:
        label = "latest"
    return assets.get(name, version=version, label=label)


def local_only(registry: str | None) -> None:
    if registry is not None:
        raise click.ClickException(
            f"smalt has no registries yet but the environments of 'azureml', so '{registry}' cannot be used; "
            "without --registry-name it is the workspace"
        )


def plural(kind: str) -> str:
    return f"{_called(kind)}s"


def _called(kind: str) -> str:
    return "data asset" if kind == "data" else kind


def _of_stage(assets: Any, every: Iterable[Any], name: str | None, view: str, stage: str) -> Iterator[Any]:
    """The versions of this stage, of one asset or of every one."""
    for each in [name] if name is not None else [asset.name for asset in every]:
        versions = assets.list(name=each, list_view_type=view)
        yield from (version for version in versions if version.stage == stage)


def _named(name: str, version: str | None, label: str | None) -> tuple[str, str | None, str | None]:
    """`azureml:name:version` and `name@label` are taken apart."""
    name = name.removeprefix("azureml:")
    if "@" in name and label is None:
        name, _, label = name.partition("@")
    elif ":" in name and version is None:
        name, _, version = name.partition(":")
    if version is not None and label is not None:
        raise click.UsageError("a version and a label are given; give one")
    return name, version, label
