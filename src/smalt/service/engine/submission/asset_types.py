"""Comparison of the type that a registered asset has with that of the input that is given it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from smalt.entities.rules.content import MARKERS
from smalt.service.data import AssetReference, Location
from smalt.service.data.job_data.access_modes import format_uri
from smalt.service.engine.context import EngineContext
from smalt.service.records import assets
from smalt.service.records.workspaces import Workspace
from smalt.wire.encoding.casing import fold_case

_TYPES = {
    fold_case(type): type
    for type in ("uri_file", "uri_folder", "mltable", "custom_model", "mlflow_model", "triton_model")
}
_TYPE_KEYS = {"data": ("dataType", "uri_folder"), "models": ("modelType", "custom_model")}
"""By kind the property that has the type of an asset, and the type of one that does not have it."""


def explain_unfit_asset(
    context: EngineContext, workspace: Workspace, uri: str, place: Location, types: Sequence[str | None]
) -> str | None:
    """Return the sentence for an asset that can be read as none of the types of its input.

    None where it can be, where `uri` names no asset of this home, or where only a fetch would show what it is. An asset
    of another type whose folder has the file of the input's type is no mistake: programs can read it.
    """
    if not all(type in MARKERS for type in types):
        return None
    found = _find_type(context, workspace, uri)
    if found is None or found in types:
        return None
    wanted = str(types[0])
    lacks = ""
    if found != "uri_file":
        if place.path is None or any((place.path / MARKERS[str(type)]).is_file() for type in types):
            return None
        lacks = f" and no file '{MARKERS[wanted]}'"
    advice = f"make it {found}, or name {'a model' if wanted == 'mlflow_model' else 'data'} of type {wanted}"
    return f"{format_uri(place)} has the type {found}{lacks}, but the input's type is {wanted}; {advice}"


def _find_type(context: EngineContext, workspace: Workspace, uri: str) -> str | None:
    """Return the type with which an asset was registered; None for all else."""
    reference = context.data.resolver.find_asset_name(uri)
    if reference is None or not reference.version:
        return None
    for kind in [reference.kind] if reference.kind else list(_TYPE_KEYS):
        properties = _find_properties(context, workspace, kind, reference)
        if properties is not None and kind in _TYPE_KEYS:
            key, default = _TYPE_KEYS[kind]
            return _TYPES.get(fold_case(str(properties.get(key) or default)), default)
    return None


def _find_properties(
    context: EngineContext, workspace: Workspace, kind: str, reference: AssetReference
) -> Mapping[str, Any] | None:
    if reference.registry:
        if not context.registries.has_registry(reference.registry):
            return None
        shared = context.registries.find_folder(reference.registry)
        found = shared.find_version(kind, reference.name, reference.version, None)
        return context.registries.read_properties(reference.registry, found)
    where = context.data.resolver.find_workspace(reference.workspace, workspace, reference.text)
    version = assets.get_version(context.db, where.id, kind, reference.name, str(reference.version))
    return version.properties if version is not None else None
