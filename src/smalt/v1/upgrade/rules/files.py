"""Files that a program copies to and from datastores: azureml-fsspec, the package that v2 has for it."""

from __future__ import annotations

import posixpath

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.rules.datastores import ML, guess_type, write_path, write_uri
from smalt.v1.upgrade.texts import make_call, quote
from smalt.v1.upgrade.values import UNKNOWN, Value

_WEB = ("http://", "https://", "wasb://", "wasbs://", "abfss://", "adl://")
_MNIST = "https://azureopendatastorage.blob.core.windows.net/mnist/"
_MNIST_FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}


def write_file_system(call: Call, uri: str) -> str:
    """Return the code of a file system; a short URI needs the client to say its workspace."""
    function = call.use("azureml.fsspec", "AzureMachineLearningFileSystem")
    return f"{function}({uri}, ml_client={call.client})"


def _write_conflict(call: Call, name: str = "overwrite") -> tuple[str, str]:
    """Return the argument for files that exist: v1 skips them, unless it is to overwrite them."""
    given = call.get(name)
    if given is None or given.constant is False:
        return "overwrite", '"APPEND"'
    replaced = '"MERGE_WITH_OVERWRITE"'
    return "overwrite", replaced if given.constant is True else f'{replaced} if {given.code} else "APPEND"'


def _finish_upload(call: Call, lines: list[str], target: Value | None) -> Value:
    """Return the upload as a statement; where the program keeps the result, the address of the folder."""
    if call.rewriter.is_whole(call.node):
        return call.make(f"\n{call.indent}".join(lines))
    if not call.target:
        raise call.refuse("give the uploaded data a variable of its own")
    call.rewriter.before += lines
    uri = write_uri(call.object, write_path(target))
    return call.make(uri, "DataReference", uri=uri, type="uri_folder", name=None, mode="")


@rule("Datastore.upload", takes="src_dir target_path overwrite show_progress")
def _upload_folder(call: Call) -> Value:
    target = call.get("target_path")
    arguments = [("", call.require("src_dir").code), ("", target.code if target is not None else '""')]
    files = write_file_system(call, write_uri(call.object, ""))
    arguments += [("recursive", "True"), _write_conflict(call)]
    return _finish_upload(call, [make_call(f"{files}.upload", arguments, call.indent)], target)


@rule("Datastore.upload_files", takes="files relative_root target_path overwrite show_progress")
def _upload_files(call: Call) -> Value:
    listed, root, target = call.require("files"), call.get("relative_root"), call.get("target_path")
    single = listed.items[0] if listed.items is not None and len(listed.items) == 1 else None
    file = single.code if single is not None else "file"
    folders = {posixpath.dirname(one.constant) for one in listed.items or () if one.is_text}
    if root is None and len(folders) > 1:
        raise call.refuse("the files are in several folders; upload each folder, or give a relative_root")
    place = target.code if target is not None else '""'
    if root is not None and not (single is not None and single.is_text and root.constant == "." and folders == {""}):
        call.use("os", "")
        place = f"os.path.join({place}, os.path.dirname(os.path.relpath({file}, {root.code})))"
    files = write_file_system(call, write_uri(call.object, ""))
    line = make_call(f"{files}.upload", [("", file), ("", place), _write_conflict(call)], call.indent)
    if single is not None:
        return _finish_upload(call, [line], target)
    inner = line.replace("\n", "\n    ")
    return _finish_upload(call, [f"for file in {listed.code}:", f"    {inner}"], target)


@rule("Datastore.download", takes="target_path prefix overwrite show_progress")
def _download_folder(call: Call) -> Value:
    target, prefix = call.require("target_path"), call.get("prefix")
    if not call.rewriter.is_whole(call.node):
        raise call.refuse("v2's download returns nothing; count the files yourself")
    place = target.code
    if prefix is not None:
        call.use("os", "")
        place = f"os.path.join({target.code}, {prefix.code})"
    arguments = [("", prefix.code if prefix is not None else '""'), ("", place), ("recursive", "True")]
    files = write_file_system(call, write_uri(call.object, ""))
    return call.make(make_call(f"{files}.download", [*arguments, _write_conflict(call)], call.indent))


