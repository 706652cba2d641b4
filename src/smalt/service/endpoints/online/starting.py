"""Starts the processes of a revision: its environment, its model, and the step that the launcher runs."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import time
from dataclasses import dataclass
from pathlib import Path

from smalt import inside
from smalt.exceptions import RefusedError
from smalt.machine.ports import find_free_ports
from smalt.service.compute.backend import Backend
from smalt.service.compute.local.launcher_client import SERVICE, LauncherClient
from smalt.service.compute.spec import ImageServer, StepInput, StepResources, StepSpec
from smalt.service.compute.step import Say
from smalt.service.data import Location, copy_tree, link_files, remove_tree
from smalt.service.endpoints.online.definitions import CONTAINER, MLFLOW, SCRIPT, Definition
from smalt.service.endpoints.online.model_environments import read_model_environment
from smalt.service.engine.context import EngineContext
from smalt.service.environments import BuiltEnvironment
from smalt.service.records import online as records
from smalt.service.records.online import RevisionRecord
from smalt.service.records.workspaces import Workspace
from smalt.service.secrets.identity import build_refusing_variables

SERVER_PACKAGE = "azureml-inference-server-http"
_USES_PKG_RESOURCES = re.compile(r"0\.|1\.[0-3]\.")
_FIRST_WITHOUT = 81
_SETUPTOOLS = f"setuptools<{_FIRST_WITHOUT}"
"""The last releases with pkg_resources, which is in every conda environment but in no virtual one."""
_NEVER_WELL = "|| exit $?; exit 70"
"""A server that ends by itself has failed, whatever it says; and after a code of 0 the launcher would start a job in
its place."""
_FIRST_TO_GO = "echo 500 2>/dev/null >/proc/self/oom_score_adj;"
"""A process that eats memory is ended before the server and the jobs are."""
_SOCKET_FOLDER = "SMALT_SOCKET_FOLDER"
"""The variable with the folder of the socket: a container must see that and no other socket of the home."""
_APP_ROOT = "/var/azureml-app"
"""The folder in the service's containers that has models and code."""
_GRACE = 20.0
"""Seconds that a process has to end when it is stopped."""
AT_ONCE = 3.0
"""Seconds that a process has to end if nobody waits for its answers."""
_PROGRAMS = Path(inside.__path__[0], "serving")


@dataclass
class PreparedRevision:
    """A revision whose environment is built and whose model is on this machine."""

    record: RevisionRecord
    definition: Definition
    workspace: Workspace
    environment: BuiltEnvironment
    backend: Backend
    model: Location | None
    model_path: str | None = None
    """The model on this machine."""
    model_folder: str | None = None
    """The folder that AZUREML_MODEL_DIR names; it holds the model by the name that it was registered from."""


