"""The built environments that this server has loaded: each is watched for changes before a step starts in it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from smalt.exceptions import RefusedError
from smalt.service.environments.build_errors import EnvironmentFailed
from smalt.service.environments.image_source import ContainerImage, ImageSource
from smalt.service.environments.resolution.build_plans import BuildPlan
from smalt.service.environments.resolution.environment_planner import NO_ENGINE, EnvironmentSettings
from smalt.service.environments.store.environment_store import EnvironmentRecord, EnvironmentStore, get_hash
from smalt.service.environments.views.built_environments import VARIABLES, BuiltEnvironment
from smalt.service.environments.views.change_watch import ChangeWatch, WatchedEnvironment
from smalt.service.environments.views.overlay_layout import OverlayTemplate, make_template
from smalt.service.environments.views.overlay_pool import OverlayPool

log = logging.getLogger("smalt.environments")
_NOTICED_EARLIER = "an earlier server of this home noticed it"


class _LoadedEnvironment(NamedTuple):
    """A built environment as this server knows it; a container has no template, and nothing of it is watched."""

    record: EnvironmentRecord
    template: OverlayTemplate | None
    has_mlflow: bool
    watched: WatchedEnvironment | None = None


class _Loading(NamedTuple):
    """An environment that is being loaded."""

    watched: WatchedEnvironment
    result: asyncio.Future[_LoadedEnvironment]

    @property
    def has_failed(self) -> bool:
        return self.result.done() and (self.result.cancelled() or self.result.exception() is not None)


class LoadedEnvironments:
    """Finds built environments. One of the disk is loaded in a thread, as all its folders have to be walked.

    All but that is called on the event loop, except `find_change`.
    """

    def __init__(
        self,
        settings: EnvironmentSettings,
        store: EnvironmentStore,
        overlays: OverlayPool,
        images: ImageSource | None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._overlays = overlays
        self._images = images
        self._changes = ChangeWatch()
        self._loaded: dict[str, _LoadedEnvironment] = {}
        self._loading: dict[str, _Loading] = {}
        self._watched: dict[str, WatchedEnvironment] = {}
        """By folder of the store: also those that serve no other job any more, but those that run in them."""

    def find(self, planned: BuildPlan) -> BuiltEnvironment | None:
        """Return an environment that is built and loaded; quick enough for every job."""
        record = self._find_record(planned)
        if record is None or (record.container is None and planned.hash not in self._loaded):
            return None
        return self._make_built(planned, record)

    async def find_or_load(self, planned: BuildPlan) -> BuiltEnvironment | None:
        """Return an environment if it is built."""
        record = self._find_record(planned)
        return await self.load(planned, record) if record is not None else None

    async def load(self, planned: BuildPlan, record: EnvironmentRecord) -> BuiltEnvironment | None:
        """Return an environment that is built; it is watched by then. None if it was removed meanwhile."""
        if record.container is None:
            loaded = await self._load_once(record.declared_hash)
            if loaded is None:
                return None
            record = loaded.record
        return self._make_built(planned, record)

    async def watch_used(self, folders: Iterable[str]) -> None:
        """Watch the environments in these folders of the store: steps that an earlier server started run in them.

        One that cannot be watched is logged, and the others are watched all the same.
        """
        for name in folders:
            try:
                await self._watch_folder(name)
            except Exception as error:  # nobody waits for this who could be told
                log.warning("changes of environment %s, in which steps run, may go unnoticed: %r", name, error)

    async def _watch_folder(self, name: str) -> None:
        declared_hash = get_hash(Path(name))
        record = self._store.read_record(declared_hash)
        if record is not None and record.container is None and self._store.get_path(declared_hash).name == name:
            await self._load_once(declared_hash)

    def find_change(self, folder: str) -> str | None:
        """Return words for the first change of an environment since it was built, by its folder in the store."""
        self._changes.read_changes()
        watched = self._watched.get(folder)
        if watched is not None:
            return watched.change
        return _NOTICED_EARLIER if self._store.is_marked_changed(folder) else None

    def is_in_use(self, declared_hash: str) -> bool:
        """True if a step of this server has a view of the environment, or waits until it is loaded."""
        loading = self._loading.get(declared_hash)
        if loading is not None and not loading.result.done():
            return True
        loaded = self._loaded.get(declared_hash)
        return loaded is not None and loaded.template is not None and self._overlays.is_used(loaded.template)

    def forget(self, declared_hash: str) -> None:
        """Forget an environment that is removed, or built again."""
        loaded, loading = self._loaded.pop(declared_hash, None), self._loading.pop(declared_hash, None)
        for one in (loaded, loading):
            if one is not None and one.watched is not None:
                self._changes.remove_environment(one.watched)
                if one.watched.change is None:  # else steps that still run in it have to be told
                    self._watched.pop(one.watched.folder.parent.name, None)

    async def _load_once(self, declared_hash: str) -> _LoadedEnvironment | None:
        """Load an environment, once for all who wait for it; None if it is not there any more.

        What was read counts for nothing if the environment was removed or built again meanwhile.
        """
        while declared_hash not in self._loaded:
            record = self._store.read_record(declared_hash)
            if record is None:
                return None
            loading = self._loading.get(declared_hash)
            if loading is None or loading.has_failed:
                watched = WatchedEnvironment(self._store.get_path(declared_hash) / "venv")
                reading = asyncio.ensure_future(asyncio.to_thread(self._read_folder, record, watched))
                loading = self._loading[declared_hash] = _Loading(watched, reading)
            loaded = await asyncio.shield(loading.result)
            if self._loading.get(declared_hash) is not loading:
                continue
            if self._is_stored(loaded.record):
                del self._loading[declared_hash]
                self._loaded[declared_hash] = loaded
                self._watched[loading.watched.folder.parent.name] = loading.watched
            else:  # another process removed it
                self.forget(declared_hash)
        return self._loaded[declared_hash]

    def _is_stored(self, record: EnvironmentRecord) -> bool:
        """True if the environment is still the one that was recorded."""
        stored = self._store.read_record(record.declared_hash)
        return stored is not None and stored.built == record.built

    def _read_folder(self, record: EnvironmentRecord, watched: WatchedEnvironment) -> _LoadedEnvironment:
        self._changes.add_environment(watched)
        return _LoadedEnvironment(record, _make_template(record, watched.folder), _has_mlflow(record), watched)

    def _find_record(self, planned: BuildPlan) -> EnvironmentRecord | None:
        if planned.base is not None and not (self._images and self._images.was_seen(planned.hash)):
            return None
        self._discard_changed(planned.hash)
        if planned.hash in self._loaded and self._store.is_usable(planned.hash):
            return self._loaded[planned.hash].record
        return self._store.read_record(planned.hash)

    def _discard_changed(self, declared_hash: str) -> None:
        """Let an environment that was changed serve no other job; those that use it now keep its files."""
        self._changes.read_changes()
        loaded = self._loaded.get(declared_hash)
        if loaded is not None and loaded.watched is not None and loaded.watched.change is not None:
            self.forget(declared_hash)
            self._store.mark_changed(declared_hash)

    def _make_built(self, planned: BuildPlan, record: EnvironmentRecord) -> BuiltEnvironment:
        if record.relaxed and self._settings.fidelity == "strict":
            raise RefusedError(
                f"environment {planned.label} was built with other versions than it declares ({record.relaxed[0]}), "
                "and the setting fidelity is strict; correct its pins, or set fidelity=nearest"
            )
        self._store.mark_used(planned.hash)
        name = planned.declared.name
        if name and name not in record.names:
            self._store.add_name(record, name)
        if record.container is not None:
            return self._make_contained(planned, record)
        path, loaded = self._store.get_path(planned.hash), self._loaded[planned.hash]
        venv = path / "venv"
        return BuiltEnvironment(
            bin=venv / "bin",
            python=str(venv / "bin" / "python"),
            version=record.version,
            variables={**_make_variables(venv), **planned.declared.variables},
            declared_hash=planned.hash,
            realised_hash=record.realised_hash,
            notes=[*_note_catalogue(planned), *planned.notes, *record.relaxed],
            template=loaded.template,
            overlays=self._overlays,
            has_mlflow=loaded.has_mlflow,
            shared=str(venv),
            stored_as=path.name,
        )

    def _make_contained(self, planned: BuildPlan, record: EnvironmentRecord) -> BuiltEnvironment:
        engine = self._images.get_last_state() if self._images else NO_ENGINE
        if engine is None or not engine.is_available:
            problem = engine.problem if engine else ""
            raise EnvironmentFailed(
                planned.explain_failure(problem or "the setting container-command was changed meanwhile")
            )
        assert record.container is not None
        self._loaded[planned.hash] = _LoadedEnvironment(record, None, False)
        return BuiltEnvironment(
            bin=None,
            python="python",
            version="",
            variables={"PIP_DISABLE_PIP_VERSION_CHECK": "1", **planned.container_variables},
            declared_hash=planned.hash,
            realised_hash=record.realised_hash,
            notes=planned.notes,
            template=None,
            overlays=self._overlays,
            container=ContainerImage(record.container["image"], record.container["path"]),
            stored_as=planned.hash,
        )


def _make_template(record: EnvironmentRecord, venv: Path) -> OverlayTemplate:
    sees = [str(path) for path in venv.glob("lib/python*/site-packages")]
    return make_template(record.python, record.version, venv / "bin", sees, lib64=record.lib64)


def _note_catalogue(planned: BuildPlan) -> list[str]:
    """Return the note that a curated environment is not the service's own image of that name."""
    name = planned.declared.parts.get("catalogue")
    if not name or name.startswith("smalt-") or planned.base is not None or planned.declared.not_as_asked:
        return []
    return [f"'{name}' is made of the packages in smalt's catalogue; the service's image is not used"]


def _has_mlflow(record: EnvironmentRecord) -> bool:
    return any(package.startswith(("mlflow==", "mlflow-skinny==")) for package in record.packages)


def _make_variables(venv: Path) -> dict[str, str]:
    variables = {**VARIABLES, "VIRTUAL_ENV": str(venv)}
    if os.path.isdir(venv / "conda-meta"):  # its programs, of which the job's own view has the Python ones
        variables["CONDA_PREFIX"] = str(venv)
        variables["PATH"] = f"{venv}/bin:{os.environ.get('PATH', '/usr/bin:/bin')}"
    for name, folder in (("JUPYTER_PATH", "share/jupyter"), ("JUPYTER_CONFIG_PATH", "etc/jupyter")):
        if os.path.isdir(venv / folder):
            variables[name] = str(venv / folder)
    return variables
