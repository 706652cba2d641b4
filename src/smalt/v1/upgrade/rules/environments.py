"""Environments, conda dependencies and run configurations."""

from __future__ import annotations

from typing import Any

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.texts import make_call, quote
from smalt.v1.upgrade.values import Value

IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04"
"""v1's DEFAULT_CPU_IMAGE."""
GPU_IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-cuda11.8-cudnn8-ubuntu20.04"
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


@rule("DEFAULT_CPU_IMAGE", "DEFAULT_GPU_IMAGE")
def _name_default_image(call: Call) -> Value:
    image = IMAGE if "CPU" in call.name else GPU_IMAGE
    value = call.make(quote(image))
    value.constant = image
    return value


# Conda


def _list_texts(value: Value | None) -> list[str] | None:
    """Return the packages of a list as code; None if the text does not tell them."""
    if value is None:
        return []
    if value.items is not None:
        return [item.code for item in value.items]
    if isinstance(value.constant, list):
        return [quote(str(one)) for one in value.constant]
    return None


def _replace_sdk(packages: list[str]) -> list[str]:
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
    pip = _replace_sdk([*pip, *later.get("added pip", []), '"azureml-defaults"'])
    value = call.make(write_conda(python, conda, pip, call.indent), "CondaDependencies", **facts)
    return value


@rule("CondaDependencies.create", takes="pip_indexurl pip_packages conda_packages python_version pin_sdk_version")
def _create_conda(call: Call) -> Value:
    call.check_no_others("pip_packages", "conda_packages", "python_version", "pin_sdk_version")
    pip, conda = _list_texts(call.get("pip_packages")), _list_texts(call.get("conda_packages"))
    if pip is None or conda is None:
        raise call.refuse("the text does not tell its packages", spreads=True)
    python = call.get("python_version")
    for name in ("pip_packages", "conda_packages", "python_version"):
        call.rewriter.consume(call.get(name))
    return _finish_conda(call, python.code if python is not None else None, conda, pip)


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


# Environments


@rule("Environment", takes="name _skip_defaults")
def _make_environment(call: Call) -> Value:
    name = call.require("name")
    arguments = [("name", name.code)]
    later = call.recall()
    if not later.get("has image"):
        arguments.append(("image", quote(IMAGE)))
    packages = later.get("packages")
    if packages is not None:
        pip = _replace_sdk(['"azureml-defaults"', *packages["added pip"]])
        conda = write_conda(None, packages["added conda"], pip, call.indent + "    ")
        arguments.append(("conda_file", conda))
    return call.build(call.entity("Environment"), arguments, "Environment", own=True)


@rule("Environment.from_conda_specification", takes="name file_path")
def _make_conda_environment(call: Call) -> Value:
    arguments = [
        ("image", quote(IMAGE)),
        ("conda_file", call.require("file_path").code),
        ("name", call.require("name").code),
    ]
    return call.build(call.entity("Environment"), arguments, "Environment")


@rule("Environment.from_pip_requirements", takes="name file_path pip_version")
def _make_pip_environment(call: Call) -> Value:
    path = call.require("file_path").code
    lines = f"{call.use('pathlib', 'Path')}({path}).read_text().splitlines()"
    conda = f'{{"dependencies": ["python={PYTHON}", "pip", {{"pip": {lines}}}]}}'
    arguments = [("name", call.require("name").code), ("image", quote(IMAGE)), ("conda_file", conda)]
    return call.build(call.entity("Environment"), arguments, "Environment")


@rule("Environment.from_docker_image", takes="name image container_registry conda_specification pip_requirements")
def _make_image_environment(call: Call) -> Value:
    call.check_no_others("name", "image", "conda_specification")
    conda = call.get("conda_specification")
    arguments = [("name", call.require("name").code), ("image", call.require("image").code)]
    arguments += [("conda_file", conda.code)] if conda is not None else []
    return call.build(call.entity("Environment"), arguments, "Environment")


