"""Datastores, and what names a place in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.texts import make_call, quote
from smalt.v1.upgrade.values import UNKNOWN, Value

ML = "azure.ai.ml"
MODES = {"mount": "", "download": "download", "direct": "direct", "upload": "upload"}
"""v2's mode by v1's; a mount is the default."""


@rule("Datastore", "Datastore.get", takes="workspace name datastore_name")
def _get_datastore(call: Call) -> Value:
    name = call.get("name") or call.get("datastore_name")
    if name is None:
        return call.make(f"{call.client}.datastores.get_default()", "Datastore")
    return call.make(f"{call.client}.datastores.get({name.code})", "Datastore", name=name.constant)


@rule("Datastore.get_default", takes="workspace")
def _get_default(call: Call) -> Value:
    return call.make(f"{call.client}.datastores.get_default()", "Datastore")


@rule("Datastore.name", "Datastore.container_name", "Datastore.account_name")
def _read_datastore_field(call: Call) -> Value:
    return call.make(f"{call.object.code}.{call.name.split('.')[1]}")


@rule("Datastore.datastore_type")
def _read_datastore_type(call: Call) -> Value:
    return call.make(f"{call.object.code}.type", differs="v2 writes types as 'AzureBlob'")


@rule(
    "Datastore.register_azure_blob_container",
    takes="workspace datastore_name container_name account_name sas_token account_key protocol "
    "endpoint overwrite create_if_not_exists skip_validation blob_cache_timeout "
    "grant_workspace_access subscription_id resource_group",
)
def _register_datastore(call: Call) -> Value:
    call.check_no_others(
        "workspace", "datastore_name", "container_name", "account_name", "sas_token", "account_key", "overwrite",
        "create_if_not_exists", "skip_validation", "protocol", "endpoint",
    )  # fmt: skip
    arguments = [("name", call.require("datastore_name").code)]
    arguments += [(key, call.require(key).code) for key in ("account_name", "container_name")]
    arguments += [(key, call.arguments[key].code) for key in ("protocol", "endpoint") if call.get(key) is not None]
    for key, name in (("sas_token", "SasTokenConfiguration"), ("account_key", "AccountKeyConfiguration")):
        if call.get(key) is not None:
            arguments.append(("credentials", make_call(call.entity(name), [(key, call.arguments[key].code)])))
    datastore = make_call(call.entity("AzureBlobDatastore"), arguments, call.indent, call.prefix + 40)
    return call.make(f"{call.client}.datastores.create_or_update({datastore})", "Datastore")


@rule(
    "Datastore.register_azure_file_share",
    takes="workspace datastore_name file_share_name account_name sas_token account_key protocol endpoint overwrite "
    "create_if_not_exists skip_validation",
)
def _register_share(call: Call) -> Value:
    arguments = [("name", call.require("datastore_name").code)]
    arguments += [(key, call.require(key).code) for key in ("account_name", "file_share_name")]
    arguments += _choose_arguments(call, {"protocol": "protocol", "endpoint": "endpoint"})
    for key, name in (("sas_token", "SasTokenConfiguration"), ("account_key", "AccountKeyConfiguration")):
        if call.get(key) is not None:
            arguments.append(("credentials", make_call(call.entity(name), [(key, call.arguments[key].code)])))
    return _create_datastore(call, "AzureFileDatastore", arguments)


@rule(
    "Datastore.register_azure_data_lake_gen2",
    takes="workspace datastore_name filesystem account_name tenant_id client_id client_secret resource_url "
    "authority_url protocol endpoint overwrite subscription_id resource_group grant_workspace_access",
)
def _register_lake(call: Call) -> Value:
    arguments = [("name", call.require("datastore_name").code)]
    arguments += [(key, call.require(key).code) for key in ("account_name", "filesystem")]
    arguments += _choose_arguments(call, {"protocol": "protocol", "endpoint": "endpoint"})
    return _create_datastore(call, "AzureDataLakeGen2Datastore", [*arguments, *_write_principal(call)])


@rule(
    "Datastore.register_azure_data_lake",
    takes="workspace datastore_name store_name tenant_id client_id client_secret resource_url authority_url "
    "subscription_id resource_group overwrite grant_workspace_access",
)
def _register_first_lake(call: Call) -> Value:
    arguments = [("name", call.require("datastore_name").code), ("store_name", call.require("store_name").code)]
    return _create_datastore(call, "AzureDataLakeGen1Datastore", [*arguments, *_write_principal(call)])


def _create_datastore(call: Call, entity: str, arguments: list[tuple[str, str]]) -> Value:
    datastore = make_call(call.entity(entity), arguments, call.indent, call.prefix + 40)
    return call.make(f"{call.client}.datastores.create_or_update({datastore})", "Datastore")


def _write_principal(call: Call) -> list[tuple[str, str]]:
    names = ("tenant_id", "client_id", "client_secret", "resource_url", "authority_url")
    given = _choose_arguments(call, {name: name for name in names})
    made = make_call(call.entity("ServicePrincipalConfiguration"), given, call.indent + "    ") if given else ""
    return [("credentials", made)] if given else []


def _choose_arguments(call: Call, names: dict[str, str]) -> list[tuple[str, str]]:
    return [(new, call.arguments[old].code) for old, new in names.items() if call.get(old) is not None]


def write_uri(datastore: Value, path: str) -> str:
    """Return the code of an azureml:// URI; `path` is text without quotes, with braces doubled where it is literal."""
    name = datastore.facts.get("name", UNKNOWN)
    if isinstance(name, str) and "{" not in path:
        return quote(f"azureml://datastores/{name}/paths/{path}")
    held = datastore.code
    return f'f"azureml://datastores/{{{held}.name}}/paths/{path}"'


