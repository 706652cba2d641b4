"""References to named things, `azureml:NAME:VERSION` and ARM ids, and URIs of data."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

PREFIX = "azureml:"
_MLFLOW = ("runs", "models", "mlflow-artifacts")


class Reference(NamedTuple):
    """A reference to a named thing; `kind` is the ARM word, such as `components`, if the text has it."""

    text: str
    kind: str | None = None
    name: str = ""
    version: str | None = None
    label: str | None = None
    registry: str | None = None
    subscription: str | None = None
    resource_group: str | None = None
    workspace: str | None = None


class DatastoreUri(NamedTuple):
    """`azureml://datastores/D/paths/P`, in the short form or with its workspace."""

    text: str
    datastore: str
    path: str
    subscription: str | None = None
    resource_group: str | None = None
    workspace: str | None = None


class JobOutputUri(NamedTuple):
    """`azureml://jobs/J/outputs/O/paths/P`"""

    text: str
    job: str
    output: str
    path: str


class RemoteUri(NamedTuple):
    """A URI with another scheme, such as https, wasbs, abfss or s3, or a URI of MLflow such as `runs:/RUN/model`."""

    text: str
    scheme: str


class LocalPath(NamedTuple):
    """A path on this machine, without `file://`."""

    text: str
    path: str


Uri = Reference | DatastoreUri | JobOutputUri | RemoteUri | LocalPath


def to_reference(name: Any) -> Any:
    """Return a reference for `NAME:VERSION` or `NAME@LABEL`, as programs name things; any other value unchanged."""
    if not isinstance(name, str) or not _BARE.fullmatch(name):
        return name
    return f"{PREFIX}{name.removesuffix(':None')}{'@latest' if name.endswith(':None') else ''}"


_BARE = re.compile(r"(?!azureml:|file:|https?:)[\w.-]+(:[\w.-]+|@[\w.-]+)")


def is_reference(text: str) -> bool:
    """Return True if the text refers to a named thing and is not a local path."""
    return text.startswith((PREFIX, "/subscriptions/"))


def is_mlflow_uri(text: str) -> bool:
    """Return True for MLflow's own URIs, which have no host: `runs:/RUN/model`, `models:/NAME/VERSION`."""
    scheme, colon, rest = text.partition(":")
    return bool(colon) and scheme in _MLFLOW and rest.startswith("/")


def parse_reference(text: str) -> Reference | None:
    """Return the reference in an `azureml:` text or an ARM id, or None."""
    rest = text
    while rest.startswith(PREFIX) and not rest.startswith("azureml://"):
        rest = rest[len(PREFIX) :]
    if rest.startswith(("azureml://", "/")):
        return _parse_long_reference(text, rest.removeprefix("azureml:").strip("/"))
    if rest == text:
        return None
    return _parse_short_reference(text, rest)


def _parse_short_reference(text: str, rest: str) -> Reference | None:
    name, at, label = rest.partition("@")
    if not at:
        name, colon, version = rest.partition(":")
        return Reference(text, None, name, version or None) if _is_valid_name(name) and (version or not colon) else None
    return (
        Reference(text, None, name, label=label)
        if _is_valid_name(name) and _is_valid_name(label) and ":" not in name
        else None
    )


def _is_valid_name(name: str) -> bool:
    return bool(name) and not any(c in "/\\<>{}$ \t\n" for c in name)


def _parse_long_reference(text: str, rest: str) -> Reference | None:
    parts = rest.split("/")
    scope: dict[str, str] = {}
    while len(parts) >= 2 and parts[0].lower() in _SCOPES:
        scope[_SCOPES[parts[0].lower()]] = parts[1]
        parts = parts[2:]
    scope.pop("", None)
    if not scope:
        return None
    if len(parts) > 1:
        parts[1] = parts[1].removeprefix(PREFIX)  # Azure's client leaves it there for azureml:NAME@LABEL
    if len(parts) == 2 and all(parts):
        return Reference(text, parts[0], parts[1], **scope)
    if len(parts) == 4 and all(parts):
        if parts[2].lower() == "versions":
            return Reference(text, parts[0], parts[1], version=parts[3], **scope)
        if parts[2].lower() == "labels":
            return Reference(text, parts[0], parts[1], label=parts[3], **scope)
    return None


_SCOPES = {
    "subscriptions": "subscription",
    "resourcegroups": "resource_group",
    "providers": "",
    "locations": "",
    "workspaces": "workspace",
    "registries": "registry",
}


@lru_cache(maxsize=1024)  # the URI of a step's input is asked about several times
def parse_uri(text: str) -> Uri | None:
    """Return the location of data: a datastore, a job's output, an asset, a remote URI or a local path."""
    if text.startswith(PREFIX) or text.startswith("/subscriptions/"):
        return _parse_azureml_uri(text)
    scheme, colon, rest = text.partition(":")
    if is_mlflow_uri(text):
        return RemoteUri(text, scheme)
    if colon and len(scheme) > 1 and scheme.replace("+", "").isalnum():
        if scheme == "file":
            return LocalPath(text, _decode_path(rest.removeprefix("//").removeprefix("localhost")))
        if rest.startswith("//"):
            return RemoteUri(text, scheme.lower())
    return LocalPath(text, text)


def _decode_path(path: str) -> str:
    """Return the path with the escapes of a URI decoded, such as `%20`."""
    if "%" not in path:
        return path
    from urllib.parse import unquote

    return unquote(path)


def _parse_azureml_uri(text: str) -> Uri | None:
    rest = text.removeprefix("azureml:").strip("/") if text.startswith("azureml://") else ""
    head, _, tail = rest.partition("/")
    if head == "jobs":
        job, _, tail = tail.partition("/outputs/")
        output, _, path = tail.partition("/paths")
        return JobOutputUri(text, job, output.strip("/"), path.lstrip("/")) if job and output else None
    before, found, tail = f"/{rest}".partition("/datastores/")
    if found:
        datastore, _, path = tail.partition("/paths")
        scope = before.split("/")[1:]
        named = {_SCOPES.get(k.lower(), ""): v for k, v in zip(scope[::2], scope[1::2], strict=False)}
        named = {key: value for key, value in named.items() if key in DatastoreUri._fields}
        return DatastoreUri(text, datastore, path.lstrip("/"), **named) if datastore else None
    return parse_reference(text)
