"""Environments and run configurations."""

from __future__ import annotations

from typing import Any

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.rules.conda import PYTHON, replace_sdk, write_conda
from smalt.v1.upgrade.texts import make_call, quote
from smalt.v1.upgrade.values import Value

IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04"
"""v1's DEFAULT_CPU_IMAGE."""
GPU_IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-cuda11.8-cudnn8-ubuntu20.04"


@rule("DEFAULT_CPU_IMAGE", "DEFAULT_GPU_IMAGE")
def _name_default_image(call: Call) -> Value:
    image = IMAGE if "CPU" in call.name else GPU_IMAGE
    value = call.make(quote(image))
    value.constant = image
    return value


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
        pip = replace_sdk(['"azureml-defaults"', *packages["added pip"]])
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
    build = _write_build(call, file)
    arguments = [("name", call.require("name").code), ("build", build)]
    arguments += [("conda_file", conda.code)] if conda is not None else []
    return call.build(call.entity("Environment"), arguments, "Environment")


def _write_build(call: Call, file: Value) -> str:
    """Return the build context of a Dockerfile that v1 has as a path or as text."""
    if file.is_text and "\n" in file.constant:
        name = call.require("name")
        folder = name.constant if name.is_text else "docker"
        path = f"{call.use('pathlib', 'Path')}({quote(folder)})"
        call.rewriter.before += [f"{path}.mkdir(exist_ok=True)", f'({path} / "Dockerfile").write_text({file.code})']
        return make_call(call.entity("BuildContext"), [("path", quote(folder))])
    if file.is_text:
        folder, _, inner = file.constant.rpartition("/")
        parts = [("path", quote(folder or ".")), ("dockerfile_path", quote(inner))]
        return make_call(call.entity("BuildContext"), parts)
    call.use("os", "")
    call.note("its dockerfile is taken for a path; if it is text, write it to a file")
    parts = [("path", f"os.path.dirname({file.code})"), ("dockerfile_path", f"os.path.basename({file.code})")]
    return make_call(call.entity("BuildContext"), parts, call.indent + "    ")


@rule("Environment.build", "Environment.build_local", takes="workspace image_build_compute platform useDocker **")
def _build_environment(call: Call) -> Value:
    code = f"{call.client}.environments.create_or_update({call.object.code})"
    return call.make(code, "EnvironmentBuild", differs="v2 builds an image when a job first needs it")


@rule("EnvironmentBuild.wait_for_completion", takes="show_output")
def _wait_for_build(call: Call) -> Value:
    return call.make("", dropped=True)


@rule("Environment.docker.base_image")
def _read_image(call: Call) -> Value:
    return call.make(f"{call.object.code}.image")


@rule("Environment.name", "Environment.version")
def _read_environment_field(call: Call) -> Value:
    return call.make(f"{call.object.code}.{call.name.split('.')[1]}")


@rule("EnvironmentDict[]")
def _get_listed_environment(call: Call) -> Value:
    key, base = call.arguments["key"].code, call.object.facts.get("base")
    if call.object.variable or base is None:
        return Value(f"{call.object.code}[{key}]", "Environment", changed=call.object.changed, node=call.node)
    return Value(f'{base.code}.environments.get({key}, label="latest")', "Environment", changed=True, node=call.node)


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
    communicator = call.get("communicator")
    if communicator is not None and communicator.constant != "None":
        text = f"its communicator {communicator.code} is the job's distribution in v2: command(distribution=…)"
        raise call.refuse(text, spreads=True)
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