def write_long_uri(datastore: Value, path: str) -> str:
    """Return the code of a URI that says its workspace as well, which a table needs outside of jobs."""
    return f'f"azureml:/{{{datastore.code}.id}}/paths/{path}"'


def write_path(value: Value | None) -> str:
    """Return a path as the inner part of an f-string."""
    if value is None:
        return ""
    if value.is_text:
        return str(value.constant).lstrip("/").replace("{", "{{").replace("}", "}}")
    return "{" + value.code.replace('"', "'") + "}"


@rule("Datastore.path", takes="path data_reference_name")
def _name_path(call: Call) -> Value:
    path = call.get("path")
    uri = write_uri(call.object, write_path(path))
    kind = guess_type(path.constant if path is not None else "")
    return call.make(uri, "DataReference", uri=uri, type=kind, name=call.get("data_reference_name"), mode="")


def guess_type(path: object) -> str:
    """Return uri_file for a path that ends as a file's name does, else uri_folder."""
    if isinstance(path, list) and len(path) == 1:
        path = path[0]
    if (
        isinstance(path, str)
        and PurePosixPath(path.split("?")[0]).suffix
        and not path.endswith("/")
        and "*" not in path
    ):
        return "uri_file"
    return "uri_folder"


def _gather_files(call: Call, path: Value) -> tuple[str, str]:
    """Return one folder for several files of the web, which are fetched before."""
    uris = [one.constant for one in path.items or ()]
    is_web = all(isinstance(uri, str) and uri.startswith(("http://", "https://")) for uri in uris)
    if not is_web or not call.target or "." in call.target or any(guess_type(uri) != "uri_file" for uri in uris):
        raise call.refuse("an input of v2 has one path: bring the files into one folder", spreads=True)
    folder = quote(f"./{call.target}")
    for module in ("os", "urllib.request"):
        call.use(module, "")
    copy = f"urllib.request.urlretrieve(url, os.path.join({folder}, os.path.basename(url)))"
    call.rewriter.before += [f"os.makedirs({folder}, exist_ok=True)", f"for url in {path.code}:", f"    {copy}"]
    call.note("an input of v2 has one path: the files are fetched into one folder, which is uploaded with the job")
    return folder, "uri_folder"


@rule("DataReference.to_config", "Dataset.to_config", takes="")
def _keep_reference(call: Call) -> Value:
    return Value(call.object.code, call.object.kind, call.object.facts, changed=True, node=call.node)


@rule("DataReference.data_reference_name", "Dataset.data_reference_name")
def _read_reference_name(call: Call) -> Value:
    name = call.object.facts.get("name")
    if isinstance(name, Value):
        return Value(name.code, constant=name.constant, changed=True, node=call.node)
    if name is None:
        raise call.refuse("the text does not tell the name of this data")
    return Value(quote(str(name)), constant=name, changed=True, node=call.node)


