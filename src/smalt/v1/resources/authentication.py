"""`azureml.core.authentication`: credentials, which programs make and hand over; smalt needs none of them."""

from __future__ import annotations

from typing import Any


class Audience:
    ARM = arm = "ARM"
    AZUREML = aml = "AZUREML"


class AbstractAuthentication:
    def get_authentication_header(self) -> dict[str, str]:
        """Return the header for smalt's own server."""
        return {"Authorization": f"Bearer {self.get_token()}"}

    def get_token(self, audience: str = Audience.ARM) -> str:
        from smalt.identity import SmaltCredential

        return SmaltCredential().get_token("https://management.azure.com/.default").token


class InteractiveLoginAuthentication(AbstractAuthentication):
    def __init__(self, force: bool = False, tenant_id: str | None = None, cloud: str | None = None) -> None:
        self.tenant_id = tenant_id


class AzureCliAuthentication(AbstractAuthentication):
    def __init__(self, cloud: str | None = None) -> None: ...


class MsiAuthentication(AbstractAuthentication):
    def __init__(self, cloud: str | None = None, **kwargs: Any) -> None: ...


class ServicePrincipalAuthentication(AbstractAuthentication):
    def __init__(
        self,
        tenant_id: str,
        service_principal_id: str,
        service_principal_password: str,
        cloud: str = "AzureCloud",
        _enable_caching: bool = True,
    ) -> None:
        self.tenant_id = tenant_id


class TokenAuthentication(AbstractAuthentication):
    def __init__(self, get_token_for_audience: Any, cloud: str | None = None) -> None:
        self._get_token = get_token_for_audience

    def get_token(self, audience: str = Audience.ARM) -> str:
        return str(self._get_token(audience))


class AzureMLTokenAuthentication(AbstractAuthentication):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...


class ArcTokenAuthentication(AbstractAuthentication):
    def __init__(self, cloud: str | None = None, **kwargs: Any) -> None: ...
