"""Lookup of the references in a job in its workspace: components, environments, data, computes and code."""

from __future__ import annotations

import re
from typing import Any, cast

from smalt.entities.rules.sentences import explain_empty_reference
from smalt.entities.syntax.references import Reference, parse_reference
from smalt.exceptions import NotFound, ValidationException
from smalt.service.engine.context import EngineContext
from smalt.service.environments.resolution.requirements import TRAVELLED
from smalt.service.records import assets, resources
from smalt.service.records.database import Database
from smalt.service.records.workspaces import Workspace
from smalt.wire.encoding import ids

_BARE = re.compile(r"[^/:@<>{}$\s]+")
_DEFAULT_VERSION = "azureml_default"
"""As Azure's clients say that they name no version."""
USUAL_COMPUTES = ("cpu-cluster", "gpu-cluster")
"""The names that Azure's own guides take for granted; they are there while jobs may name any compute."""
_SERVERLESS = "serverless"
"""A compute that every workspace has: this machine stands for it."""


def find_environment(context: EngineContext, workspace: Workspace, text: str) -> dict[str, Any]:
    """The environment that `text` names, as the environments room takes it; NotFound says what to do."""
    reference = parse_name(text)
    if reference.name == "host":
        return {"host": True}
    workspace = _find_owner(context, workspace, reference)
    if _is_shared(context, reference):
        used = _find_used(context, workspace, "environments", reference)
        return _add_context(context, workspace, {**used, "name": reference.name})
    if not reference.registry:
        found = _find_version(context.db, workspace, "environments", reference)
        if found:
            return _add_context(context, workspace, {**found.properties, "name": reference.name})
    curated = context.environments.lookup_curated(reference.name, reference.version or reference.label)
    if curated is not None:
        return curated
    if reference.registry:
        raise NotFound(
            f"environment '{reference.name}' of registry '{reference.registry}' is not in smalt's catalogue; "
            f"describe it in $SMALT_HOME/catalogue/{reference.name}.yml or name another environment"
        )
    wanted = assets.find_version(
        context.db, workspace.id, "environments", reference.name, reference.version, reference.label
    )
    return wanted.properties


def _add_context(context: EngineContext, workspace: Workspace, asset: dict[str, Any]) -> dict[str, Any]:
    """An environment gets the places of its build context, and of the files that travelled with its conda file."""
    uri, travelled = (asset.get("build") or {}).get("contextUri"), TRAVELLED.findall(str(asset.get("condaFile") or ""))
    if travelled:
        asset = {**asset, "files": {one: str(context.data.resolve(one, workspace).path) for one in travelled}}
    if not uri:
        return asset
    return {**asset, "folder": str(context.data.resolve(str(uri), workspace).path)}


def find_model(context: EngineContext, workspace: Workspace, text: str) -> tuple[assets.AssetVersion | None, str, str]:
    """Return the model that `text` names if a workspace has it, with the URI of its content and its type."""
    reference = parse_name(text)
    owner = _find_owner(context, workspace, reference)
    if _is_shared(context, reference):
        registry = context.registries.find_folder(str(reference.registry))
        shared = registry.find_version("models", reference.name, reference.version, reference.label)
        properties = context.registries.read_properties(str(reference.registry), shared)
        id = f"azureml://registries/{reference.registry}/models/{shared.name}/versions/{shared.version}"
        return None, id, str(properties.get("modelType") or "custom_model")
    if reference.registry:
        raise NotFound(
            f"model '{reference.name}' of registry '{reference.registry}' is not here; register it in this workspace "
            f"with 'smalt model create' and refer to it as azureml:{reference.name}@latest"
        )
    found = assets.find_version(
        context.db, owner.id, "models", reference.name, reference.version, reference.label
    )  # fmt: skip
    return found, _make_id(owner, found), str(found.properties.get("modelType") or "custom_model")


def find_component(context: EngineContext, workspace: Workspace, text: str) -> dict[str, Any]:
    """The REST properties of the component that `text` names; one of a registry is registered for the job."""
    reference = parse_name(text)
    if _find_owner(context, workspace, reference) is not workspace:
        raise _make_elsewhere_error(workspace, reference)
    if _is_shared(context, reference):
        return _find_used(context, workspace, "components", reference)
    return _find_own_component(context.db, workspace, reference)


