"""Definitions: everything that the processes of a deployment need, with all versions pinned."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from smalt import wire
from smalt.entities.endpoints.online_deployment import OnlineDeployment, ProbeSettings, TargetUtilizationScaleSettings
from smalt.entities.syntax.literals import to_text
from smalt.exceptions import LocatedProblem, NotFound, SmaltError, ValidationException
from smalt.service.engine.context import EngineContext
from smalt.service.engine.submission import lookup
from smalt.service.records.assets import AssetVersion
from smalt.service.records.workspaces import Workspace

SCRIPT, MLFLOW, CONTAINER = "script", "mlflow", "container"

_TIMEOUT_MS, _QUEUE_WAIT_MS, _CONCURRENT = 5000, 500, 1
"""The service's own defaults."""
_NO_EFFECT = {
    "instance_type": "this machine stands for every size",
    "app_insights_enabled": "there is no Application Insights here; 'get-logs' has what the scoring script logs",
    "egress_public_network_access": "its processes reach whatever this machine reaches",
    "private_network_connection": "the endpoint is reached at this machine's port",
    "resources": "the processes share this machine; the setting online-memory-mb limits each of them",
}
_UPLOADED = re.compile(r"/LocalUpload/[0-9a-f]{64}/.+")
_SERVICE_ROUTES = {"scoring_route": "/score", "liveness_route": "/", "readiness_route": "/"}


@dataclass(frozen=True)
class Probe:
    """The limits of a probe, in seconds and failures."""

    initial_delay: float = 10
    period: float = 10
    timeout: float = 2
    failure_threshold: int = 30
    success_threshold: int = 1


@dataclass(frozen=True)
class RequestLimits:
    """The limits of requests, in seconds."""

    timeout: float
    queue_wait: float
    concurrent: int
    """Requests at a time in one process."""


@dataclass(frozen=True)
class Definition:
    """A deployment as it runs."""

    kind: str
    """SCRIPT: a scoring script in the inference server; MLFLOW: MLflow's own app; CONTAINER: an image's own server."""
    instances: int
    limits: RequestLimits
    readiness: Probe
    liveness: Probe | None
    """None where none is given: a process is then probed only after a request to it failed."""
    variables: dict[str, str]
    environment: dict[str, Any]
    """As the environments' room takes it; empty for an MLflow model without one, whose own packages are used."""
    code: str | None = None
    """The hash of a snapshot."""
    script: str | None = None
    model: str | None = None
    """The id of the model's version."""
    model_content: str | None = None
    """The same, or the digest of its content where that is known: with the same content nothing is started again."""
    model_type: str = "custom_model"
    model_name: str = ""
    model_version: str = ""
    mount_path: str | None = None
    routes: dict[str, Any] = field(default_factory=dict)
    """`scoring_route` and so on, each with `path` and `port`; only of images."""
    notes: list[str] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        """Return a digest of all that a process is started with; what only the proxy needs is left out."""
        whole = asdict(self)
        for name in ("instances", "limits", "readiness", "liveness", "notes", "model", "model_version"):
            del whole[name]
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()

    def get_route(self, name: str) -> str:
        """Return the path in the process of `scoring_route`, `liveness_route` or `readiness_route`."""
        return str((self.routes.get(name) or {}).get("path") or _SERVICE_ROUTES[name])

    @property
    def port(self) -> int:
        """The port of the image's own server."""
        return int((self.routes.get("scoring_route") or {}).get("port") or 0)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Definition:
        liveness = content["liveness"]
        return cls(
            **{
                **content,
                "limits": RequestLimits(**content["limits"]),
                "readiness": Probe(**content["readiness"]),
                "liveness": Probe(**liveness) if liveness else None,
            }
        )


def make_definition(context: EngineContext, workspace: Workspace, body: Mapping[str, Any]) -> Definition:
    """Return what the deployment in a REST body needs; raise where it cannot serve, before anything is made."""
    entity = cast(OnlineDeployment, wire.from_rest(dict(body), "online_deployment"))
    properties: Mapping[str, Any] = body["properties"]
    problems: list[str] = []
    for name, value in (entity.environment_variables or {}).items():
        with _collect_problem(problems, f"environment_variables.{name}"):
            context.vault.check_references(value, workspace)
    with _collect_problem(problems, "environment"):
        environment = _find_environment(context, workspace, properties)
    with _collect_problem(problems, "code_configuration"):
        code, script = _find_code(context, workspace, properties)
    version, uri, model_type = None, None, "custom_model"
    with _collect_problem(problems, "model"):
        if properties.get("model"):
            version, uri, model_type = lookup.find_model(context, workspace, str(properties["model"]))
    if problems:
        raise ValidationException([LocatedProblem("", 0, 0, problem) for problem in problems])
    routes = environment.get("inferenceConfig") or {}
    _check_ports(routes)
    kind = _choose_kind(script, model_type if uri else None, environment, routes)
    name, number = _split_model_id(uri)
    return Definition(
        kind=kind,
        instances=_count_instances(entity),
        limits=_read_limits(entity),
        readiness=_read_probe(entity.readiness_probe),
        liveness=_read_probe(entity.liveness_probe) if entity.liveness_probe else None,
        variables={name: to_text(value) for name, value in (entity.environment_variables or {}).items()},
        environment=environment,
        code=code,
        script=script,
        model=uri,
        model_content=_get_content(version) or uri,
        model_type=model_type,
        model_name=name,
        model_version=number,
        mount_path=entity.model_mount_path,
        routes={_to_snake(key): value for key, value in routes.items()} if kind == CONTAINER else {},
        notes=_list_notes(entity, kind),
    )


