"""`load_job`, `load_component` and the others: entities from files, open files, mappings or the server."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from smalt.exceptions import UserErrorException
from smalt.machine.source_lines import find_caller

Source = Any
"""A path, an open file, or the mapping that a file would hold."""


def _load_entity(
    kind: str, source: Source, relative_origin: Any = None, params_override: Sequence[Mapping[str, Any]] | None = None
) -> Any:
    from smalt.machine.source_lines import warn_at
    from smalt.yaml.loading import list_warnings

    entity = _load_source(kind, source, relative_origin, params_override)
    for warning in list_warnings(entity):
        warn_at((warning.file, warning.line), warning.message)
    return entity


def _load_source(
    kind: str, source: Source, relative_origin: Any = None, params_override: Sequence[Mapping[str, Any]] | None = None
) -> Any:
    from smalt.yaml import load, load_text
    from smalt.yaml.dumping import dump_plain

    overrides = _make_settings(params_override)
    if source is None and overrides:  # Azure's samples describe a compute by overrides alone
        source = {}
    if isinstance(source, Mapping):
        return load_text(dump_plain(dict(source)), kind, folder=_find_folder(relative_origin), overrides=overrides)
    if hasattr(source, "read"):
        name = getattr(source, "name", None)
        name = name if isinstance(name, str) else None
        folder = _find_folder(relative_origin, os.path.dirname(os.path.abspath(name)) if name else ".")
        return load_text(source.read(), kind, folder=folder, name=name or "<text>", overrides=overrides)
    if not isinstance(source, (str, os.PathLike)):
        words = f"a {kind.replace('_', ' ')} is loaded from a path, an open file or a mapping"
        raise UserErrorException(f"{words}, not from {type(source).__name__}", find_caller())
    if not os.path.isfile(source):
        what = "a folder" if os.path.isdir(source) else "not there"
        raise UserErrorException(f"the file {os.fspath(source)} is {what}; correct the path", find_caller())
    if relative_origin is not None:
        with open(source, "rb") as file:
            text = file.read()
        folder = _find_folder(relative_origin)
        return load_text(text, kind, folder=folder, name=os.fspath(source), overrides=overrides)
    return load(source, kind, overrides=overrides)


def _check_arguments(function: str, more: Mapping[str, Any], *known: str) -> None:
    from smalt.dsl.builders import check_arguments

    if more:
        check_arguments(function, more, ["source", "relative_origin", "params_override", *known])


def _make_settings(params_override: Sequence[Mapping[str, Any]] | None) -> Any:
    """Return the values that a program puts into the document, with the program's line for problems."""
    from smalt.yaml.overrides import Setting

    given = [item for override in params_override or () for item in override.items()]
    line = find_caller() if given else ("", 0)
    return [Setting(f"params_override '{name}'", name, value, line=line) for name, value in given]


def _find_folder(relative_origin: Any, otherwise: str = ".") -> str:
    if relative_origin is None:
        return otherwise
    path = os.fspath(relative_origin)
    return os.path.dirname(path) or "." if os.path.isfile(path) else path


def load_component(
    source: Source = None,
    *,
    relative_origin: Any = None,
    params_override: list[dict[str, Any]] | None = None,
    **more: Any,
) -> Any:
    """A component, which is called to make a step.

    `source` is a path, an open file, a mapping, or with `client=ml_client` the reference `azureml:NAME:VERSION`; with
    `client`, `name` and `version` in place of a source it is a registered one.
    """
    _check_arguments("load_component", more, "client", "name", "version")
    client, name, version = more.get("client"), more.get("name"), more.get("version")
    if isinstance(source, str) and source.startswith("azureml:"):
        from smalt.entities.syntax.references import parse_reference

        reference = parse_reference(source)
        if reference is None:
            raise UserErrorException(f"'{source}' is not a reference; write azureml:NAME:VERSION", find_caller())
        name, version, source = reference.name, reference.version, None
        label = reference.label
        if client is None:
            raise UserErrorException("a registered component is loaded with client=ml_client", find_caller())
        return client.components.get(name, version) if label is None else client.components.get(name, label=label)
    if source is None and client is not None and name is not None:
        return client.components.get(name, version)
    if source is None:
        words = "load_component needs a source: a path, an open file, or client, name and version"
        raise UserErrorException(words, find_caller())
    return _load_entity("component", source, relative_origin, params_override)


def _make_loader(kind: str, function: str) -> Any:
    def load(
        source: Source,
        *,
        relative_origin: Any = None,
        params_override: list[dict[str, Any]] | None = None,
        **more: Any,
    ) -> Any:
        _check_arguments(function, more)
        return _load_entity(kind, source, relative_origin, params_override)

    load.__name__ = load.__qualname__ = function
    noun = kind.replace("_", " ")
    load.__doc__ = f"The {noun} in a YAML file; `params_override` is a list of `{{'a.b': value}}` put in first."
    return load


load_job = _make_loader("job", "load_job")
load_data = _make_loader("data", "load_data")
load_environment = _make_loader("environment", "load_environment")
load_model = _make_loader("model", "load_model")
load_compute = _make_loader("compute", "load_compute")
load_datastore = _make_loader("datastore", "load_datastore")
load_workspace = _make_loader("workspace", "load_workspace")
load_registry = _make_loader("registry", "load_registry")
load_connection = _make_loader("connection", "load_connection")
load_workspace_connection = _make_loader("connection", "load_workspace_connection")
load_schedule = _make_loader("schedule", "load_schedule")
load_index = _make_loader("index", "load_index")
load_batch_deployment = _make_loader("batch_deployment", "load_batch_deployment")
load_online_endpoint = _make_loader("online_endpoint", "load_online_endpoint")
load_online_deployment = _make_loader("online_deployment", "load_online_deployment")
load_serverless_endpoint = _make_loader("serverless_endpoint", "load_serverless_endpoint")
load_marketplace_subscription = _make_loader("marketplace_subscription", "load_marketplace_subscription")
load_feature_set = _make_loader("feature_set", "load_feature_set")
load_feature_store = _make_loader("feature_store", "load_feature_store")
load_feature_store_entity = _make_loader("feature_store_entity", "load_feature_store_entity")
load_model_package = _make_loader("model_package", "load_model_package")


def load_batch_endpoint(
    source: Source,
    relative_origin: str | None = None,
    *,
    params_override: list[dict[str, Any]] | None = None,
    **more: Any,
) -> Any:
    """The batch endpoint in a YAML file; unlike the others it takes `relative_origin` without its name."""
    _check_arguments("load_batch_endpoint", more)
    return _load_entity("batch_endpoint", source, relative_origin, params_override)


def load_capability_host(source: Source, **_: Any) -> Any:
    raise UserErrorException("smalt has no capability hosts, which are of the cloud's agent service", find_caller())


def load_deployment_template(source: Source, **_: Any) -> Any:
    raise UserErrorException("smalt has no deployment templates, which are of the cloud's registries", find_caller())
