"""Addresses of remote datastores, and the credentials for each. Nothing here uses the network or a driver."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from smalt.exceptions import RefusedError, ValidationException
from smalt.wire.encoding.casing import fold_case


class Address(NamedTuple):
    """The address of a container or bucket, with the credentials for it."""

    kind: str
    """"azure", "s3" or "gs"."""
    container: str
    """The container, file system or bucket."""
    account: str = ""
    """The storage account, of Azure."""
    endpoint: str | None = None
    """The server's URL, where it is not the cloud's own; of Azure always, with the account."""
    region: str | None = None
    login: tuple[tuple[str, str], ...] = ()
    """The credentials; the keys say of which kind. Empty: anonymous, or as the setting `remote-login` says."""

    def __str__(self) -> str:
        if self.kind == "azure":
            return f"{self.endpoint}/{self.container}"
        return f"{self.kind}://{self.container}" + (f" at {self.endpoint}" if self.endpoint else "")

    @property
    def place(self) -> tuple[str, str, str]:
        """The address without credentials, equal for every user."""
        return self.kind, self.container, self.endpoint or ""

    def mask_secrets(self, text: str) -> str:
        """Return a message with its secrets masked."""
        for name, value in self.login:
            if name not in _NOT_SECRET and value:
                text = text.replace(value, "***").replace(value.lstrip("?"), "***")
        return _SIGNATURE.sub(r"\1***", text)


_NOT_SECRET = ("client_id", "tenant_id", "access_key_id")
_SIGNATURE = re.compile(r"((?:[?&;]|\b)(?:sig|Signature|X-Amz-Signature|X-Amz-Credential)=)[^&\s\"']+")

_EXTRAS = {"azure": ("adlfs", "smalt[azure]"), "s3": ("s3fs", "smalt[s3]"), "gs": ("gcsfs", "smalt[gcs]")}
_SECRETS = {
    "key": "account_key",
    "accountkey": "account_key",
    "sastoken": "sas_token",
    "clientid": "client_id",
    "tenantid": "tenant_id",
    "clientsecret": "client_secret",
    "accesskeyid": "access_key_id",
    "secretaccesskey": "secret_access_key",
    "sessiontoken": "session_token",
    "serviceaccountkey": "service_account_key",
}
_NO_DRIVER = {
    "azurefile": "mount the share and register its folder as a datastore of type local_path",
    "azuredatalakegen1": "Azure has retired it; register the account as azure_data_lake_gen2",
    "hdfs": "mount it and register its folder as a datastore of type local_path",
    "onelake": "map azureml://datastores/NAME to a local copy with `smalt config set url-map PREFIX=FOLDER`",
}
_AZURE_HOST = re.compile(r"(?P<account>[a-z0-9-]+)\.(?:blob|dfs)\.(?P<suffix>[a-z0-9.-]+)", re.IGNORECASE)


def make_address(name: str, properties: Mapping[str, Any]) -> Address | None:
    """Return the address of a datastore, from its REST properties with secrets; None if it is stored in the home."""
    kind = fold_case(str(properties.get("datastoreType") or ""))
    if kind in _NO_DRIVER:
        type = str(properties.get("datastoreType"))
        raise RefusedError(f"datastore {name} is of type {type}, which smalt cannot reach; {_NO_DRIVER[kind]}")
    login = tuple(sorted(_read_login(properties.get("credentials"))))
    if kind == "s3" or kind == "gcs":
        bucket, endpoint = str(properties.get("bucketName") or ""), properties.get("endpoint")
        return Address("gs" if kind == "gcs" else kind, bucket, "", endpoint or None, properties.get("region"), login)
    if kind not in ("azureblob", "azuredatalakegen2"):
        return None
    account = str(properties.get("accountName") or "")
    container = str(properties.get("containerName") or properties.get("filesystem") or "")
    if not container or is_own_account(account):
        return None
    return Address("azure", container, account, _make_azure_endpoint(account, properties), None, login)


def is_own_account(account: str) -> bool:
    """True if a datastore that names this account is stored in the home; the server marks its own with a `/`."""
    return account in ("", "smalt") or "/" in account


def is_same_place(name: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """True if two datastores, given by their REST properties, are at the same address, whatever the credentials."""
    return _get_place(name, one) == _get_place(name, other)


def _get_place(name: str, properties: Mapping[str, Any]) -> tuple[str, ...]:
    kind = fold_case(str(properties.get("datastoreType") or ""))
    if kind == "localpath":
        return kind, os.path.realpath(str(properties.get("path")))
    if kind in _NO_DRIVER:
        return ("nowhere",)
    address = make_address(name, properties)
    return ("home",) if address is None else address.place


def parse_url(url: str) -> tuple[Address, str] | None:
    """Return the address and path in a cloud's URL (https of a storage account, s3, gs); None for any other."""
    scheme, _, rest = url.partition("://")
    if scheme in ("s3", "gs"):  # what follows is the key itself, whatever its characters
        bucket, _, key = rest.partition("/")
        return Address(scheme, bucket), key.strip("/")
    parts = urlsplit(url)
    host = _AZURE_HOST.fullmatch(parts.hostname or "")
    container, _, path = parts.path.lstrip("/").partition("/")
    if parts.scheme != "https" or host is None or not container or parts.query:
        return None
    endpoint = f"https://{host['account']}.blob.{host['suffix']}".lower()
    return Address("azure", container, host["account"].lower(), endpoint), unquote(path).strip("/")


