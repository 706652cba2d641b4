"""What the references in a job mean in its workspace: components, environments, code, computes."""

from __future__ import annotations

from typing import Any

from smalt.entities.references import Reference, parse_reference
from smalt.exceptions import NotFound, ValidationException
from smalt.service.engine.rooms import Rooms
from smalt.service.records import assets, resources
from smalt.service.records.database import Database
from smalt.service.records.workspaces import Workspace

LOCAL = "local"
"""The compute that is this machine; `serverless` and absent mean it too."""


def environment(rooms: Rooms, workspace: Workspace, text: str) -> dict[str, Any]:
    """The environment that `text` names, as the environments room takes it; NotFound says what to do."""
    reference = named(text)
    if reference.name == "host":
        return {"host": True}
    if _is_shared(rooms, reference):
        used = _used(rooms, workspace, "environments", reference)
        return _with_context(rooms, workspace, {**used, "name": reference.name})
    if not reference.registry:
        found = _version(rooms.db, workspace, "environments", reference)
        if found:
            return _with_context(rooms, workspace, {**found.properties, "name": reference.name})
    curated = rooms.environments.lookup_curated(reference.name, reference.version or reference.label)
    if curated is not None:
        return curated
    if reference.registry:
        raise NotFound(
            f"environment '{reference.name}' of registry '{reference.registry}' is not in smalt's catalogue; "
            f"describe it in $SMALT_HOME/catalogue/{reference.name}.yml or name another environment"
        )
    wanted = assets.find(rooms.db, workspace.id, "environments", reference.name, reference.version, reference.label)
    return wanted.properties


def _with_context(rooms: Rooms, workspace: Workspace, asset: dict[str, Any]) -> dict[str, Any]:
    """An environment with a build context gets the folder that the context lies in."""
    uri = (asset.get("build") or {}).get("contextUri")
    if not uri:
        return asset
    return {**asset, "folder": str(rooms.data.resolve(str(uri), workspace).path)}


def component(rooms: Rooms, workspace: Workspace, text: str) -> dict[str, Any]:
    """The REST properties of the component that `text` names."""
    db, reference = rooms.db, named(text)
    if _is_shared(rooms, reference):
        return _used(rooms, workspace, "components", reference)
    if reference.registry:
        raise NotFound(
            f"component '{reference.name}' of registry '{reference.registry}' is not here; "
            "create it in this workspace with 'smalt component create' and refer to it as "
            f"azureml:{reference.name}@latest"
        )
    found = _version(db, workspace, "components", reference)
    if found is None:
        found = assets.find(db, workspace.id, "components", reference.name, reference.version, reference.label)
    return found.properties


def snapshot(db: Database, workspace: Workspace, text: str) -> str:
    """The content hash of the code that `text` names."""
    reference = named(text)
    found = assets.find(db, workspace.id, "codes", reference.name, reference.version, reference.label)
    if found.content_hash is None:
        raise NotFound(f"code '{reference.name}' was never uploaded; submit the job again")
    return found.content_hash


def compute(db: Database, workspace: Workspace, text: str | None) -> tuple[str, bool]:
    """The compute's bare name and whether this workspace has it."""
    if not text:
        return LOCAL, True
    name = named(text).name
    if name.lower() in (LOCAL, "serverless"):
        return name, True
    return name, resources.get(db, workspace.id, "computes", name) is not None


def named(text: str) -> Reference:
    """What `text` names; a bare word is a name."""
    reference = parse_reference(text)
    if reference is not None:
        return reference
    if not text or any(letter in text for letter in "/:@<>{}$ "):
        raise ValidationException(
            f"'{text}' names nothing; write azureml:NAME:VERSION, azureml:NAME@latest or azureml://registries/…"
        )
    return Reference(text, name=text)


def _is_shared(rooms: Rooms, reference: Reference) -> bool:
    """Whether it names something in a registry of the user's own."""
    return reference.registry is not None and rooms.registries.has(reference.registry)


def _used(rooms: Rooms, workspace: Workspace, kind: str, reference: Reference) -> dict[str, Any]:
    registry = str(reference.registry)
    return rooms.registries.used(workspace, registry, kind, reference.name, reference.version, reference.label)


def _version(db: Database, workspace: Workspace, kind: str, reference: Reference) -> assets.Version | None:
    if reference.version and reference.version != "azureml_default":
        return assets.get(db, workspace.id, kind, reference.name, reference.version)
    if reference.label in (None, "latest", "default"):
        return assets.latest(db, workspace.id, kind, reference.name)
    return None
