"""Connections: `category` is their type, and `authType` that of their credentials."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from smalt.entities.schema.nested import load_noun
from smalt.entities.schema.problems import Path
from smalt.entities.schema.reader import Reader
from smalt.entities.workspaces.connection import CREDENTIALS, OTHERS, SERVICES, STORES, Connection
from smalt.wire.encoding.casing import fold_case, to_camel, to_pascal
from smalt.wire.encoding.codec import Codec, Json, Rule, Writing
from smalt.wire.encoding.envelope import HIDDEN, RESOURCE, Envelope

_CATEGORIES = {
    **{word: to_pascal(word) for word in (*OTHERS, *STORES, *SERVICES)},
    "azure_ai_services": "AIServices",
    "azure_ai_search": "CognitiveSearch",
    "azure_content_safety": "CognitiveService",
    "azure_speech_services": "CognitiveService",
    "azure_open_ai": "AzureOpenAI",
    "azure_data_lake_gen2": "ADLSGen2",
    "custom": "CustomKeys",
}
_AUTH = {
    "pat": "PAT",
    "sas": "SAS",
    "username_password": "UsernamePassword",
    "managed_identity": "ManagedIdentity",
    "service_principal": "ServicePrincipal",
    "access_key": "AccessKey",
    "api_key": "ApiKey",
    "account_key": "AccountKey",
    "aad": "AAD",
    "none": "None",
}
_SECRET_KEYS = {"sas_token": "sas", "account_key": "sas"}
"""Azure's client sends the key of a storage account as `sas` too; what is read may also have it as `key`."""
_KINDS = {"azure_content_safety": "Content Safety", "azure_speech_services": "speech"}
"""The keys of the metadata that tell apart the services of one category."""
_TARGETS = ("url", "endpoint", "azure_endpoint", "api_base")
_METADATA = {
    "account_name": "AccountName",
    "container_name": "ContainerName",
    "api_version": "ApiVersion",
    "open_ai_resource_id": "ResourceId",
    "ai_services_resource_id": "ResourceId",
}


class _Connections(Codec[Connection]):
    """Keys of special kinds of connections are a target, a key or metadata, as any other's."""

    def write(self, noun: Connection, writing: Writing) -> Json:
        body = super().write(noun, writing)
        values = {name: body.pop(to_camel(name), None) for name in (*_TARGETS, *_METADATA, "api_key")}
        target = _build_lake_target(noun) or next((values[name] for name in _TARGETS if values[name]), None)
        if target:  # it may have been changed by its own name after the connection was got
            body["target"] = target
        noted = {key: values[name] for name, key in _METADATA.items() if values[name]}
        if noun.type == "azure_open_ai":
            noted["ApiType"] = vars(noun).get("api_type") or "Azure"
        if noun.type in _KINDS:
            noted["Kind"] = _KINDS[noun.type]
        body["metadata"] = {**body.get("metadata", {}), **noted}
        credentials = noun.credentials.to_dict() if noun.credentials is not None else {}
        if values["api_key"] and credentials.get("type", "api_key") == "api_key":
            credentials = {"type": "api_key", "key": values["api_key"]}
        kind = credentials.pop("type", "aad" if noun.type in SERVICES else "none")
        if credentials:
            body["credentials"] = {to_camel(_SECRET_KEYS.get(name, name)): value for name, value in credentials.items()}
        return {**body, "authType": _AUTH.get(kind, kind)}

    def split_body(self, body: Mapping[str, Any], path: Path, reader: Reader) -> tuple[Json, Json]:
        flat = dict(body)
        noted = flat.get("metadata")
        service = fold_case(str(noted.get("Kind"))) if isinstance(noted, Mapping) else ""
        if fold_case(str(flat.get("category"))) == "cognitiveservice" and service.replace(" ", "") == "contentsafety":
            flat["category"] = "azure_content_safety"
        auth, given = flat.pop("authType", None), flat.pop("credentials", None)
        kind = next((word for word, there in _AUTH.items() if fold_case(there) == fold_case(str(auth))), None)
        if auth is not None and kind is None:
            reader.add_problem((*path, "authType"), f"unknown authType '{str(auth)[:100]}'")
        elif kind is not None and kind != "none":
            found = given if isinstance(given, Mapping) else {}
            flat["credentials"] = {"type": kind, **_read_own(kind, found)}
        return super().split_body(flat, path, reader)


def _read_own(kind: str, given: Mapping[str, Any]) -> Json:
    """The keys of the credentials' noun; other keys are kept by nobody."""
    names = list(load_noun(CREDENTIALS.table[kind])._fields)
    known = {fold_case(_SECRET_KEYS.get(name, name)): name for name in names}
    if kind == "account_key":
        known["key"] = "account_key"
    return {
        known[fold_case(key)]: value
        for key, value in given.items()
        if fold_case(str(key)) in known and value is not None
    }


def _build_lake_target(noun: Connection) -> str | None:
    """The address of a OneLake artifact, which programs give in parts."""
    if noun.artifact is None or noun.endpoint is None:
        return None
    is_id = re.match(".{7}-.{4}-.{4}-.{4}.{12}", noun.artifact.name)
    host, name = noun.endpoint.removeprefix("https://"), noun.artifact.name.removesuffix(".Lakehouse")
    return f"https://{host}/{noun.one_lake_workspace_name}/{name}{'' if is_id else '.Lakehouse'}"


def _read_category(value: Any, path: Path, reader: Reader) -> Any:
    words = {fold_case(there): word for word, there in _CATEGORIES.items()}
    return words.get(fold_case(value), value) if isinstance(value, str) else value


CONNECTION = _Connections(
    Connection,
    {
        **RESOURCE,
        "type": Rule("category", lambda value, writing: _CATEGORIES.get(value, value), _read_category),
        "credentials": HIDDEN,
        "is_shared": Rule("isSharedToAll"),
    },
)
RESOURCES = Envelope(CONNECTION)
