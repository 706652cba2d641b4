"""Names of deployments: configurations can be made, and what needs a server says that there is none yet."""

from __future__ import annotations

from typing import Any, NoReturn

from smalt.v1.exceptions import WebserviceException
from smalt.v1.model import NO_SERVING


class DeploymentConfiguration:
    """Settings of a deployment, by name."""

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
        self.entry_script, self.runtime, self.conda_file = entry_script, runtime, conda_file
        self.source_directory, self.environment, self.description = source_directory, environment, description


class Webservice:
    def __init__(self, workspace: Any, name: str) -> None:
        raise WebserviceException(f"WebserviceNotFound: there is no service '{name}': {NO_SERVING}")

    @staticmethod
    def list(workspace: Any, *args: Any, **kwargs: Any) -> list[Any]:
        return []

    @staticmethod
    def deploy_from_model(workspace: Any, name: str, *args: Any, **kwargs: Any) -> NoReturn:
        raise WebserviceException(f"the service '{name}' is not deployed: {NO_SERVING}")

    def wait_for_deployment(self, show_output: bool = False, timeout_sec: float | None = None) -> None:
        raise WebserviceException(NO_SERVING)

    def run(self, input: Any) -> Any:
        raise WebserviceException(NO_SERVING)

    def get_logs(self, num_lines: int = 5000, init: bool = False) -> str:
        raise WebserviceException(NO_SERVING)

    def get_keys(self) -> Any:
        raise WebserviceException(NO_SERVING)

    def delete(self) -> None:
        raise WebserviceException(NO_SERVING)

    deploy = deploy_from_image = deploy_local_model = deploy_from_model


class AciWebservice(Webservice):
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


class AksWebservice(Webservice):
    @staticmethod
    def deploy_configuration(**settings: Any) -> DeploymentConfiguration:
        return DeploymentConfiguration(**settings)


class LocalWebservice(Webservice):
    def __init__(self, workspace: Any, name: str, must_exist: bool = True) -> None:
        super().__init__(workspace, name)

    @staticmethod
    def deploy_configuration(port: int | None = None) -> DeploymentConfiguration:
        return DeploymentConfiguration(port=port)
