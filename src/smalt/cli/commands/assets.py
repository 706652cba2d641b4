"""The verbs of components, environments, data and models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import click

from smalt.cli.framework import documents, edits, options
from smalt.cli.framework.verb import Invocation, Noun
from smalt.cli.output import lineage_tree as lineage

COLUMNS = ("name", "version", "type", "latest_version", "label", "description", "stage")

_SHARED = [
    click.Option(["--registry-name"], metavar="NAME", required=True, help="The registry."),
    click.Option(["--share-with-name"], metavar="NAME", help="Its name there; by default the same."),
    click.Option(["--share-with-version"], metavar="VERSION", help="Its version there; by default the same."),
]
_REGISTRY = click.Option(["--registry-name"], metavar="NAME", help="Or a registry.")
_TO = [
    click.Option(["--to-workspace"], metavar="NAME", help="The workspace."),
    click.Option(["--to-resource-group"], metavar="NAME", help="Its resource group; by default the same."),
    _REGISTRY,
]
_FROM = [
    click.Option(["--from-workspace"], metavar="NAME", help="The workspace."),
    click.Option(["--from-resource-group"], metavar="NAME", help="Its resource group; by default the same."),
    _REGISTRY,
    click.Option(["--as-name"], metavar="NAME", help="Its name here; by default the same."),
    click.Option(["--as-version"], metavar="VERSION", help="Its version here; by default the same."),
]


def add_verbs(noun: Noun, collection: str) -> None:
    """Add all verbs except create to a noun whose assets are in `client.<collection>`."""
    kind = str(noun.name)
    called, verbs = _get_title(kind), _AssetVerbs(kind, collection)
    a_word = options.add_article(called)
    versioned = [*options.make_name_options(f"The {kind}'s name."), options.VERSION, options.LABEL, options.REGISTRY]
    listed = [
        *options.make_name_options("List the versions of this asset.", needed=False),
        *options.LISTING,
        options.MAX_RESULTS,
    ]
    stage = [click.Option(["--stage"], metavar="STAGE", help="Only models of this stage.")] if kind == "model" else []
    updated = [
        *options.make_name_options("Its name; may be in the file.", needed=False),
        *versioned[2:],
        options.make_file_option(f"A file with the whole {kind}.", first=False),
        *options.EDITS,
    ]
    noun.verb("show", versioned, help=f"Show one {called}.")(verbs.show)
    noun.verb("list", listed, stage, options.REGISTRY, help=f"List {format_plural(kind)}, or the versions of one.")(
        verbs.list
    )
    noun.verb("update", updated, help=f"Change {a_word}, by --set or from a file.")(verbs.update)
    noun.verb("archive", versioned, help=f"Hide {a_word}, or one version of it, from lists.")(verbs.archive)
    noun.verb("restore", versioned, help="Undo archive.")(verbs.restore)
    one = [*options.make_name_options(f"The {kind}'s name."), options.VERSION]
    if kind in ("data", "model"):
        noun.verb(
            "lineage",
            [*one, options.LABEL, lineage.DEPTH],
            help=f"Show what {a_word} comes from and what uses it.",
        )(verbs.lineage)
    noun.verb("share", one, _SHARED, help=f"Copy a version of {a_word} into a registry.")(verbs.share)
    noun.verb("export-to", one, _TO, help=f"Copy a version of {a_word} to another workspace or into a registry.")(
        verbs.export_to
    )
    noun.verb("import-from", one, _FROM, help=f"Copy a version of {a_word} from another workspace or from a registry.")(
        verbs.import_from
    )


def add_create(
    noun: Noun, collection: str, types: tuple[str, ...], path: str, more: Sequence[click.Parameter] = ()
) -> None:
    """Add create for assets with a type and a path; the first of `types` is the default."""
    kind = str(noun.name)
    called = _get_title(kind)
    noun.verb(
        "create",
        options.make_file_option(f"The {called}'s YAML file.", first=False),
        options.make_name_options("Its name.", needed=False),
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
        help=f"Register {options.add_article(called)}, from a YAML file or from the options.",
    )(_AssetVerbs(kind, collection).create)


class _AssetVerbs:
    """The verbs of one kind of asset."""

    def __init__(self, kind: str, collection: str) -> None:
        self._kind = kind
        self._collection = collection

    def create(
        self, ctx: Invocation, file: str | None, set: tuple[str, ...], registry_name: str | None, **given: Any
    ) -> Any:
        given.pop("skip_validation")
        given["path"] = documents.to_local_path(given["path"])
        given["tags"] = edits.parse_tags(given["tags"])
        return self._get_collection(ctx, registry_name).create_or_update(
            documents.read_document(self._kind, file, set, given)
        )

    def show(
        self, ctx: Invocation, name: str, version: str | None, label: str | None, registry_name: str | None
    ) -> Any:
        return fetch_asset(self._get_collection(ctx, registry_name), name, version, label)

    def list(
        self,
        ctx: Invocation,
        name: str | None,
        archived_only: bool,
        include_archived: bool,
        max_results: int | None,
        registry_name: str | None,
        stage: str | None = None,
    ) -> Any:
        assets = self._get_collection(ctx, registry_name)
        view = options.get_list_view(archived_only, include_archived)
        found = assets.list(name=name, list_view_type=view)
        if stage is not None:
            found = _list_of_stage(assets, found if name is None else [], name, view, stage)
        return [*islice(found, max_results)]

    def update(
        self,
        ctx: Invocation,
        name: str | None,
        version: str | None,
        label: str | None,
        registry_name: str | None,
        file: str | None,
        **changes: Any,
    ) -> Any:
        assets = self._get_collection(ctx, registry_name)
        if file is not None:
            documents.check_no_edits(changes)
            given = {"name": name, "version": version}
            return assets.create_or_update(documents.read_document(self._kind, file, changes["set"], given))
        if not name:
            raise click.UsageError(f"say which {self._kind} to update, with --name or --file")
        return documents.update_entity(fetch_asset(assets, name, version, label), changes, assets.create_or_update)

    def archive(
        self, ctx: Invocation, name: str, version: str | None, label: str | None, registry_name: str | None
    ) -> None:
        self._get_collection(ctx, registry_name).archive(*_split_name(name, version, label))

    def restore(
        self, ctx: Invocation, name: str, version: str | None, label: str | None, registry_name: str | None
    ) -> None:
        self._get_collection(ctx, registry_name).restore(*_split_name(name, version, label))

    def lineage(self, ctx: Invocation, name: str, version: str | None, label: str | None, depth: int) -> Any:
        name, version, label = _split_name(name, version, label)
        return lineage.show_lineage(ctx, self._get_collection(ctx, None).lineage(name, version, label, depth=depth))

    def share(
        self,
        ctx: Invocation,
        name: str,
        version: str | None,
        registry_name: str,
        share_with_name: str | None,
        share_with_version: str | None,
    ) -> Any:
        name, version = self._resolve_version(ctx, name, version)
        return self._get_collection(ctx, None).share(
            name,
            version,
            registry_name=registry_name,
            share_with_name=share_with_name,
            share_with_version=share_with_version,
        )

    def export_to(
        self,
        ctx: Invocation,
        name: str,
        version: str | None,
        to_workspace: str | None,
        to_resource_group: str | None,
        registry_name: str | None,
    ) -> Any:
        name, version = self._resolve_version(ctx, name, version)
        return self._get_collection(ctx, None).export_to(
            name,
            version,
            workspace_name=to_workspace,
            resource_group_name=to_resource_group,
            registry_name=registry_name,
        )

    def import_from(
        self,
        ctx: Invocation,
        name: str,
        version: str | None,
        from_workspace: str | None,
        from_resource_group: str | None,
        registry_name: str | None,
        as_name: str | None,
        as_version: str | None,
    ) -> Any:
        name, version, label = _split_name(name, version, None)
        if version is None or label is not None:
            raise click.UsageError("say which version to import, with --version")
        return self._get_collection(ctx, None).import_from(
            name,
            version,
            workspace_name=from_workspace,
            resource_group_name=from_resource_group,
            registry_name=registry_name,
            as_name=as_name,
            as_version=as_version,
        )

    def _resolve_version(self, ctx: Invocation, name: str, version: str | None) -> tuple[str, str]:
        """Return the name and the version, by default the latest."""
        found = fetch_asset(self._get_collection(ctx, None), name, version, None)
        return found.name, found.version

    def _get_collection(self, ctx: Invocation, registry_name: str | None) -> Any:
        client = ctx.client if registry_name is None else ctx.make_registry_client(registry_name)
        return getattr(client, self._collection)


def fetch_asset(assets: Any, name: str, version: str | None, label: str | None) -> Any:
    """Return a version of an asset: the given one, the labelled one, or the latest."""
    name, version, label = _split_name(name, version, label)
    if version is None and label is None:
        label = "latest"
    return assets.get(name, version=version, label=label)


def format_plural(kind: str) -> str:
    return f"{_get_title(kind)}s"


def _get_title(kind: str) -> str:
    return "data asset" if kind == "data" else kind


def _list_of_stage(assets: Any, every: Iterable[Any], name: str | None, view: str, stage: str) -> Iterator[Any]:
    """Yield the versions of this stage, of one asset or of all."""
    for each in [name] if name is not None else [asset.name for asset in every]:
        versions = assets.list(name=each, list_view_type=view)
        yield from (version for version in versions if version.stage == stage)


def _split_name(name: str, version: str | None, label: str | None) -> tuple[str, str | None, str | None]:
    """Return name, version and label, with `azureml:name:version` and `name@label` split."""
    name = name.removeprefix("azureml:")
    if "@" in name and label is None:
        name, _, label = name.partition("@")
    elif ":" in name and version is None:
        name, _, version = name.partition(":")
    if version is not None and label is not None:
        raise click.UsageError("version and label exclude each other; give one")
    return name, version, label