def read_component(context: EngineContext, db: Database, workspace: Workspace, text: str) -> dict[str, Any]:
    """Read a component through the connection `db`, in any thread; one of a registry is not registered."""
    reference = parse_name(text)
    if not _is_own(workspace, reference):
        raise _make_elsewhere_error(workspace, reference)
    if _is_shared(context, reference):
        registry = context.registries.find_folder(str(reference.registry))
        shared = registry.find_version("components", reference.name, reference.version, reference.label)
        return context.registries.read_properties(str(reference.registry), shared)
    return _find_own_component(db, workspace, reference)


def _make_elsewhere_error(workspace: Workspace, reference: Reference) -> ValidationException:
    return ValidationException(
        f"component '{reference.name}' is in workspace '{reference.workspace}', not in '{workspace.name}'; "
        "share it through a registry, or create it in this workspace and name it as "
        f"azureml:{reference.name}:{reference.version or 'VERSION'}"
    )


def _find_own_component(db: Database, workspace: Workspace, reference: Reference) -> dict[str, Any]:
    if reference.registry:
        raise NotFound(
            f"component '{reference.name}' of registry '{reference.registry}' is not here; "
            "create it in this workspace with 'smalt component create' and refer to it as "
            f"azureml:{reference.name}@latest"
        )
    found = _find_version(db, workspace, "components", reference)
    if found is None:
        found = assets.find_version(db, workspace.id, "components", reference.name, reference.version, reference.label)
    return found.properties


def resolve_version(context: EngineContext, workspace: Workspace, kind: str, text: str, type: str | None = None) -> str:
    """`text` with the version that it means now, as if that had been written; NotFound where there is none.

    `kind` is "data", for models as well, or "environments", "components", "codes"; `type` that of a data input.
    """
    if kind == "data":
        return _resolve_data_version(context, workspace, text, type)
    if parse_reference(text) is None and not _BARE.fullmatch(text):
        return text
    reference = parse_name(text)
    workspace = _find_owner(context, workspace, reference)
    if reference.version not in (None, _DEFAULT_VERSION) or (kind == "environments" and reference.name == "host"):
        return text
    if _is_shared(context, reference):
        return _resolve_shared_version(context, str(reference.registry), kind, reference.name, reference.label)
    if reference.registry:
        return text
    found = _find_version(context.db, workspace, kind, reference)
    curated = context.environments.lookup_curated(reference.name) if found is None and kind == "environments" else None
    if curated is not None:
        name, version = curated.get("asked") or curated["curated"], curated["version"]
        return f"azureml://registries/azureml/environments/{name}/versions/{version}"
    if found is None:
        found = assets.find_version(context.db, workspace.id, kind, reference.name, None, reference.label)
    return _make_id(workspace, found)


def _resolve_data_version(context: EngineContext, workspace: Workspace, uri: str, type: str | None) -> str:
    """The same of data, which is not looked for where it is mapped: whoever needs it says what is missing."""
    reference = context.data.resolver.find_incomplete_name(uri)
    if reference is None:
        return uri
    if reference.registry:
        if not context.registries.has_registry(reference.registry):
            return uri
        kind = str(reference.kind)
        return _resolve_shared_version(context, reference.registry, kind, reference.name, reference.label)
    where = context.data.resolver.find_workspace(reference.workspace, workspace, uri)
    is_model = str(type).endswith("_model")
    if reference.version:  # the version is given; the kind is what the type says, as a data asset may have the name too
        model = (
            assets.get_version(context.db, where.id, "models", reference.name, reference.version) if is_model else None
        )
        return _make_id(where, model) if model else uri
    kinds = ["models", "data"] if is_model else ["data", "models"]
    for kind in [reference.kind] if reference.kind else kinds:
        found = assets.resolve_version(
            context.db, where.id, kind, reference.name, label=reference.label, stage=reference.stage
        )  # fmt: skip
        if found is not None:
            return _make_id(where, found)
    return uri


def _resolve_shared_version(context: EngineContext, registry: str, kind: str, name: str, label: str | None) -> str:
    found = context.registries.find_folder(registry).find_version(kind, name, None, label)
    return f"azureml://registries/{registry}/{kind}/{name}/versions/{found.version}"