class ReplicaStarter:
    """Prepares revisions and starts their processes. Call it on the event loop."""

    def __init__(self, context: EngineContext, launcher: LauncherClient) -> None:
        self._context = context
        self._launcher = launcher

    async def prepare_revision(
        self, record: RevisionRecord, definition: Definition, workspace: Workspace, say: Say
    ) -> PreparedRevision:
        """Build the environment and fetch the model; `say` writes to the deployment's log."""
        context = self._context
        for note in definition.notes:
            say(note)
        model = context.data.locate(definition.model, workspace) if definition.model else None
        path = None
        if model is not None:
            path = await context.data.fetch(model, say, definition.model_type)
            say(f"model {definition.model_name}:{definition.model_version} is {path}")
        environment = await self._build_environment(definition, model, say)
        if definition.kind == CONTAINER and environment.container is None:
            why = "; ".join(environment.notes) or "no container engine answers"
            raise RefusedError(
                "the deployment's environment is an image with a server of its own (inference_config), and this "
                f"machine cannot run it ({why}); install Docker or Podman, or serve the model by a scoring script"
            )
        records.set_environment(context.db, record.id, environment.declared_hash)
        backend = context.computes.find_backend(None, environment)
        return PreparedRevision(
            record, definition, workspace, environment, backend, model, str(path) if path else None
        )  # fmt: skip

    async def _build_environment(self, definition: Definition, model: Location | None, say: Say) -> BuiltEnvironment:
        environments, asset = self._context.environments, definition.environment
        package = {SCRIPT: SERVER_PACKAGE, MLFLOW: "mlflow"}.get(definition.kind)
        if not asset:
            assert model is not None, "a deployment without an environment has an MLflow model"
            asset = await asyncio.to_thread(read_model_environment, await self._context.data.fetch(model))
        built = await environments.get_or_build(asset, say)
        missing = _find_missing(environments.list_packages(built), package) if package and not built.container else []
        if missing:
            named = " and ".join(missing)
            if asset.get("host"):
                raise RefusedError(f"the host's Python has no {named}; install it there, or name another environment")
            say(f"the environment has no {named}, which the deployment's server needs; it is added")
            built = await environments.get_or_build({**asset, "more": missing}, say)
        for note in built.notes:
            say(note)
        return built

    async def start_replica(self, prepared: PreparedRevision, say: Say) -> tuple[int, str, str]:
        """Start a process and return its id, address and folder, which are recorded before it is started."""
        context, record = self._context, prepared.record
        folder = f"{_get_deployment_folder(context, prepared.workspace, record)}/{{id}}"
        address = str(context.home.socket_path("launcher").parent / "o{id}" / "s")
        if prepared.definition.kind == CONTAINER:
            address = f"127.0.0.1:{find_free_ports(1)[0]}"
        id = records.add_replica(context.db, record.id, folder, address)
        folder, address = folder.format(id=id), address.format(id=id)
        if prepared.model_folder is None and prepared.model is not None:
            where = f"{_get_deployment_folder(context, prepared.workspace, record)}/models/{record.id}"
            prepared.model_folder = await asyncio.to_thread(_place_model, prepared, where)
        spec, steps = self._make_spec(prepared, id, folder, address), prepared.backend.steps
        if prepared.definition.kind == CONTAINER:
            _serve_by_image(spec, prepared, folder, int(address.rpartition(":")[2]))
            if limit := context.settings.online_memory_mb:
                spec.resources.docker_args += ("--ulimit", f"data={limit << 20}:{limit << 20}")
        fetched = await steps.fetch(spec, say)
        layout = await asyncio.to_thread(steps.lay_out, spec, prepared.environment)
        gpus = context.computes.machine.gpus
        step = await asyncio.to_thread(steps.prepare, spec, layout, gpus, fetched, say)
        if spec.lasting_folders:
            context.home.make_socket_folder()
            Path(address).parent.mkdir(mode=0o700, exist_ok=True)
            _remove_socket(address, folder_too=False)
        self._launcher.start([step])
        return id, address, folder

    def _make_spec(self, prepared: PreparedRevision, id: int, folder: str, address: str) -> StepSpec:
        definition, record = prepared.definition, prepared.record
        inputs = {}
        if prepared.model is not None:
            inputs["model"] = StepInput(definition.model_type, "ro_mount", prepared.model.uri, prepared.model)
        return StepSpec(
            id=make_step_id(id),
            attempt=1,
            job=f"{record.endpoint}-{record.deployment}-{id}",
            root_id=0,
            created_at=time.time(),
            workspace=prepared.workspace,
            command=f"{self._limit_memory()}{_FIRST_TO_GO}{_make_command(prepared, address)} {_NEVER_WELL}",
            code=definition.code,
            environment=definition.environment,
            literals={},
            inputs=inputs,
            outputs={},
            variables=definition.variables,
            service_variables=_make_variables(prepared, folder),
            server_host=self._context.tracking.host,
            identity_variables=build_refusing_variables(self._context.tracking.base_url),
            resources=StepResources(),
            lasting_folders={_SOCKET_FOLDER: str(Path(address).parent)} if address.startswith("/") else {},
            grace=_GRACE,
            folder=folder,
        )

    def _limit_memory(self) -> str:
        """Return the text for bash that keeps each process of the deployment from allocating more than it may."""
        limit = self._context.settings.online_memory_mb
        return f"ulimit -d {limit * 1024};" if limit else ""

    def stop_replica(self, id: int, grace: float = _GRACE) -> None:
        self._launcher.stop(make_step_id(id), grace)

    def forget_replica(self, id: int, folder: str, address: str) -> None:
        """Remove what is left of a process that has ended, but for its log."""
        records.remove_replica(self._context.db, id)
        self._launcher.acknowledge([make_step_id(id)])
        _remove_socket(address)
        self._context.environments.release_view(Path(folder, "environment"))
        asyncio.get_running_loop().run_in_executor(None, _remove_work, folder)


def make_step_id(id: int) -> str:
    return f"{SERVICE}{id}"


def get_replica_log(folder: str) -> str:
    return f"{folder}/artifacts/user_logs/std_log.txt"


def get_kept_log(folder: str) -> str:
    """Return where the log of a process that has ended is kept."""
    return f"{folder}.log"


def _get_deployment_folder(context: EngineContext, workspace: Workspace, record: RevisionRecord) -> str:
    home = context.home.shell_safe_path
    return f"{home}/workspaces/{workspace.folder}/endpoints/{record.endpoint}/{record.deployment}"


