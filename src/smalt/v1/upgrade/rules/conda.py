"""Conda files, which a program writes as CondaDependencies."""

from __future__ import annotations

from typing import Any

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.texts import quote
from smalt.v1.upgrade.values import Value

PYTHON = "3.8"
_SDK = (
    "azureml-defaults",
    "azureml-core",
    "azureml-sdk",
    "azureml-dataset-runtime",
    "azureml-telemetry",
    "azureml-train-core",
)
TRACKING = ("mlflow-skinny", "azureml-mlflow")


def _list_texts(value: Value | None) -> list[str]:
    """Return the packages of a list as code; one that the program builds is unpacked."""
    if value is None:
        return []
    if value.items is not None:
        return [item.code for item in value.items]
    if isinstance(value.constant, list):
        return [quote(str(one)) for one in value.constant]
    return [f"*{value.code}"]


def replace_sdk(packages: list[str]) -> list[str]:
    """Return the pip packages with MLflow in place of what only SDK v1 needed."""
    kept = [one for one in packages if one.strip("\"'").split("[")[0].split("=")[0].split(">")[0].strip() not in _SDK]
    if len(kept) == len(packages):
        return kept
    return [
        *kept,
        *(quote(one) for one in TRACKING if not any(one == other.strip("\"'").split("=")[0] for other in kept)),
    ]


def _write_python(version: str | None) -> str:
    """Return the conda line of a Python version, which is code."""
    if version is not None and not version.startswith(("'", '"')):
        return f'f"python={{{version}}}"'
    return quote("python=" + (version.strip("\"'") if version else PYTHON))


def write_conda(python: str | None, conda: list[str], pip: list[str], indent: str) -> str:
    """Return the code of a conda file as a dictionary."""
    names = [
        one.strip("\"'").replace("=", " ").split()[0]
        for one in conda
        if one.startswith(("'", '"')) and one.strip("\"'")
    ]
    first = [] if "python" in names else [_write_python(python)]
    lines = [*first, *conda, *([] if "pip" in names or not pip else ['"pip"'])]
    if pip:
        lines.append('{"pip": [' + ", ".join(pip) + "]}")
    flat = '{"dependencies": [' + ", ".join(lines) + "]}"
    if len(flat) + len(indent) < 100:
        return flat
    inner = indent + "        "
    return (
        f'{{\n{indent}    "dependencies": [\n'
        + "".join(f"{inner}{line},\n" for line in lines)
        + f"{indent}    ]\n{indent}}}"
    )


def _finish_conda(call: Call, python: str | None, conda: list[str], pip: list[str]) -> Value:
    """Return a conda file with these packages and those added later; v1 adds azureml-defaults to each."""
    later = call.recall()
    facts: dict[str, Any] = {"added pip": [], "added conda": []}
    conda = [*conda, *later.get("added conda", [])]
    pip = replace_sdk([*pip, *later.get("added pip", []), '"azureml-defaults"'])
    value = call.make(write_conda(python, conda, pip, call.indent), "CondaDependencies", **facts)
    return value


@rule("CondaDependencies.create", takes="pip_indexurl pip_packages conda_packages python_version pin_sdk_version")
def _create_conda(call: Call) -> Value:
    call.check_no_others("pip_packages", "conda_packages", "python_version", "pin_sdk_version")
    pip, conda = _list_texts(call.get("pip_packages")), _list_texts(call.get("conda_packages"))
    python = call.get("python_version")
    if any(one.startswith("*") for one in (*pip, *conda)):
        call.note("packages of SDK v1 in the program's list stay; the scripts log by MLflow in v2")
    for name in ("pip_packages", "conda_packages", "python_version"):
        call.rewriter.consume(call.get(name) if not _is_built(call.get(name)) else None)
    return _finish_conda(call, python.code if python is not None else None, conda, pip)


def _is_built(value: Value | None) -> bool:
    """Return True for a list that the program builds, which stays in it."""
    return value is not None and value.items is None and not isinstance(value.constant, list | str)


@rule("CondaDependencies", takes="conda_dependencies_file_path _underlying_structure")
def _make_conda(call: Call) -> Value:
    path = call.get("conda_dependencies_file_path")
    if path is not None:
        return call.make(path.code, "CondaDependencies", file=True)
    return _finish_conda(call, None, [], [])


@rule("CondaDependencies.add_pip_package", takes="pip_package")
def _add_pip_package(call: Call) -> Value:
    return _add_package(call, "added pip", call.require("pip_package"))


@rule("CondaDependencies.add_conda_package", takes="conda_package")
def _add_conda_package(call: Call) -> Value:
    return _add_package(call, "added conda", call.require("conda_package"))


def _add_package(call: Call, place: str, package: Value) -> Value:
    """Add to the packages where they are listed, one place above; only there are they a list."""
    facts = call.object.facts
    if place not in facts or not call.rewriter.is_straight(call.object):
        raise call.refuse("write the package into the conda file's list", spreads=True)
    facts[place].append(package.code)
    call.rewriter.consume(call.object)
    return call.make("", dropped=True)


@rule("CondaDependencies.add_tensorflow_conda_package", takes="core_type version")
def _add_tensorflow(call: Call) -> Value:
    call.check_no_others("core_type", "version")
    core, version = call.get("core_type"), call.get("version")
    name = "tensorflow-gpu" if core is not None and core.constant == "gpu" else "tensorflow"
    package = f"{name}={version.constant}" if version is not None else name
    return _add_package(call, "added conda", Value(quote(package)))


@rule("CondaDependencies.serialize_to_string", takes="")
def _serialize_conda(call: Call) -> Value:
    return call.make(_write_text(call))


@rule(
    "CondaDependencies.save_to_file",
    takes="base_directory conda_file_path",
)
def _save_conda(call: Call) -> Value:
    folder, path = call.require("base_directory"), call.get("conda_file_path")
    name = path.code if path is not None else quote("conda_dependencies.yml")
    return call.make(f"{call.use('pathlib', 'Path')}({folder.code}, {name}).write_text({_write_text(call)})")


def _write_text(call: Call) -> str:
    if call.object.facts.get("file"):
        return f"{call.use('pathlib', 'Path')}({call.object.code}).read_text()"
    call.use("yaml", "")
    return f"yaml.safe_dump({call.object.code})"
