"""The secrets of a workspace by the protocol of Azure's Key Vault.

Azure's clients reach them below `/vaults/<workspace folder>`, smalt's below `/smalt/v1{WS}`. A job's own token may
read them (`auth/job_permissions.py`).
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from smalt.exceptions import ValidationException
from smalt.service.api.pagination import build_page
from smalt.service.api.request import ApiRequest, ApiResponse
from smalt.service.records.secrets import Secret
from smalt.service.secrets import key_rotation
from smalt.service.secrets.identity import ROUTE
from smalt.service.secrets.vault import Vault

_PATH = re.compile(ROUTE + r"/(?P<folder>[^/]+)(?P<rest>/.+?)/?")
_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")
_ATTRIBUTES = ("enabled", "nbf", "exp")
_FOR_EVER = 90 * 86400
"""Clients are told when a deleted secret goes by itself; here it does not."""


def split_path(path: str) -> tuple[str, str] | None:
    """Return the workspace's folder and the rest of the path; None for any other path."""
    found = _PATH.fullmatch(path)
    return (found["folder"], found["rest"]) if found else None


async def set_secret(request: ApiRequest) -> dict[str, Any]:
    body, name = await request.read_object(), _get_secret_name(request)
    if not isinstance(body.get("value"), str):
        raise ValidationException('"value" must be a text')
    return _render_secret(
        request,
        _get_vault(request).set_secret(
            request.workspace, name, body["value"], _read_attributes(body), request.principal
        ),
        body["value"],
    )


async def get_secret(request: ApiRequest) -> dict[str, Any]:
    vault = _get_vault(request)
    found = vault.get_secret(request.workspace, _get_secret_name(request), request.path_params.get("version", ""))
    return _render_secret(request, found, vault.get_value(found))


async def update_secret(request: ApiRequest) -> dict[str, Any]:
    vault = _get_vault(request)
    found = vault.get_secret(request.workspace, _get_secret_name(request), request.path_params.get("version", ""))
    return _render_secret(
        request, vault.update_secret(request.workspace, found, _read_attributes(await request.read_object()))
    )


async def list_secrets(request: ApiRequest) -> dict[str, Any]:
    """List the newest version of each secret, without the values."""
    return build_page(
        request,
        _get_vault(request).list_newest(request.workspace),
        lambda one: _render_secret(request, one, with_version=False),
    )


async def list_versions(request: ApiRequest) -> dict[str, Any]:
    return build_page(
        request,
        _get_vault(request).list_versions(request.workspace, _get_secret_name(request)),
        lambda one: _render_secret(request, one),
    )


async def delete_secret(request: ApiRequest) -> dict[str, Any]:
    """Delete all versions of a secret; they can be recovered until they are purged."""
    return _render_secret(request, _get_vault(request).delete_secret(request.workspace, _get_secret_name(request)))


async def list_deleted_secrets(request: ApiRequest) -> dict[str, Any]:
    return build_page(
        request,
        _get_vault(request).list_deleted(request.workspace),
        lambda one: _render_secret(request, one, with_version=False),
    )


async def get_deleted_secret(request: ApiRequest) -> dict[str, Any]:
    return _render_secret(request, _get_vault(request).get_deleted(request.workspace, _get_secret_name(request)))


async def purge_secret(request: ApiRequest) -> ApiResponse:
    _get_vault(request).purge_secret(request.workspace, _get_secret_name(request))
    return ApiResponse({}, 204)


async def recover_secret(request: ApiRequest) -> dict[str, Any]:
    return _render_secret(request, _get_vault(request).recover_secret(request.workspace, _get_secret_name(request)))


async def rotate_keys(request: ApiRequest) -> dict[str, Any]:
    """Encrypt everything that the home has encrypted with new keys."""
    return {"encrypted": key_rotation.rotate_keys(request.server.home, request.server.db)}


def _get_vault(request: ApiRequest) -> Vault:
    vault: Vault = request.server.engine.context.vault
    return vault


def _get_secret_name(request: ApiRequest) -> str:
    name = request.get_name()
    if not _NAME.fullmatch(name):
        raise ValidationException(
            f"'{name[:130]}' cannot be the name of a secret; use letters, digits and '-', at most 127 (as in Key Vault)"
        )
    return name


def _read_attributes(body: dict[str, Any]) -> dict[str, Any]:
    """Return the stored or changed attributes of a secret from the request's body."""
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


def _render_secret(
    request: ApiRequest, secret: Secret, value: str | None = None, *, with_version: bool = True
) -> dict[str, Any]:
    """Return the REST body of a secret.

    Clients split its id after the host, so the id cannot contain the workspace's folder.
    """
    about = secret.content
    parts = urlsplit(request.server_url)
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
    ("GET", "/deletedsecrets", list_deleted_secrets),
    ("GET", "/deletedsecrets/{name}", get_deleted_secret),
    ("DELETE", "/deletedsecrets/{name}", purge_secret),
    ("POST", "/deletedsecrets/{name}/recover", recover_secret),
]
