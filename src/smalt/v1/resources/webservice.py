"""Services of models, `Model.deploy` and `Webservice`: online endpoints of v2 with one deployment."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from smalt.client.connection.notices import print_notice
from smalt.exceptions import NotFound
from smalt.v1.exceptions import WebserviceException, raise_as
from smalt.v1.notices import tell_no_effect

if TYPE_CHECKING:
    from smalt.v1.environment import Environment
    from smalt.v1.workspace import Workspace

DEPLOYMENT = "default"
"""The name of the deployment of a service."""
_SERVER = "azureml-inference-server-http"
_STATES = {"Succeeded": "Healthy", "Failed": "Failed", "Canceled": "Failed", "Deleting": "Deleting"}


class DeploymentConfiguration:
    """Settings of a deployment, by name; those of machines and networks have no effect."""

    def __init__(self, **settings: Any) -> None:
        vars(self).update(settings)


class InferenceConfig:
    def __init__(
        self,
        entry_script: str,
        runtime: str | None = None,
        conda_file: str | None = None,
        extra_docker_file_steps: str | None = None,
        source_directory: str | None = None,
        enable_gpu: bool | None = None,
        description: str | None = None,
        base_image: str | None = None,
        base_image_registry: Any = None,
        cuda_version: str | None = None,
        environment: Any = None,
    ) -> None:
        given = {
            "extra_docker_file_steps": extra_docker_file_steps, "cuda_version": cuda_version, "enable_gpu": enable_gpu,
            "base_image_registry": base_image_registry, "runtime": None if runtime == "python" else runtime,
        }  # fmt: skip
        tell_no_effect("InferenceConfig", given, "the environment says what the script runs in")
        self.entry_script, self.source_directory = entry_script, source_directory
        self.description, self.environment = description, environment
        if environment is None and (conda_file or base_image):
            from smalt.v1.environment import Environment

            self.environment = Environment("inference")
            if conda_file:
                folder = source_directory or "."
                self.environment = Environment.from_conda_specification("inference", os.path.join(folder, conda_file))
            self.environment.docker.base_image = base_image or self.environment.docker.base_image

    def build_code(self) -> dict[str, str]:
        """Return the code of a deployment: the source directory, or a folder with the script alone, as in v1."""
        if self.source_directory is not None:
            script = os.path.join(self.source_directory, self.entry_script)
            _check_script(script)
            return {"code": self.source_directory, "scoring_script": self.entry_script}
        _check_script(self.entry_script)
        folder = tempfile.mkdtemp(prefix="smalt-score-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        shutil.copy(self.entry_script, folder)
        return {"code": folder, "scoring_script": os.path.basename(self.entry_script)}


class Webservice:
    def __new__(cls, workspace: Workspace, name: str) -> Any:
        """Return the service of that name; raises WebserviceException where there is none."""
        made = object.__new__(AciWebservice if cls is Webservice else cls)
        made._set_fields(workspace, name)
        return made

    def __init__(self, workspace: Workspace, name: str) -> None: ...

    def _set_fields(self, workspace: Workspace, name: str) -> None:
        try:
            endpoint = workspace.client.online_endpoints.get(name)
        except NotFound:
            raise WebserviceException(
                f"WebserviceNotFound: there is no service '{name}' in workspace '{workspace.name}'"
            ) from None
        self.workspace, self.name = workspace, str(endpoint.name)
        self.scoring_uri, self.swagger_uri = endpoint.scoring_uri, getattr(endpoint, "openapi_uri", None)
        self.tags, self.properties = dict(endpoint.tags or {}), dict(endpoint.properties or {})
        self.description, self.compute_type, self.auth_enabled = endpoint.description, "ACI", True
        self._poller: Any = None

    @property
    def state(self) -> str:
        try:
            found = self.workspace.client.online_deployments.get(DEPLOYMENT, self.name)
        except NotFound:
            return "Unhealthy"
        return _STATES.get(str(found.provisioning_state), "Transitioning")

    @staticmethod
    def list(workspace: Workspace, compute_type: str | None = None, **kwargs: Any) -> list[Webservice]:
        """Return the services; all are of the kind ACI."""
        if kwargs:
            raise WebserviceException(
                f"Webservice.list: {min(kwargs)} is not served; choose among the services by name"
            )
        found = [Webservice(workspace, str(one.name)) for one in workspace.client.online_endpoints.list()]
        return [one for one in found if compute_type is None or one.compute_type == str(compute_type).upper()]

    def wait_for_deployment(self, show_output: bool = False, timeout_sec: float | None = None) -> None:
        """Wait until the service answers; raises WebserviceException where it cannot be started."""
        if self._poller is not None:
            with raise_as(WebserviceException):
                self._poller.result(timeout_sec)
        if show_output:
            state = "Succeeded" if self.state == "Healthy" else self.state
            print(f'Service creation operation finished, operation "{state}"')

    def run(self, input: Any) -> Any:
        """Return the answer to a request, which is text of JSON."""
        with tempfile.TemporaryDirectory(prefix="smalt-request-") as folder:
            path = os.path.join(folder, "request.json")
            with open(path, "wb") as file:
                file.write(input if isinstance(input, bytes) else str(input).encode())
            with raise_as(WebserviceException):
                answer = self.workspace.client.online_endpoints.invoke(self.name, request_file=path)
        try:
            return json.loads(answer)
        except ValueError:
            return answer

    def get_logs(self, num_lines: int = 5000, init: bool = False) -> str:
        kind = "storage-initializer" if init else None
        with raise_as(WebserviceException):
            return self.workspace.client.online_deployments.get_logs(
                DEPLOYMENT, self.name, num_lines, container_type=kind
            )

    def get_keys(self) -> tuple[str, str]:
        with raise_as(WebserviceException):
            keys: Any = self.workspace.client.online_endpoints.get_keys(self.name)
        return keys.primary_key, keys.secondary_key

    def regen_key(self, key: str, set_key: str | None = None) -> None:
        tell_no_effect("Webservice.regen_key", {"set_key": set_key}, "keys are made, not given")
        with raise_as(WebserviceException):
            self.workspace.client.online_endpoints.begin_regenerate_keys(self.name, key_type=key.lower())

    def update_deployment_state(self) -> None:
        """Do nothing: `state` is read when it is asked for."""

    def delete(self) -> None:
        """Delete the service, and stop its processes."""
        with raise_as(WebserviceException):
            self.workspace.client.online_endpoints.begin_delete(self.name)

    def serialize(self) -> dict[str, Any]:
        names = ("name", "scoring_uri", "tags", "properties", "description", "state")
        return {name: getattr(self, name) for name in names}


class _KnownWebservice(Webservice):
    """A service of a kind; all kinds call the request of `run` by another name than their base."""

    def run(self, input_data: Any) -> Any:
        return super().run(input_data)


class AciWebservice(_KnownWebservice):
    @staticmethod
    def deploy_configuration(
        cpu_cores: float | None = None,
        memory_gb: float | None = None,
        tags: Any = None,
        properties: Any = None,
        description: str | None = None,
        location: str | None = None,
        auth_enabled: bool | None = None,
        ssl_enabled: bool | None = None,
        enable_app_insights: bool | None = None,
        ssl_cert_pem_file: str | None = None,
        ssl_key_pem_file: str | None = None,
        ssl_cname: str | None = None,
        dns_name_label: str | None = None,
        primary_key: str | None = None,
        secondary_key: str | None = None,
        collect_model_data: bool | None = None,
        cmk_vault_base_url: str | None = None,
        cmk_key_name: str | None = None,
        cmk_key_version: str | None = None,
        vnet_name: str | None = None,
        subnet_name: str | None = None,
    ) -> DeploymentConfiguration:
        return DeploymentConfiguration(**locals())


class AksWebservice(_KnownWebservice):
    @staticmethod
    def deploy_configuration(**settings: Any) -> DeploymentConfiguration:
        return DeploymentConfiguration(**settings)


class LocalWebservice(_KnownWebservice):
    def __new__(cls, workspace: Workspace, name: str, must_exist: bool = True) -> Any:
        if not must_exist:
            tell_no_effect("LocalWebservice", {"must_exist": "False"}, "a service is found once it is deployed")
        return super().__new__(cls, workspace, name)

    def __init__(self, workspace: Workspace, name: str, must_exist: bool = True) -> None: ...

    @staticmethod
    def deploy_configuration(port: int | None = None) -> DeploymentConfiguration:
        tell_no_effect("LocalWebservice", {"port": port}, "the service answers at its scoring_uri")
        return DeploymentConfiguration()


def deploy_service(
    workspace: Workspace,
    name: str,
    models: Sequence[Any],
    inference_config: InferenceConfig | None,
    configuration: DeploymentConfiguration | None,
    overwrite: bool,
) -> Webservice:
    """Make an endpoint with one deployment, which `wait_for_deployment` waits for."""
    from smalt.entities import ManagedOnlineDeployment, ManagedOnlineEndpoint

    inference = _check_parts(name, models, inference_config)
    client = workspace.client
    if not overwrite and name in {str(one.name) for one in client.online_endpoints.list()}:
        raise WebserviceException(f"there is a service '{name}' already; choose another name, or say overwrite=True")
    given = dict(vars(configuration)) if configuration is not None else {}
    kept = {key: given.pop(key, None) for key in ("tags", "description", "properties")}
    tell_no_effect(f"the service '{name}'", given, "processes of this machine answer")
    if configuration is None or not getattr(configuration, "auth_enabled", None):
        print_notice(
            f"the service '{name}' answers to requests with a key, which get_keys() has: v2 has no open services"
        )
    with raise_as(WebserviceException):
        endpoint = ManagedOnlineEndpoint(
            name=name, auth_mode="key", tags=dict(kept["tags"] or {}), description=kept["description"]
        )
        client.online_endpoints.begin_create_or_update(endpoint).result()
        deployment = ManagedOnlineDeployment(
            name=DEPLOYMENT,
            endpoint_name=name,
            model=f"azureml:{models[0].id}" if models else None,
            code_configuration=inference.build_code(),
            environment=_build_environment(inference.environment),
            instance_type="Standard_DS3_v2",
            instance_count=1,
        )
        poller = client.online_deployments.begin_create_or_update(deployment)
        endpoint.traffic = {DEPLOYMENT: 100}
        client.online_endpoints.begin_create_or_update(endpoint).result()
    made = Webservice(workspace, name)
    made._poller = poller
    return made


def _check_parts(name: str, models: Sequence[Any], inference_config: InferenceConfig | None) -> InferenceConfig:
    """Return the inference configuration; raise if an online deployment of v2 cannot have these parts."""
    if len(models) > 1:
        raise WebserviceException(
            f"the service '{name}' has {len(models)} models, and an online deployment of v2 has one: register them as "
            "one model, a folder with all of them"
        )
    if inference_config is None or inference_config.environment is None:
        raise WebserviceException(
            f"the service '{name}' needs an inference_config with an entry_script and an environment"
        )
    return inference_config


def _build_environment(environment: Environment) -> Any:
    """Return the environment of v2, with the server that v1 had in azureml-defaults."""
    packages = environment.python.conda_dependencies
    names = " ".join(packages.pip_packages) if packages is not None else _SERVER
    if environment._reference is not None or "azureml-defaults" in names or _SERVER in names:
        return environment.to_reference()
    served = environment.clone(environment.name)
    assert served.python.conda_dependencies is not None
    served.python.conda_dependencies.add_pip_package(_SERVER)
    return served.to_reference()


def _check_script(path: str) -> None:
    if not os.path.isfile(path):
        raise WebserviceException(f"there is no entry_script '{path}'")