@contextmanager
def _collect_problem(problems: list[str], where: str) -> Iterator[None]:
    """Add an error to the problems, with its place in the deployment, so that all are told at once."""
    try:
        yield
    except SmaltError as error:
        problems.append(f"{where}: {error}")


def _find_environment(context: EngineContext, workspace: Workspace, properties: Mapping[str, Any]) -> dict[str, Any]:
    text = properties.get("environmentId")
    return dict(lookup.find_environment(context, workspace, str(text))) if text else {}


def _find_code(
    context: EngineContext, workspace: Workspace, properties: Mapping[str, Any]
) -> tuple[str | None, str | None]:
    """Return the code's snapshot and the script in it; raise if the script is not there."""
    configuration = properties.get("codeConfiguration") or {}
    script, id = configuration.get("scoringScript"), configuration.get("codeId")
    if not id:
        if script:
            raise ValidationException(
                f"it names the scoring script '{script}' and no 'code'; name the folder that it is in"
            )
        return None, None
    code = lookup.find_snapshot(context, workspace, str(id))
    if not script:
        raise ValidationException("it has 'code' and no 'scoring_script'; name the script in it")
    path = os.path.normpath(str(script))
    files = {os.fsdecode(entry.path) for entry in context.data.snapshots.read_entries(code)}
    if path not in files:
        near = ", ".join(sorted(name for name in files if name.endswith(".py"))[:5]) or "no Python file"
        raise NotFound(f"the scoring script '{script}' is not in the deployment's code, which has {near}")
    return code, path


def _choose_kind(
    script: str | None, model_type: str | None, environment: Mapping[str, Any], routes: Mapping[str, Any]
) -> str:
    if routes:
        return CONTAINER
    if script:
        if not environment:
            raise ValidationException("a deployment with a scoring script needs an 'environment' for it")
        return SCRIPT
    if model_type == "mlflow_model":
        return MLFLOW
    if model_type is None:
        raise ValidationException(
            "the deployment has nothing to serve; give it an MLflow model, or any model and a code_configuration"
        )
    if model_type == "triton_model":
        raise ValidationException(
            "smalt has no Triton server; serve the model by a scoring script, or by an image with an inference_config"
        )
    raise ValidationException(
        "a model that is no MLflow model needs a scoring script; add 'code_configuration' with 'code' and "
        "'scoring_script', or set the model's type to mlflow_model if it is one"
    )


def _check_ports(routes: Mapping[str, Any]) -> None:
    ports = {int(route["port"]) for route in routes.values() if isinstance(route, Mapping) and route.get("port")}
    if len(ports) > 1:
        named = ", ".join(map(str, sorted(ports)))
        raise ValidationException(f"the routes of the inference_config name several ports ({named}); smalt takes one")


def _count_instances(entity: OnlineDeployment) -> int:
    if isinstance(entity.scale_settings, TargetUtilizationScaleSettings):
        return int(entity.scale_settings.min_instances or 1)
    return 1 if entity.instance_count is None else int(entity.instance_count)


def _read_limits(entity: OnlineDeployment) -> RequestLimits:
    given = entity.request_settings
    timeout = getattr(given, "request_timeout_ms", None) or _TIMEOUT_MS
    wait = getattr(given, "max_queue_wait_ms", None)
    concurrent = getattr(given, "max_concurrent_requests_per_instance", None) or _CONCURRENT
    return RequestLimits(timeout / 1000, (_QUEUE_WAIT_MS if wait is None else wait) / 1000, concurrent)


def _read_probe(given: ProbeSettings | None) -> Probe:
    named = {name: getattr(given, name, None) for name in Probe.__dataclass_fields__}
    return Probe(**{name: value for name, value in named.items() if value is not None})


def _get_content(version: AssetVersion | None) -> str | None:
    """Return the digest of a model that was uploaded from a client's folder; such a place never changes."""
    found = _UPLOADED.search(str(version.properties.get("modelUri"))) if version is not None else None
    return found[0] if found else None


def _split_model_id(id: str | None) -> tuple[str, str]:
    found = re.search(r"/models/([^/]+)/versions/([^/]+)$", id or "")
    return (found[1], found[2]) if found else ("", "")


def _to_snake(key: str) -> str:
    return re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", key)


def _list_notes(entity: OnlineDeployment, kind: str) -> list[str]:
    """Return a sentence for each setting that does nothing here."""
    notes = [
        f"{name} has no effect: {why}"
        for name, why in _NO_EFFECT.items()
        if getattr(entity, name, None) and name != "instance_type"
    ]
    if isinstance(entity.scale_settings, TargetUtilizationScaleSettings):
        notes.append("scale_settings has no effect but for min_instances: smalt does not scale by utilization")
    if entity.startup_probe:
        notes.append("startup_probe has no effect: the readiness probe says when a process has started")
    collector = entity.data_collector
    if collector is not None and any(getattr(one, "enabled", False) for one in (collector.collections or {}).values()):
        notes.append("data_collector has no effect: smalt does not store requests and responses")
    if entity.model_mount_path and kind != CONTAINER:
        notes.append("model_mount_path has no effect without a container; AZUREML_MODEL_DIR names the model's folder")
    return notes
