"""The planner: what is to be built for a declared environment, with the catalogue and the settings of one home."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from smalt.service.environments.builders.interpreters import Interpreters
from smalt.service.environments.image_source import EngineState, ImageSource
from smalt.service.environments.resolution import curated_environments
from smalt.service.environments.resolution.build_plans import BuildPlan, plan_container, plan_environment
from smalt.service.environments.resolution.declarations import DeclaredEnvironment, Locate, resolve_declaration
from smalt.service.environments.resolution.image_map import find_file

NO_ENGINE = EngineState(False)
_MOST_KNOWN = 500


class EnvironmentSettings(Protocol):
    """The home's settings that environments depend on."""

    fidelity: str
    host_python: str | None
    conda_channels: dict[str, str]
    image_map: dict[str, str]


class EnvironmentPlanner:
    """Makes the plans of environments; a declaration is resolved once."""

    def __init__(
        self,
        catalogue: Path,
        settings: EnvironmentSettings,
        images: ImageSource | None,
        pythons: Interpreters,
        locate: Locate,
    ) -> None:
        self._catalogue = catalogue
        self._settings = settings
        self._images = images
        self._pythons = pythons
        self._locate = locate
        self._known: dict[tuple[object, ...], DeclaredEnvironment] = {}

    def make_plan(self, asset: Mapping[str, Any], engine: EngineState) -> BuildPlan:
        """Return the build plan; `engine` is the container engine, or why there is none."""
        fidelity, pythons = self._settings.fidelity, self._pythons.list_versions()
        declared, why = self._resolve(asset), engine.problem
        if engine.is_available and self._images is not None and declared.base is not None:
            planned = plan_container(declared, fidelity, self._images.get_context_digest(declared.base))
            if planned is not None:
                unavailable = self._images.get_unavailable_reason(planned.hash)
                if unavailable is None:
                    return planned
                why = unavailable
        return plan_environment(declared, pythons, fidelity, why)

    def find_images(self, asset: Mapping[str, Any]) -> ImageSource | None:
        """Return what makes images, where an environment may be one of them."""
        base = self._resolve(asset).base
        may_be_image = base is not None and (not base.if_strict or self._settings.fidelity == "strict")
        return self._images if may_be_image else None

    def _resolve(self, asset: Mapping[str, Any]) -> DeclaredEnvironment:
        entries = self._settings.image_map
        is_mapped = bool(entries and asset.get("image")) and find_file(str(asset["image"]), entries) is not None
        if asset.get("build") or is_mapped:  # its files may change at any time
            return resolve_declaration(asset, self._catalogue, self._locate, entries)
        said = json.dumps(
            [asset.get(key) for key in ("curated", "asked", "name", "image", "condaFile", "files", "more")]
        )
        key = (said, curated_environments.list_own_files(self._catalogue))
        if key not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[key] = resolve_declaration(asset, self._catalogue, self._locate)
        return self._known[key]