@rule("Environment.from_dockerfile", takes="name dockerfile conda_specification pip_requirements")
def _make_dockerfile_environment(call: Call) -> Value:
    call.check_no_others("name", "dockerfile", "conda_specification")
    file, conda = call.require("dockerfile"), call.get("conda_specification")
    if not file.is_text or "\n" in file.constant:
        raise call.refuse(
            "a Dockerfile given as text must be a file in a folder, for BuildContext(path=…)", spreads=True
        )
    folder, _, name = file.constant.rpartition("/")
    build = make_call(call.entity("BuildContext"), [("path", quote(folder or ".")), ("dockerfile_path", quote(name))])
    arguments = [("name", call.require("name").code), ("build", build)]
    arguments += [("conda_file", conda.code)] if conda is not None else []
    return call.build(call.entity("Environment"), arguments, "Environment")


@rule("Environment.get", takes="workspace name version label")
def _get_environment(call: Call) -> Value:
    version, label = call.get("version"), call.get("label")
    arguments = [("name", call.require("name").code)]
    if version is not None:
        arguments.append(("version", version.code))
    else:
        arguments.append(("label", label.code if label is not None else '"latest"'))
    return call.build(f"{call.client}.environments.get", arguments, "Environment")


@rule("Environment.list", takes="workspace")
def _list_environments(call: Call) -> Value:
    return call.make(f"{{one.name: one for one in {call.client}.environments.list()}}", "EnvironmentDict")


@rule("Environment.register", takes="workspace")
def _register_environment(call: Call) -> Value:
    return call.make(f"{call.client}.environments.create_or_update({call.object.code})", "Environment")


@rule("Environment.clone", takes="new_name")
def _clone_environment(call: Call) -> Value:
    code = call.object.code
    arguments = [
        ("name", call.require("new_name").code),
        ("image", f"{code}.image"),
        ("conda_file", f"{code}.conda_file"),
    ]
    return call.build(call.entity("Environment"), arguments, "Environment")


@rule("Environment.python", "Environment.docker", "Environment.spark")
def _open_section(call: Call) -> Value:
    section = call.name.split(".")[1]
    return Value(
        call.object.code,
        f"Environment.{section}",
        {"environment": call.object},
        variable=call.object.variable,
        node=call.node,
    )


@rule("Environment.python.conda_dependencies")
def _open_conda(call: Call) -> Value:
    """Return the packages that an environment of its own begins with."""
    environment: Value = call.object.facts["environment"]
    if not environment.facts.get("own") or environment.facts.get("has conda"):
        raise call.refuse("write it as environment.conda_file")
    packages = environment.facts.setdefault("packages", {"added pip": [], "added conda": []})
    packages["block"] = environment.facts.get("block")
    return Value(environment.code, "CondaDependencies", packages, variable=environment.variable, node=call.node)


@rule("Environment.python.conda_dependencies=")
def _set_conda(call: Call) -> Value:
    environment = call.object.facts["environment"]
    environment.facts["has conda"] = True
    return call.make(f"{environment.code}.conda_file = {call.arguments['value'].code}")


@rule("Environment.docker.base_image=")
def _set_image(call: Call) -> Value:
    environment, image = call.object.facts["environment"], call.arguments["value"]
    if image.constant is None:
        raise call.refuse(
            "an image of None means a Dockerfile or the user's own Python, which v2 says by build or by azureml:host",
            spreads=True,
        )
    if image.constant == IMAGE and not environment.facts.get("has image"):
        return call.make("")
    environment.facts["has image"] = call.rewriter.is_straight(environment)
    return call.make(f"{environment.code}.image = {image.code}")


@rule(
    "Environment.docker.enabled=",
    "Environment.spark.precache_packages=",
    "Environment.inferencing_stack_version=",
    "Environment.docker.gpu_support=",
    "Environment.docker.shared_volumes=",
)
def _drop_setting(call: Call) -> Value:
    return call.make("")


