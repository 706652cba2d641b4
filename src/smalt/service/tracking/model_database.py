"""MLflow's registered models, read from its database without MLflow."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from smalt.service.tracking.run_database import run_query

DELETED = "Deleted_Internal"
"""The stage by which MLflow marks a version as deleted; its number is not given again."""


class MlflowVersion(NamedTuple):
    """A version of a registered model."""

    description: str
    tags: dict[str, str]
    aliases: frozenset[str]
    stage: str
    source: str = ""
    """The location of its files."""
    run: str = ""

    @property
    def is_deleted(self) -> bool:
        return self.stage == DELETED

    def is_shown_as(self, other: MlflowVersion) -> bool:
        """True if the versions differ in nothing that may change."""
        return self[:4] == other[:4] or (self.is_deleted and other.is_deleted)


class MlflowModel(NamedTuple):
    """A registered model."""

    description: str
    tags: dict[str, str]
    versions: dict[int, MlflowVersion]


def load_models(path: Path, name: str | None = None) -> dict[str, MlflowModel]:
    """Load the registered models, or the one of that name, with all versions, deleted ones too."""
    where, values = (" WHERE name=?", (name,)) if name is not None else ("", ())
    models = {
        one: MlflowModel(description or "", {}, {})
        for one, description in run_query(path, f"SELECT name, description FROM registered_models{where}", values)
    }
    for one, key, value in run_query(path, f"SELECT name, key, value FROM registered_model_tags{where}", values):
        if one in models:
            models[one].tags[key] = value or ""
    aliases: dict[tuple[str, int], set[str]] = {}
    for one, alias, version in run_query(
        path, f"SELECT name, alias, version FROM registered_model_aliases{where}", values
    ):
        aliases.setdefault((one, version), set()).add(alias)
    columns = "name, version, description, current_stage, coalesce(storage_location, source), run_id"
    for one, version, description, stage, source, run in run_query(
        path, f"SELECT {columns} FROM model_versions{where} ORDER BY version", values
    ):
        if one in models:
            found = frozenset(aliases.get((one, version), ()))
            models[one].versions[version] = MlflowVersion(
                description or "", {}, found, stage or "None", source or "", run or ""
            )
    for one, version, key, value in run_query(
        path, f"SELECT name, version, key, value FROM model_version_tags{where}", values
    ):
        if one in models and version in models[one].versions:
            models[one].versions[version].tags[key] = value or ""
    return models