@rule(
    "Dataset.File.upload_directory", "FileDatasetFactory.upload_directory",
    takes="src_dir target pattern overwrite show_progress",
)  # fmt: skip
def _upload_dataset(call: Call) -> Value:
    call.check_no_others("src_dir", "target", "overwrite", "show_progress")
    target = call.require("target")
    if target.items is not None and len(target.items) == 2 and target.items[0].kind == "Datastore":
        store, path = target.items
    elif target.kind == "Datastore":
        store, path = target, Value('""', constant="")
    else:
        raise call.refuse("the text does not tell its target", spreads=True)
    files = write_file_system(call, write_uri(store, ""))
    arguments = [("", call.require("src_dir").code), ("", path.code), ("recursive", "True"), _write_conflict(call)]
    call.rewriter.before.append(make_call(f"{files}.upload", arguments, call.indent))
    uri = write_uri(store, write_path(path))
    return call.build(call.use(ML, "Input"), [("type", '"uri_folder"'), ("path", uri)], "Dataset", type="uri_folder")


# What is in a dataset


def _name_uri(call: Call) -> str:
    """Return the code of the address of a dataset's data."""
    held = call.object
    if held.kind == "RegisteredDataset":
        is_plain = held.code.replace(".", "").isidentifier()  # a text in it would end the f-string
        return f'f"azureml:/{{{held.code}.id}}"' if is_plain else f'"azureml:/" + {held.code}.id'
    if not held.variable:
        raise call.refuse("give the dataset a variable of its own first")
    return f"{held.code}.path"


def is_web(call: Call) -> bool:
    """Return True for data at an address of the web, which can be read but not listed."""
    path = call.object.facts.get("place", UNKNOWN)
    return isinstance(path, str) and path.startswith(_WEB)


@rule("Dataset.to_path", "RegisteredDataset.to_path", takes="")
def _list_paths(call: Call) -> Value:
    uri = _name_uri(call)
    if is_web(call):
        return call.make(f"[{uri}]", differs="the address: the web cannot be listed")
    code = f"{write_file_system(call, uri)}.ls()"
    return call.make(code, differs="paths from the root of the datastore, of this folder only")


@rule("Dataset.download", "RegisteredDataset.download", takes="target_path overwrite ignore_not_found")
def _download_dataset(call: Call) -> Value:
    uri, target = _name_uri(call), call.get("target_path")
    folder = target.code if target is not None else '"."'
    if not call.rewriter.is_whole(call.node):
        raise call.refuse("v2's download returns nothing; list the files of the folder yourself")
    names = call.object.facts.get("files")
    if names:
        call.use("os", "")
        call.use("urllib.request", "")
        listed = ", ".join(quote(one) for one in names)
        copy = f"urllib.request.urlretrieve({uri} + name, os.path.join({folder}, name))"
        return call.make(f"for name in [{listed}]:\n{call.indent}    {copy}")
    if is_web(call):
        call.use("os", "")
        call.use("urllib.request", "")
        target_file = f"os.path.join({folder}, os.path.basename({uri}))"
        return call.make(f"urllib.request.urlretrieve({uri}, {target_file})")
    is_file = call.object.facts.get("type") == "uri_file"
    rest = [] if is_file else [("recursive", "True")]
    arguments = [("", uri), ("", folder), *rest, _write_conflict(call)]
    return call.make(make_call(f"{write_file_system(call, uri)}.download", arguments, call.indent))


@rule("MNIST.get_file_dataset", takes="dataset_filter enable_telemetry")
def _name_digits(call: Call) -> Value:
    part = call.get("dataset_filter")
    names = [
        one for key, found in _MNIST_FILES.items() if part is None or part.constant in (key, "all") for one in found
    ]
    if not names:
        raise call.refuse("the text does not tell which part of the data this is")
    return call.build(
        call.use(ML, "Input"), [("type", '"uri_folder"'), ("path", quote(_MNIST))], "Dataset", type="uri_folder",
        place=_MNIST, files=names, differs="the folder of Azure's public storage that has the files",
    )  # fmt: skip


@rule("Diabetes.get_tabular_dataset", takes="enable_telemetry")
def _name_patients(call: Call) -> Value:
    code = f"{call.use('sklearn.datasets', 'load_diabetes')}(as_frame=True, scaled=False).frame"
    renamed = f'{code}.rename(columns={{"target": "Y"}}).rename(columns=str.upper)'
    return call.make(renamed, "Frame", differs="the same rows, from scikit-learn's copy")


@rule("Frame.to_pandas_dataframe", takes="on_error out_of_range_datetime")
def _keep_frame(call: Call) -> Value:
    return Value(call.object.code, changed=True, node=call.node)


def describe_place(path: Value) -> dict[str, object]:
    """Return the facts of an address that the text tells."""
    constant = path.constant
    if isinstance(constant, list) and len(constant) == 1:
        constant = constant[0]
    return {"place": constant, "type": guess_type(constant)} if isinstance(constant, str) else {}