def get_build_log(context: EngineContext, workspace: Workspace, record: RevisionRecord) -> str:
    """Return the path of the log of what happens before a process starts."""
    return f"{_get_deployment_folder(context, workspace, record)}/deployment.log"


def _make_command(prepared: PreparedRevision, address: str) -> str:
    definition = prepared.definition
    if definition.kind == SCRIPT:
        return shlex.join(["python", str(_PROGRAMS / "script_server.py"), address, str(definition.script)])
    if definition.kind == MLFLOW:
        return shlex.join(["python", str(_PROGRAMS / "model_server.py"), address, str(prepared.model_path)])
    return "the image's own program"  # which runs instead


def _serve_by_image(spec: StepSpec, prepared: PreparedRevision, folder: str, published: int) -> None:
    """Let the step run the image's own server, with model and code where the service puts them."""
    definition, binds, variables = prepared.definition, {}, {}
    if prepared.model_path is not None and prepared.model is not None:
        name = prepared.model.name or Path(prepared.model_path).name
        root = definition.mount_path or f"{_APP_ROOT}/azureml-models"
        place = f"{root}/{definition.model_name}/{definition.model_version}"
        binds[f"{place}/{name}"] = os.path.realpath(prepared.model_path)
        variables["AZUREML_MODEL_DIR"] = place
    if definition.code is not None:
        binds[f"{_APP_ROOT}/code"] = f"{folder}/wd"
        variables.update(AML_APP_ROOT=f"{_APP_ROOT}/code", AZUREML_ENTRY_SCRIPT=str(definition.script))
    spec.service_variables = variables
    spec.image_server = ImageServer(definition.port, published, binds)


def _make_variables(prepared: PreparedRevision, folder: str) -> dict[str, str]:
    definition, timeout = prepared.definition, prepared.definition.limits.timeout
    variables = {"AML_APP_ROOT": f"{folder}/wd", "AZUREML_APP_ROOT": f"{folder}/wd"}
    if definition.script:
        variables["AZUREML_ENTRY_SCRIPT"] = definition.script
        variables["SCORING_TIMEOUT_MS"] = str(round(timeout * 1000) + 500)
    if definition.kind == MLFLOW:
        variables["MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT"] = str(int(timeout) + 1)
    if prepared.model_folder:
        variables["AZUREML_MODEL_DIR"] = prepared.model_folder
    return variables


def _place_model(prepared: PreparedRevision, where: str) -> str:
    """Return a folder NAME/VERSION, as the service has it, that holds the model and nothing else.

    The model's folders are real ones, as programs that walk through folders follow no symbolic links. MLflow loads no
    model by a path with such a link in it, and containers may not see where it leads: these use the model's own
    folder, or a copy where that is shared.
    """
    model, path = prepared.model, Path(str(prepared.model_path))
    assert model is not None
    name = model.name or path.name
    is_mlflow = prepared.definition.model_type == "mlflow_model"
    is_alone = path.name == name and [entry.name for entry in os.scandir(path.parent)] == [name]
    if is_alone and (is_mlflow or prepared.environment.container is not None):
        return str(path.parent)
    folder = Path(where, prepared.definition.model_name, prepared.definition.model_version)
    if os.path.lexists(folder / name):
        return str(folder)
    partial = folder / f".{name}.partial"
    remove_tree(partial)
    folder.mkdir(parents=True, exist_ok=True)
    if is_mlflow:
        copy_tree(path, partial)
    else:
        link_files(path, partial)
    os.rename(partial, folder / name)
    return str(folder)


def _find_missing(packages: list[str], server: str) -> list[str]:
    """Return the packages that an environment lacks to run the server."""
    versions = {
        name.lower().replace("_", "-"): version for name, _, version in (each.partition("==") for each in packages)
    }
    if server not in versions:
        return [server]
    is_old = server == SERVER_PACKAGE and _USES_PKG_RESOURCES.match(versions[server])
    major = versions.get("setuptools", "").partition(".")[0]
    return [_SETUPTOOLS] if is_old and not (major.isdecimal() and int(major) < _FIRST_WITHOUT) else []


def _remove_socket(address: str, *, folder_too: bool = True) -> None:
    if address.startswith("/"):
        path = Path(address)
        path.unlink(missing_ok=True)
        if folder_too and path.parent.is_dir():
            path.parent.rmdir()


def _remove_work(folder: str) -> None:
    """Remove a process's folder but for its log, which `get-logs` may still be asked for."""
    log = get_replica_log(folder)
    if os.path.exists(log):
        os.replace(log, get_kept_log(folder))
    remove_tree(Path(folder))
