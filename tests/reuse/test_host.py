"""Steps on the host's own Python, whose packages change while their versions stay."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from smalt.service.engine import step_reuse
from smalt.service.records.jobs import Job
from smalt.service.reuse.explanation import explain_step
from tests.engine.bench import Workbench, workbench
from tests.reuse.test_reused import HOST, origins, run

PRINTS = {"jobs": {"a": {"command": "python -c 'import pk; print(pk.V)'", "environment": HOST}}}


def host_of(bench: Workbench) -> Path:
    """A Python of the test's own becomes the host's; its site folder."""
    folder = bench.home.path("host")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    bench.settings.update({"host-python": str(folder / "bin" / "python")})
    (site,) = folder.glob("lib/python*/site-packages")
    return site


def install(site: Path, value: int, folder: Path | None = None) -> None:
    """A package `pk` 0.1 as pip leaves it: its code in the site folder, or in `folder`, from which it is taken."""
    package = (folder or site) / "pk"
    package.mkdir(parents=True, exist_ok=True)
    code = f"V = {value}\n".encode()
    (package / "__init__.py").write_bytes(code)
    metadata = site / "pk-0.1.dist-info"
    metadata.mkdir(exist_ok=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: pk\nVersion: 0.1\n")
    digest = base64.urlsafe_b64encode(hashlib.sha256(code).digest()).rstrip(b"=").decode()
    lines = [] if folder else [f"pk/__init__.py,sha256={digest},{len(code)}"]
    (metadata / "RECORD.new").write_text("\n".join([*lines, "pk-0.1.dist-info/RECORD,,\n"]))
    (metadata / "RECORD.new").rename(metadata / "RECORD")
    (site / "mark.new").mkdir()  # as with pip, entries of the site folder come and go
    (site / "mark.new").rmdir()
    if folder:
        origin = {"url": folder.as_uri(), "dir_info": {"editable": True}}
        (metadata / "direct_url.json").write_text(json.dumps(origin))


async def value(bench: Workbench, name: str) -> tuple[str | None, Job]:
    """What the step printed; None where it is reused."""
    job = await run(bench, name, PRINTS)
    return (None if origins(bench, job)["a"] else bench.log(f"{name}-a").strip()), job


async def test_other_code_under_the_same_version() -> None:
    """A package that was installed again with other code makes another environment; with the old code, the old one."""
    async with workbench() as bench:
        site = host_of(bench)
        install(site, 1)
        assert (await value(bench, "one"))[0] == "1"
        assert (await value(bench, "two"))[0] is None
        await bench.engine.step_reuse.reuse.settlement.settle_completed(lambda: True)
        install(site, 22)
        printed, job = await value(bench, "three")
        assert printed == "22"
        told = await explain_step(bench.engine.step_reuse.reuse, bench.child(job, "a"))
        (part,) = [part for part in told["parts"] if part["part"] == "environment"]
        assert [change["where"] for change in part["changes"]] == ["pk"]
        await bench.engine.step_reuse.reuse.settlement.settle_completed(lambda: True)
        install(site, 1)
        assert (await value(bench, "four"))[0] is None


@pytest.mark.parametrize("how", ["path", "finder", "egg-link"])
async def test_an_editable_package_is_edited(how: str) -> None:
    """Its files count: the step runs with what was edited, and is reused once it is as it was."""
    async with workbench() as bench:
        site = host_of(bench)
        project = bench.home.path("project")
        (project / "data").mkdir(parents=True)
        install(site, 1, project)
        if how == "finder":
            (site / "__editable___pk_0_1_finder.py").write_text(
                f"from __future__ import annotations\nMAPPING: dict[str, str] = {{'pk': '{project}/pk'}}\n"
                "NAMESPACES: dict[str, list[str]] = {}\nimport sys\n"
                "def install():\n    sys.path += [p.rpartition('/')[0] for p in MAPPING.values()]\n"
            )
            (site / "__editable__.pk-0.1.pth").write_text(
                "import __editable___pk_0_1_finder; __editable___pk_0_1_finder.install()\n"
            )
        else:
            (site / f"{'easy-install' if how == 'egg-link' else '__editable__.pk-0.1'}.pth").write_text(f"{project}\n")
        assert (await value(bench, "one"))[0] == "1"
        (project / "data" / "notes.txt").write_text("no code\n")
        assert (await value(bench, "two"))[0] is None
        await bench.engine.step_reuse.reuse.settlement.settle_completed(lambda: True)
        (project / "pk" / "__init__.py").write_text("V = 3  # edited\n")
        printed, job = await value(bench, "three")
        assert printed == "3"
        told = await explain_step(bench.engine.step_reuse.reuse, bench.child(job, "a"))
        assert "environment differs" in told["reason"]
        await bench.engine.step_reuse.reuse.settlement.settle_completed(lambda: True)
        (project / "pk" / "__init__.py").write_text("V = 1\n")
        assert (await value(bench, "four"))[0] is None


async def test_a_package_that_is_edited_while_the_step_runs() -> None:
    """Nobody knows which code it ran, so it serves nobody."""
    async with workbench() as bench:
        site = host_of(bench)
        project = bench.home.path("project")
        install(site, 1, project)
        (site / "pk.pth").write_text(f"{project}\n")
        document: dict[str, Any] = {"jobs": {"a": {**PRINTS["jobs"]["a"]}}}
        document["jobs"]["a"]["command"] += (
            f'; sleep 0.1; for v in 2 1; do echo "V = $v" > {project}/pk/__init__.py; done'
        )
        for name in ("one", "two"):
            job = await run(bench, name, document)
            assert origins(bench, job) == {"a": None}
        told = await explain_step(bench.engine.step_reuse.reuse, bench.child(job, "a"))
        assert "the host's packages were changed after it had been started" in told["reason"]


async def test_the_locale_and_time_zone_that_steps_inherit() -> None:
    """Those of the server count, as they show in what a step writes; those that a step sets itself count as its own."""
    async with workbench() as bench:
        inherited = bench.engine.context.computes.default.steps.inherited_variables
        own = {"command": "date +%Z", "environment": HOST, "environment_variables": {"TZ": "UTC"}}
        document = {"jobs": {"zone": {"command": "date +%Z", "environment": HOST}, "own": own}}
        expected = (
            {"zone": None, "own": None},
            {"zone": None, "own": "one-own"},
            {"zone": "one-zone", "own": "one-own"},
        )
        for name, zone, origin in zip(("one", "two", "three"), ("UTC", "Asia/Tokyo", "UTC"), expected, strict=True):
            inherited["TZ"] = zone
            assert origins(bench, await run(bench, name, document)) == origin
        assert bench.log("two-zone") == "JST\n"


async def test_smalts_own_packages_count_where_a_step_uses_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another mldesigner makes other steps of function components, and of no others."""
    async with workbench() as bench:
        document = {
            "jobs": {
                "function": {"command": "echo mldesigner", "environment": HOST},
                "other": {"command": "echo", "environment": HOST},
            }
        }
        await run(bench, "one", document)
        monkeypatch.setattr(step_reuse, "_hash_package", lambda name: f"a later {name}")
        assert origins(bench, await run(bench, "two", document)) == {"function": None, "other": "one-other"}