def find_path(address: Address, url: str) -> str | None:
    """Return the path in a registered datastore that a URL names; None if it is of another account or container."""
    found = parse_url(url)
    if found is not None:
        asked, path = found
        known = address._replace(account=address.account.lower())
        return path if known[:3] == asked[:3] else None
    root = f"{address.endpoint}/{address.container}"
    if address.endpoint and url.startswith((f"{root}/", root)) and "?" not in url:
        return unquote(url[len(root) :]).strip("/") if url[len(root) : len(root) + 1] in ("", "/") else None
    return None


def check_driver(address: Address, name: str) -> None:
    """Raise Refused if the driver of an address is not installed."""
    module, extra = _EXTRAS[address.kind]
    if find_spec(module) is None:
        where = name if name == str(address) else f"{name} ({address})"
        raise RefusedError(
            f"{where} cannot be reached: run `pip install '{extra}'` with the Python that smalt runs in, or map it to "
            f"a local copy with `smalt config set url-map {_get_map_prefix(address, name)}=FOLDER`"
        )


def _get_map_prefix(address: Address, name: str) -> str:
    """Return the prefix by which the setting `url-map` may map a store, from its name in messages."""
    kind, _, datastore = name.partition(" ")
    return f"azureml://datastores/{datastore}/paths" if kind == "datastore" else str(address)


def _read_login(credentials: Any) -> list[tuple[str, str]]:
    if not isinstance(credentials, Mapping):
        return []
    secrets = credentials.get("secrets")
    given = {**credentials, **(secrets if isinstance(secrets, Mapping) else {})}
    return [
        (_SECRETS[fold_case(key)], str(value)) for key, value in given.items() if fold_case(key) in _SECRETS and value
    ]


def _make_azure_endpoint(account: str, properties: Mapping[str, Any]) -> str:
    """Return the URL of an account; `endpoint` is the end of the cloud's names, or, as an extension, the whole URL."""
    endpoint = str(properties.get("endpoint") or "core.windows.net").rstrip("/")
    if "://" in endpoint:
        if urlsplit(endpoint).scheme not in ("http", "https"):
            raise ValidationException(f"endpoint: {endpoint} is not possible; write core.windows.net or an http(s) URL")
        return endpoint
    return f"https://{account}.blob.{endpoint}"