@rule(
    "DataReference.as_mount", "DataReference.as_download", "DataReference.as_upload", takes="path_on_compute overwrite"
)
def _set_reference_mode(call: Call) -> Value:
    if call.name.endswith("as_upload"):
        raise call.refuse("v2 writes to an output: Output(type='uri_folder', path=…, mode='upload')", spreads=True)
    mode = [("mode", '"download"')] if call.name.endswith("as_download") else []
    facts, kind = call.object.facts, call.object.facts["type"]
    code = make_call(call.use(ML, "Input"), [("type", quote(kind)), ("path", call.object.code), *mode])
    name = facts.get("name")
    return call.make(code, "Dataset", type=kind, name=name.constant if isinstance(name, Value) else name)


@rule("DataReference", takes="datastore data_reference_name path_on_datastore mode path_on_compute overwrite")
def _make_reference(call: Call) -> Value:
    call.check_no_others("datastore", "data_reference_name", "path_on_datastore", "mode", "overwrite")
    path = call.get("path_on_datastore")
    uri = write_uri(call.require("datastore"), write_path(path))
    return _make_input(
        call,
        uri,
        guess_type(path.constant if path is not None else ""),
        call.get("mode"),
        call.get("data_reference_name"),
    )


@rule("DataPath", takes="datastore path_on_datastore name")
def _make_data_path(call: Call) -> Value:
    path = call.get("path_on_datastore")
    uri = write_uri(call.require("datastore"), write_path(path))
    return _make_input(call, uri, guess_type(path.constant if path is not None else ""), None, call.get("name"))


def _make_input(call: Call, uri: str, kind: str, mode: Value | None, name: Value | None) -> Value:
    arguments = [("type", quote(kind)), ("path", uri)]
    if mode is not None:
        if mode.constant not in MODES:
            raise call.refuse("the text does not tell its mode", spreads=True)
        arguments += [("mode", quote(MODES[mode.constant]))] if MODES[mode.constant] else []
    return call.build(
        call.use(ML, "Input"), arguments, "Dataset", type=kind, name=name.constant if name is not None else None
    )


@rule("DataPathComputeBinding", takes="mode path_on_compute overwrite")
def _make_binding(call: Call) -> Value:
    call.check_no_others("mode", "overwrite")
    mode = call.get("mode")
    return call.make("", "DataPathComputeBinding", mode=mode.constant if mode is not None else "mount", droppable=True)


def _shorten_pattern(path: Value) -> Value:
    """Return the folder where a path is a pattern for all files below it."""
    if path.items is not None and len(path.items) == 2 and path.items[0].kind == "Datastore" and not path.variable:
        return replace(path, items=[path.items[0], _shorten_pattern(path.items[1])])
    if not path.is_text or not path.constant.endswith("/**") or "*" in path.constant[:-3]:
        return path
    return Value(quote(path.constant[:-3]), constant=path.constant[:-3], changed=True, node=path.node)


def read_place(call: Call, path: Value, *, is_table: bool = False) -> tuple[str, str]:
    """Return the URI of a dataset's path, and its type; a table may have a pattern."""
    path = path if is_table else _shorten_pattern(path)
    text = path.items[1].constant if path.items is not None and len(path.items) == 2 else path.constant
    if is_table and isinstance(text, str) and "*" in text:
        if path.items is not None and path.items[0].kind == "Datastore":
            return write_long_uri(path.items[0], write_path(path.items[1])), "pattern"
        if path.items is None:
            return path.code, "pattern"
    if path.kind == "DataReference":
        return path.code, path.facts["type"]
    if path.items is not None:
        if len(path.items) == 2 and path.items[0].kind == "Datastore":
            if isinstance(text, str) and "*" in text:
                raise call.refuse("a path with * is an MLTable in v2, or the folder above it", spreads=True)
            write = write_long_uri if is_table else write_uri
            return write(path.items[0], write_path(path.items[1])), guess_type(path.items[1].constant)
        if len(path.items) != 1:
            return _gather_files(call, path)
        if path.variable:
            return f"{path.code}[0]", guess_type(path.constant)
        return read_place(call, path.items[0], is_table=is_table)
    if isinstance(path.constant, str) and "*" in path.constant:
        raise call.refuse("a path with * is an MLTable in v2, or the folder above it", spreads=True)
    if path.constant is UNKNOWN:
        call.note(f"uri_folder if '{path.code}' is a folder; write uri_file if it is a file")
    return path.code, guess_type(path.constant)