def _make_id(workspace: Workspace, version: assets.AssetVersion) -> str:
    where = ids.build_workspace_id(workspace.subscription, workspace.resource_group, workspace.name)
    return ids.build_asset_id(where, version.kind, version.name, version.version)


def make_asset_key(path: str | None, type: str | None) -> str | None:
    """'data/n/versions/1', or 'data/n/labels/latest', where the path names a registered asset."""
    if not path or not path.startswith(("/subscriptions/", "azureml:")):
        return None
    if path.startswith(("azureml://datastores/", "azureml://jobs/")):
        return None
    reference = parse_reference(path)
    if reference is None:
        return None
    kind = reference.kind or ("models" if str(type).endswith("_model") else "data")
    number = f"versions/{reference.version}" if reference.version else f"labels/{reference.label or 'latest'}"
    registry = f"registries/{reference.registry}/" if reference.registry else ""
    return f"{registry}{kind}/{reference.name}/{number}"


def find_snapshot(context: EngineContext, workspace: Workspace, text: str) -> str:
    """Return the content hash of the code that `text` names."""
    reference = parse_name(text)
    owner = _find_owner(context, workspace, reference)
    found = assets.find_version(context.db, owner.id, "codes", reference.name, reference.version, reference.label)
    if found.content_hash is None:
        raise NotFound(f"code '{reference.name}' was never uploaded; submit the job again")
    return found.content_hash


def check_datastore(context: EngineContext, workspace: Workspace, text: str) -> None:
    """Raise NotFound if there is no datastore of that name."""
    context.resolve(f"azureml://datastores/{parse_name(text).name}/paths/", workspace)


def find_compute(context: EngineContext, workspace: Workspace, text: str) -> tuple[str, bool]:
    """Return a compute's bare name, and whether this workspace has it."""
    name = parse_name(text).name
    usual = USUAL_COMPUTES if context.settings.compute != "strict" else ()
    if name.lower() in (*context.computes.names, _SERVERLESS, *usual):
        return name, True
    return name, resources.get_resource(context.db, workspace.id, "computes", name) is not None


def is_stopped(context: EngineContext, workspace: Workspace, name: str) -> bool:
    """Return True if a compute instance was stopped, by a user or by its schedule."""
    if name.lower() in (*context.computes.names, _SERVERLESS, *USUAL_COMPUTES):
        return False
    found = resources.get_resource(context.db, workspace.id, "computes", name)
    return found is not None and found.content.get("state") == "Stopped"


def parse_name(text: str) -> Reference:
    """Return the name and version of a reference; a bare word is a name."""
    reference = parse_reference(text)
    if reference is not None:
        return reference
    if not text or any(letter in text for letter in "/:@<>{}$ "):
        raise ValidationException(explain_empty_reference(text))
    return Reference(text, name=text)


def _find_owner(context: EngineContext, workspace: Workspace, reference: Reference) -> Workspace:
    """Return the workspace that an id names, which is `workspace` for all other references."""
    if _is_own(workspace, reference):
        return workspace
    names = (reference.subscription, reference.resource_group, reference.workspace)
    return context.data.resolver.find_workspace(cast("tuple[str, str, str]", names), workspace, reference.text)


def _is_own(workspace: Workspace, reference: Reference) -> bool:
    """Return True if the reference names no other workspace."""
    names = (reference.subscription, reference.resource_group, reference.workspace)
    own = (workspace.subscription, workspace.resource_group, workspace.name)
    return not all(names) or [str(name).lower() for name in names] == [name.lower() for name in own]


def _is_shared(context: EngineContext, reference: Reference) -> bool:
    """Return True if the reference names something in a registry of the user's own."""
    return reference.registry is not None and context.registries.has_registry(reference.registry)


def _find_used(context: EngineContext, workspace: Workspace, kind: str, reference: Reference) -> dict[str, Any]:
    registry = str(reference.registry)
    return context.registries.register_for_job(
        workspace, registry, kind, reference.name, reference.version, reference.label
    )


def _find_version(db: Database, workspace: Workspace, kind: str, reference: Reference) -> assets.AssetVersion | None:
    if reference.version and reference.version != _DEFAULT_VERSION:
        return assets.get_version(db, workspace.id, kind, reference.name, reference.version)
    if reference.label in (None, "latest", "default"):
        return assets.find_latest(db, workspace.id, kind, reference.name)
    return None
