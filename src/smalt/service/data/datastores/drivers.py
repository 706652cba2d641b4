"""Drivers of clouds, from fsspec. They are slow to load, so import this module only where one is needed."""

from __future__ import annotations

import json
from typing import Any

from smalt.exceptions import RefusedError
from smalt.service.data.datastores.addresses import Address

_PATIENCE = 20
"""Seconds to connect."""


def open_driver(address: Address, *, as_environment: bool) -> Any:
    """Return the file system of an address; without credentials of its own anonymous, or with those of the
    environment.
    """
    login = dict(address.login)
    usual: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
    if address.kind == "s3":
        return _open_s3(address, login, usual, anonymous=not login and not as_environment)
    if address.kind == "gs":
        return _open_gcs(address, login, usual, anonymous=not login and not as_environment)
    return _open_azure(address, login, usual, anonymous=not login and not as_environment)


def _open_azure(address: Address, login: dict[str, str], usual: dict[str, Any], *, anonymous: bool) -> Any:
    import adlfs

    usual = {**usual, "account_name": address.account, "connection_timeout": _PATIENCE}
    host = str(address.endpoint).partition("://")[2]
    if "client_secret" in login:
        return adlfs.AzureBlobFileSystem(
            **usual, account_host=host, tenant_id=login["tenant_id"], client_id=login["client_id"],
            client_secret=login["client_secret"],
        )  # fmt: skip
    if not login and not anonymous:
        return adlfs.AzureBlobFileSystem(**usual, account_host=host, anon=False)
    parts = {"AccountName": address.account, "BlobEndpoint": address.endpoint}
    if "account_key" in login:
        parts["AccountKey"] = login["account_key"]
    elif "sas_token" in login:
        parts["SharedAccessSignature"] = login["sas_token"].lstrip("?")
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    return adlfs.AzureBlobFileSystem(**usual, connection_string=f"{text};")


def _open_s3(address: Address, login: dict[str, str], usual: dict[str, Any], *, anonymous: bool) -> Any:
    import s3fs

    more: dict[str, Any] = {"endpoint_url": address.endpoint} if address.endpoint else {}
    if address.region:
        more["client_kwargs"] = {"region_name": address.region}
    return s3fs.S3FileSystem(
        **usual, **more, anon=anonymous, key=login.get("access_key_id"), secret=login.get("secret_access_key"),
        token=login.get("session_token"),
        config_kwargs={"connect_timeout": _PATIENCE, "retries": {"max_attempts": 3}},
    )  # fmt: skip


def _open_gcs(address: Address, login: dict[str, str], usual: dict[str, Any], *, anonymous: bool) -> Any:
    from gcsfs.core import GCSFileSystem  # the one that speaks HTTP only

    token: Any = "anon" if anonymous else "google_default"
    if "service_account_key" in login:
        try:
            token = json.loads(login["service_account_key"])
        except ValueError:
            raise RefusedError("the service_account_key is not the JSON text of a key file") from None
    return GCSFileSystem(**usual, token=token, endpoint_url=address.endpoint)
