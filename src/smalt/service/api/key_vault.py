"""The secrets of a workspace, by the protocol of Azure's Key Vault: below `/vaults/<workspace folder>` for its clients,
below `/smalt/v1{WS}` for ours. A job's own token reads (`auth/job_permissions.py`)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from smalt.exceptions import ValidationException
from smalt.service.api.pagination import page
from smalt.service.api.request import Call, Reply
from smalt.service.records.secrets import Secret
from smalt.service.secrets.identity import ROUTE
from smalt.service.secrets.key_rotation import rotate
from smalt.service.secrets.vault import Vault

_PATH = re.compile(ROUTE + r"/(?P<folder>[^/]+)(?P<rest>/.+?)/?")
_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")
_ATTRIBUTES = ("enabled", "nbf", "exp")
_FOR_EVER = 90 * 86400
"""Clients are told when a deleted secret goes by itself; here it does not."""


def split(path: str) -> tuple[str, str] | None:
    """The workspace's folder and what follows; None for any other path."""
    found = _PATH.fullmatch(path)
    return (found["folder"], found["rest"]) if found else None


async def set_secret(call: Call) -> dict[str, Any]:
    body, name = await call.object(), _name(call)
    if not isinstance(body.get("value"), str):
        raise ValidationException('"value" must be a text')
    return _shape(
        call, _vault(call).set(call.workspace, name, body["value"], _about(body), call.principal), body["value"]
    )


async def get_secret(call: Call) -> dict[str, Any]:
    vault = _vault(call)
    found = vault.get(call.workspace, _name(call), call.path_params.get("version", ""))
    return _shape(call, found, vault.value(found))


async def update_secret(call: Call) -> dict[str, Any]:
    vault = _vault(call)
    found = vault.get(call.workspace, _name(call), call.path_params.get("version", ""))
    return _shape(call, vault.update(call.workspace, found, _about(await call.object())))


async def list_secrets(call: Call) -> dict[str, Any]:
    """Their newest versions, without the values."""
    return page(call, _vault(call).newest(call.workspace), lambda one: _shape(call, one, with_version=False))


async def list_versions(call: Call) -> dict[str, Any]:
    return page(call, _vault(call).versions(call.workspace, _name(call)), lambda one: _shape(call, one))


async def delete_secret(call: Call) -> dict[str, Any]:
    """All its versions; until they are purged they can be recovered."""
    return _shape(call, _vault(call).delete(call.workspace, _name(call)))


async def list_deleted(call: Call) -> dict[str, Any]:
    return page(call, _vault(call).all_deleted(call.workspace), lambda one: _shape(call, one, with_version=False))


async def get_deleted(call: Call) -> dict[str, Any]:
    return _shape(call, _vault(call).deleted(call.workspace, _name(call)))


async def purge_secret(call: Call) -> Reply:
    _vault(call).purge(call.workspace, _name(call))
    return Reply({}, 204)


async def recover_secret(call: Call) -> dict[str, Any]:
    return _shape(call, _vault(call).recover(call.workspace, _name(call)))


async def rotate_keys(call: Call) -> dict[str, Any]:
    """Encrypt all that the home has encrypted again, with new keys."""
    return {"encrypted": rotate(call.service.home, call.service.db)}


def _vault(call: Call) -> Vault:
    vault: Vault = call.service.engine.rooms.vault
    return vault


def _name(call: Call) -> str:
    name = call.name()
    if not _NAME.fullmatch(name):
        raise ValidationException(
            f"'{name[:130]}' cannot be the name of a secret; use letters, digits and '-', at most 127 (as in Key Vault)"
        )
    return name


def _about(body: dict[str, Any]) -> dict[str, Any]:
    """What is kept beside the value; of an update, what is changed."""
    attributes = body.get("attributes")
    given = attributes if isinstance(attributes, dict) else {}
    about = {key: given[key] for key in _ATTRIBUTES if given.get(key) is not None}
    about.update({key: body[key] for key in ("contentType", "tags") if body.get(key) is not None})
    for key, kind, words in (
        ("enabled", bool, "true or false"),
        ("nbf", int, "a number of seconds"),
        ("exp", int, "a number of seconds"),
        ("contentType", str, "a text"),
        ("tags", dict, "a mapping of texts"),
    ):
        if key in about and not isinstance(about[key], kind):
            raise ValidationException(f'"{key}" must be {words}')
    if any(not isinstance(value, str) for value in about.get("tags", {}).values()):
        raise ValidationException('"tags" must be a mapping of texts')
    return about


def _shape(call: Call, secret: Secret, value: str | None = None, *, with_version: bool = True) -> dict[str, Any]:
    """Clients take an id apart, and only what follows the host: it has no room for the workspace's folder."""
    about = secret.content
    parts = urlsplit(call.base)
    id = f"{parts.scheme}://{parts.netloc}/secrets/{secret.name}"
    shape: dict[str, Any] = {
        "id": f"{id}/{secret.version}" if with_version else id,
        "attributes": {
            "enabled": about.get("enabled", True),
            **{key: about[key] for key in ("nbf", "exp") if key in about},
            "created": int(secret.created_at),
            "updated": int(secret.modified_at),
            "recoveryLevel": "Recoverable+Purgeable",
            "recoverableDays": 90,
        },
        "tags": about.get("tags", {}),
    }
    if "contentType" in about:
        shape["contentType"] = about["contentType"]
    if value is not None:
        shape["value"] = value
    if secret.deleted_at is not None:
        shape["recoveryId"] = id.replace("/secrets/", "/deletedsecrets/")
        shape["deletedDate"] = int(secret.deleted_at)
        shape["scheduledPurgeDate"] = int(secret.deleted_at) + _FOR_EVER
    return shape


GLOBAL_ROUTES = [("POST", "/smalt/v1/rotate-keys", rotate_keys)]

ROUTES = [
    ("GET", "/secrets", list_secrets),
    ("PUT", "/secrets/{name}", set_secret),
    ("GET", "/secrets/{name}", get_secret),
    ("PATCH", "/secrets/{name}", update_secret),
    ("DELETE", "/secrets/{name}", delete_secret),
    ("GET", "/secrets/{name}/versions", list_versions),
    ("GET", "/secrets/{name}/{version}", get_secret),
    ("PATCH", "/secrets/{name}/{version}", update_secret),
    ("GET", "/deletedsecrets", list_deleted),
    ("GET", "/deletedsecrets/{name}", get_deleted),
    ("DELETE", "/deletedsecrets/{name}", purge_secret),
    ("POST", "/deletedsecrets/{name}/recover", recover_secret),
]