@rule("Environment.python.user_managed_dependencies=")
def _set_user_managed(call: Call) -> Value:
    if call.arguments["value"].constant is False:
        return call.make("")
    if call.arguments["value"].constant is True:
        return call.make("", differs="v2 has no such flag: without a conda_file, the packages are those of the image")
    raise call.refuse("v2 has no such flag: give the environment a conda_file, or none", spreads=True)


# Run configurations: v2 has none; what is left of one is its environment


@rule(
    "RunConfiguration",
    takes="script arguments framework communicator conda_dependencies _history_enabled _path _name command",
)
def _make_run_configuration(call: Call) -> Value:
    call.check_no_others("framework", "communicator", "conda_dependencies")
    conda, framework = call.get("conda_dependencies"), call.get("framework")
    if framework is not None and framework.constant not in ("python", "Python"):
        raise call.refuse(
            f"a run configuration for {framework.code} is a job of another type in v2: spark(…)", spreads=True
        )
    later = call.recall()
    bound = "environment" if "environment" not in call.rewriter.imports.defined else f"{call.target}_environment"
    facts: dict[str, Any] = {"bound": bound}
    if conda is None and not later.get("own environment"):
        facts["dropped"] = True
        return call.make(call.target, "RunConfiguration", **facts)
    arguments = [("image", quote(IMAGE))] if not later.get("has image") else [("name", quote(bound.replace("_", "-")))]
    arguments += [("conda_file", conda.code)] if conda is not None else []
    call.rewriter.consume(conda) if conda is not None and not conda.variable else None
    facts["environment"] = Value(bound, "Environment", {}, variable=call.target)
    return call.build(call.entity("Environment"), arguments, "RunConfiguration", **facts)


@rule("RunConfiguration.environment")
def _open_environment(call: Call) -> Value:
    facts = call.object.facts
    facts["own environment"] = True
    known = facts.get("environment")
    code = known.code if known is not None else call.object.code
    shared = (
        known.facts
        if known is not None and known.kind == "Environment" and known.variable != call.object.variable
        else facts
    )
    return Value(code, "Environment", shared, variable=call.object.variable, node=call.node)


@rule("RunConfiguration.environment=")
def _set_environment(call: Call) -> Value:
    if not call.rewriter.is_straight(call.object):
        raise call.refuse("which environment it gets depends on a condition", spreads=True)
    call.object.facts["environment"] = call.arguments["value"]
    call.rewriter.consume(call.object)
    return call.make("")


@rule("RunConfiguration.target=")
def _set_target(call: Call) -> Value:
    if not call.rewriter.is_straight(call.object):
        raise call.refuse("which compute it gets depends on a condition", spreads=True)
    call.object.facts["compute"] = call.arguments["value"]
    return call.make("")


@rule("RunConfiguration.node_count=")
def _set_node_count(call: Call) -> Value:
    call.object.facts["node_count"] = call.arguments["value"]
    return call.make("")


@rule("RunConfiguration.docker")
def _open_docker(call: Call) -> Value:
    return Value(call.object.code, "RunConfiguration.docker", {}, variable=call.object.variable, node=call.node)


@rule("RunConfiguration.docker.use_docker=", "RunConfiguration.docker.shm_size=", "RunConfiguration.framework=")
def _drop_run_setting(call: Call) -> Value:
    if call.name.endswith("framework") and str(call.arguments["value"].constant).lower() != "python":
        raise call.refuse("a run configuration for another framework is a job of another type in v2", spreads=True)
    return call.make("")


@rule("RunConfiguration.docker=")
def _set_docker(call: Call) -> Value:
    return call.make("")


@rule("DockerConfiguration", takes="use_docker shared_volumes arguments shm_size")
def _make_docker(call: Call) -> Value:
    call.check_no_others("use_docker", "shared_volumes", why="is docker_args or shm_size of command(…) in v2")
    return call.make("", "DockerConfiguration", dropped=True)
