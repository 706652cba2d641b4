"""A job that read `azureml:d@latest` has read one version, whoever asks later."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import Desk

PIPELINE = """
    type: pipeline
    display_name: {name}
    inputs: {{d: {{type: uri_folder, path: "azureml:{name}@latest"}}}}
    jobs:
      a:
        command: cat ${{{{inputs.e}}}}/f.txt > ${{{{outputs.o}}}}/x
        environment: azureml:host
        inputs: {{e: "${{{{parent.inputs.d}}}}"}}
        outputs: {{o: {{type: uri_folder}}}}
      b:
        type: command
        component: azureml:{name}-leaf@latest
        inputs: {{e: "${{{{parent.inputs.d}}}}", p: "${{{{parent.jobs.a.outputs.o}}}}"}}
"""

LEAF = """
    name: {name}-leaf
    version: "{version}"
    type: command
    command: cat ${{{{inputs.e}}}}/f.txt ${{{{inputs.p}}}}/x; echo leaf {version}
    environment: azureml:host
    inputs: {{e: {{type: uri_folder}}, p: {{type: uri_folder}}}}
"""


class World:
    """A pipeline that has run on the first versions of its data and component; there are second ones by now."""

    def __init__(self, desk: Desk, name: str) -> None:
        self.name = name
        self.desk = desk
        self._register("1")
        desk.write("job.yml", PIPELINE.format(name=name))
        self.first = desk.ask("job create --file job.yml --query name")
        assert desk.smalt(f"job stream {self.first}").code == 0
        self._register("2")

    def _register(self, version: str) -> None:
        desk, name = self.desk, self.name
        desk.write("d/f.txt", f"v{version}\n")
        for command in (
            f"data create --name {name} --version {version} --path d --type uri_folder",
            f"component create --file {desk.write('leaf.yml', LEAF.format(name=name, version=version))}",
        ):
            ran = desk.smalt(command)
            assert ran.code == 0, ran.err


@pytest.fixture
def world(desk: Desk, request: pytest.FixtureRequest) -> World:
    return World(desk, request.node.name.removeprefix("test_").replace("_", "-"))


FIRST = ["v1", "v1", "leaf 1"]


def test_a_part_takes_what_the_whole_read(world: World) -> None:
    """`--only b --of JOB` reads the version that the job read, and runs the component that it ran."""
    log = world.desk.smalt(f"job create --file job.yml --only b --of {world.first} --stream")
    assert log.code == 0, log.err
    assert [line.partition("| ")[2] for line in log.lines] == FIRST
    whole = world.desk.smalt("job create --file job.yml --stream")
    assert [line.partition("| ")[2] for line in whole.lines] == ["v2", "v2", "leaf 2"]


def test_an_export_takes_what_the_job_read(world: World) -> None:
    """The folder runs as the job ran, though what its labels mean has moved."""
    ran = world.desk.smalt(f"job export {world.first} --folder exported")
    assert ran.code == 0, ran.err
    text = (world.desk.folder / "exported/job.yml").read_text()
    assert f"azureml:{world.name}:1" in text
    again = world.desk.smalt("job create --file exported/job.yml --set settings.force_rerun=true --stream")
    assert again.code == 0, again.err
    assert [line.partition("| ")[2] for line in again.lines] == FIRST


def test_lineage_and_comparison_tell_what_the_job_read(world: World) -> None:
    """The version, of the pipeline and of its steps; not what the label means now."""
    for job in (world.first, f"{world.first}-b"):
        made_by = world.desk.smalt(f"job lineage {job} -o json").json["made_by"]
        assert (world.name, "1") in [(one["name"], one.get("version")) for one in made_by]
        rows = world.desk.smalt(f"job compare {job} {world.first}-a -o json").json
        read = [row[job] for row in rows if row["what"] == "input" and row[job]]
        assert f"data/{world.name}/versions/1" in read
    used = world.desk.smalt(f"data lineage --name {world.name} --version 2 -o json").json["used_by"]
    assert used == []
    shown = world.desk.smalt(f"job show {world.first} --query inputs.d.path -o tsv").out
    assert shown.strip().endswith(f"/data/{world.name}/versions/1")


def test_comparison_tells_where_a_link_led(desk: Desk) -> None:
    """Two jobs that read the same link are different where it led elsewhere."""
    names = []
    for month in ("october", "november"):
        desk.write(f"{month}/f.txt", month)
        link = desk.folder / "current"
        link.unlink(missing_ok=True)
        link.symlink_to(month)
        desk.write(
            "job.yml",
            """
            command: cat ${{inputs.d}}/f.txt
            environment: azureml:host
            inputs: {d: {type: uri_folder, path: ./current}}
            """,
        )
        names.append(desk.ask("job create --file job.yml --query name"))
        assert desk.smalt(f"job stream {names[-1]}").out.strip() == month
    rows = desk.smalt(f"job compare {' '.join(names)} -o json").json
    (read,) = [row for row in rows if row["what"] == "input"]
    assert read["differs"]
    assert [read[name].rpartition("/")[2] for name in names] == ["october", "november"]
