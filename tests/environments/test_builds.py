from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from smalt.exceptions import NotFound, RefusedError
from smalt.machine.home import Home
from smalt.service.environments import BuiltEnvironment, EnvironmentFailed, Environments
from smalt.service.environments.builders.installed_packages import list_packages
from smalt.service.environments.builders.interpreters import Interpreters
from smalt.service.environments.image_source import EngineState
from tests.helpers import eventually

from .conftest import Settings, conda, run
from .wheels import make_wheel


def realise(environments: Environments, asset: Mapping[str, object], log: list[str]) -> BuiltEnvironment:
    return asyncio.run(environments.get_or_build(asset, log.append))


class Only(Interpreters):
    """A machine with this Python and no other."""

    def __init__(self, minor: tuple[int, int]) -> None:
        super().__init__()
        self._only = minor

    def list_versions(self) -> tuple[tuple[int, int], ...]:
        assert self._only in super().list_versions()
        return (self._only,)


@pytest.fixture
def only() -> Only:
    return Only(max(minor for minor in Interpreters().list_versions() if minor <= (3, 13)))


def test_a_conda_file_becomes_a_virtual_environment(environments: Environments, log: list[str]) -> None:
    """Its packages and pip are in it, smalt's own are not, and the log tells the story."""
    realised = realise(environments, conda("shade==1.0"), log)
    assert run(realised, "shade").startswith("1.0 ")
    assert run(realised, "python -c 'import pip'") == ""
    assert run(realised, "python -c 'import yaml' 2>/dev/null || echo clean") == "clean"
    assert log[0].startswith("building environment 'colours' with Python 3.")
    assert log[0].endswith("it is the first 'colours'")
    assert any("shade==1.0" in line for line in log)
    assert log[-1].startswith("built in ")


def test_the_same_content_is_built_once(
    environments: Environments, home: Home, settings: Settings, log: list[str]
) -> None:
    """Found again at once, by this server and by the next, however it is written."""
    first = realise(environments, conda("shade==1.0", "ink"), log)
    again = environments.find_built(conda("ink", "shade==1.0"))
    later, _ = asyncio.run(Environments(home, settings).find_build(conda("shade==1.0", "ink")))
    assert again is not None
    assert later is not None
    assert again.bin == later.bin == first.bin
    assert again.realised_hash == later.realised_hash == first.realised_hash


def test_what_is_not_built_is_not_cached(environments: Environments) -> None:
    """Nor is what cannot be built; asking builds nothing."""
    assert environments.find_built(conda("shade==1.0")) is None
    assert environments.find_built({"curated": "no-such-thing"}) is None
    assert environments.list_stored() == []


def test_ten_jobs_that_ask_at_once_share_one_build(environments: Environments) -> None:
    """All get the same environment, and each its whole log."""
    logs: list[list[str]] = [[] for _ in range(10)]

    async def ask() -> list[BuiltEnvironment]:
        return await asyncio.gather(*(environments.get_or_build(conda("shade==1.0"), log.append) for log in logs))

    realised = asyncio.run(ask())
    assert len({each.bin for each in realised}) == 1
    assert all(log == logs[0] for log in logs)
    assert sum(line.startswith("building") for line in logs[0]) == 1


def test_a_job_that_gives_up_does_not_end_the_build_of_another(environments: Environments) -> None:
    """The build belongs to all who wait for it."""
    begun = asyncio.Event()

    async def ask() -> BuiltEnvironment:
        impatient = asyncio.ensure_future(environments.get_or_build(conda("hue"), lambda line: begun.set()))
        patient = asyncio.ensure_future(environments.get_or_build(conda("hue"), lambda line: None))
        await begun.wait()
        impatient.cancel()
        return await patient

    assert run(asyncio.run(ask()), "hue").startswith("1.0 ")


def test_a_build_that_nobody_waits_for_ends(environments: Environments, home: Home, log: list[str]) -> None:
    """It leaves nothing, and asking again builds anew."""
    begun = asyncio.Event()

    async def ask() -> None:
        job = asyncio.ensure_future(environments.get_or_build(conda("hue"), lambda line: begun.set()))
        await begun.wait()
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
        await environments.get_or_build(conda("hue"), log.append)

    asyncio.run(ask())
    assert sum(line.startswith("building") for line in log) == 1
    eventually(lambda: sorted(_visible(home)) == sorted(built.hash for built in environments.list_stored()))


def test_the_reason_for_a_build_names_what_differs(environments: Environments, log: list[str]) -> None:
    """Compared with the nearest earlier one of the same name."""
    realise(environments, conda("shade==1.0"), log)
    realise(environments, conda("shade==1.0", "ink", "hue"), log)
    log.clear()
    realise(environments, conda("shade==2.0"), log)
    assert "it differs from the 'colours' built 20" in log[0]
    assert log[0].endswith(": dependency 'shade==2.0' was 'shade==1.0'")


def test_an_environment_whose_python_is_gone_is_built_anew(environments: Environments, log: list[str]) -> None:
    """A removed interpreter leaves a virtual environment that cannot start."""
    realised = realise(environments, conda("shade==1.0"), log)
    Path(realised.python).unlink()
    assert environments.find_built(conda("shade==1.0")) is None
    log.clear()
    assert run(realise(environments, conda("shade==1.0"), log), "shade").startswith("1.0 ")
    assert "was changed by a job, or on this machine" in log[0]


def test_the_realised_hash_tells_what_is_installed(environments: Environments, log: list[str]) -> None:
    """Two ways to ask for the same packages have one; other packages have another."""
    one = realise(environments, conda("shade==1.0"), log)
    two = realise(environments, conda("shade<2", name="other"), log)
    three = realise(environments, conda("shade"), log)
    assert one.declared_hash != two.declared_hash
    assert one.realised_hash == two.realised_hash != three.realised_hash


def test_packages_that_do_not_fit_fail_with_uvs_reason(environments: Environments, home: Home, log: list[str]) -> None:
    """One sentence with a hint; nothing of it is left."""
    with pytest.raises(EnvironmentFailed) as failed:
        realise(environments, conda("shade==3.0"), log)
    assert "environment 'colours' could not be built with Python 3." in str(failed.value)
    assert "shade==3.0" in str(failed.value)
    assert str(failed.value).endswith("; correct its packages")
    assert "\n" not in str(failed.value)
    eventually(lambda: not _visible(home))


def test_a_failed_build_is_tried_again(
    environments: Environments, wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: list[str]
) -> None:
    """The package may have come meanwhile."""
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(EnvironmentFailed):
        realise(environments, conda("shade==1.0"), log)
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    realise(environments, conda("shade==1.0"), log)


def test_conda_packages_need_rattler(environments: Environments, log: list[str]) -> None:
    """Where it cannot be installed one sentence says so."""
    asset = {"condaFile": "dependencies: [r-base=4.1, graphviz, pip]"}
    with pytest.raises(EnvironmentFailed, match="rattler, which installs conda packages, could not be installed"):
        realise(environments, asset, log)


def test_an_image_alone_is_a_clean_python_and_one_warning(
    home: Home, settings: Settings, only: Only, log: list[str]
) -> None:
    """The warning says that the image is not used and, in the same breath, which Python is."""
    environments = Environments(home, settings, pythons=only)
    realised = realise(environments, {"image": "python:3.99"}, log)
    assert {line.partition("==")[0] for line in list_packages(realised.template.sees)} <= {"pip", "setuptools"}
    assert len(realised.notes) == 1
    here = ".".join(realised.version.split(".")[:2])
    assert realised.notes[0] == (
        f"image 'python:3.99' is not used; the job runs in a clean virtual environment of Python {here}, "
        "the nearest on this machine to 3.99"
    )


def test_an_image_with_a_conda_file_is_its_conda_file(environments: Environments, log: list[str]) -> None:
    """Nothing that was asked of Python is missing, so nothing is warned of."""
    assert realise(environments, conda("shade==1.0"), log).notes == []


def test_another_python_is_used_with_one_warning(home: Home, settings: Settings, only: Only, log: list[str]) -> None:
    """The job's log says which was asked for and which is used."""
    realised = realise(Environments(home, settings, pythons=only), conda("shade==1.0", python="3.6"), log)
    assert len(realised.notes) == 1
    assert realised.notes[0].startswith("Python 3.6 is not on this machine; the job runs with Python 3.")


def test_another_pythons_failure_hints_at_the_python(
    home: Home, settings: Settings, only: Only, log: list[str]
) -> None:
    """Pins for an old Python are the common cause."""
    with pytest.raises(
        EnvironmentFailed, match=r"install Python 3.6, for which they may be pinned, or relax the pins$"
    ):
        realise(Environments(home, settings, pythons=only), conda("shade==3.0", python="3.6"), log)


@pytest.mark.parametrize(
    ("asset", "sentence"),
    [
        ({"image": "python:3.10"}, "image 'python:3.10' is not used by smalt, and the setting fidelity is strict"),
        (conda("shade", python="3.6"), r"Python 3.6 is not on this machine \(it has 3.*install that Python"),
        ({"build": {"contextUri": "/nowhere"}}, "the Dockerfile of 'nowhere' is not used by smalt"),
    ],
)
def test_strict_fidelity_refuses_what_is_not_as_asked(
    environments: Environments, settings: Settings, log: list[str], asset: Mapping[str, object], sentence: str
) -> None:
    """And finds nothing in the cache that nearest would have used."""
    settings.fidelity = "strict"
    assert environments.find_built(asset) is None
    with pytest.raises(RefusedError, match=sentence):
        realise(environments, asset, log)


def test_strict_fidelity_takes_what_is_as_asked(environments: Environments, settings: Settings, log: list[str]) -> None:
    """A conda file whose Python is here."""
    settings.fidelity = "strict"
    here = ".".join(map(str, Interpreters().list_versions()[-1]))
    assert realise(environments, conda("shade==1.0", python=here), log).notes == []


def test_a_build_context_gives_its_requirements(environments: Environments, tmp_path: Path, log: list[str]) -> None:
    """Those that its Dockerfile installs, with a warning; changed requirements are another environment."""
    (tmp_path / "Dockerfile").write_text("FROM python\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n")
    (tmp_path / "requirements.txt").write_text("shade==1.0\n")
    asset = {"name": "painter", "build": {"contextUri": f"file://{tmp_path}", "dockerfilePath": "Dockerfile"}}
    realised = realise(environments, asset, log)
    assert run(realised, "shade").startswith("1.0 ")
    assert realised.notes == [
        "the Dockerfile of 'painter' is not built; the job has the packages of its requirements.txt"
    ]
    (tmp_path / "requirements.txt").write_text("shade==2.0\n")
    assert environments.find_built(asset) is None


def test_a_build_context_without_lists_is_a_clean_python(
    home: Home, settings: Settings, tmp_path: Path, log: list[str]
) -> None:
    """One plain warning says so; a context elsewhere is found by whoever knows the datastores."""
    (tmp_path / "Dockerfile").write_text("FROM rocker/tidyverse:4.0.0\nRUN install2.r optparse\n")
    asset = {"build": {"contextUri": "azureml://datastores/workspaceblobstore/paths/LocalUpload/0/context"}}
    environments = Environments(home, settings, locate=lambda uri: tmp_path)
    realised = realise(environments, asset, log)
    assert environments.find_built({**asset, "folder": str(tmp_path)}) is not None
    assert len(realised.notes) == 1
    assert realised.notes[0].startswith("the Dockerfile of 'context' is not used; the job runs in a clean virtual")


def test_a_curated_name_is_its_entry(environments: Environments, home: Home, log: list[str]) -> None:
    """An entry of the user's; a change to it is another environment, and the reason says what changed."""
    folder = home.path("catalogue")
    folder.mkdir()
    entry = folder / "paint-1.0.yml"
    here = ".".join(map(str, Interpreters().list_versions()[-1]))
    entry.write_text(f"python: '{here}'\npackages: [shade==1.0]\n")
    asset = environments.lookup_curated("AzureML-paint-1.0", "latest")
    assert asset is not None
    realised = realise(environments, asset, log)
    assert run(realised, "shade").startswith("1.0 ")
    assert realised.notes == [
        "'paint-1.0' is made of the packages in smalt's catalogue; the service's image is not used"
    ]
    entry.write_text(f"python: '{here}'\npackages: [shade==2.0]\n")
    os.utime(entry, (0, 0))
    log.clear()
    assert run(realise(environments, asset, log), "shade").startswith("2.0 ")
    assert "dependency 'shade==2.0' was 'shade==1.0'" in log[0]


def test_an_unknown_curated_name_is_told(environments: Environments, log: list[str]) -> None:
    """With the nearest names."""
    with pytest.raises(NotFound, match=r"no curated environment is called 'sklearn-1.7'; the nearest are sklearn-1.5"):
        realise(environments, {"curated": "sklearn-1.7", "version": "1"}, log)


def test_the_image_of_a_curated_environment_is_that_environment(environments: Environments, home: Home) -> None:
    """Its packages are known, though the image is not used, which is warned of."""
    plan = environments._planner.make_plan(
        {"image": "mcr.microsoft.com/azureml/curated/sklearn-1.5:33"}, EngineState(False)
    )
    assert "scikit-learn" in " ".join(plan.declared.requirements)
    assert plan.notes[0].startswith("image 'mcr.microsoft.com/azureml/curated/sklearn-1.5:33' is not used; the job has")


def test_what_is_built_is_listed_and_removed(environments: Environments, home: Home, log: list[str]) -> None:
    """With its names, its size and when it was last used; removed, it is as if it had never been."""
    realised = realise(environments, conda("shade==1.0"), log)
    assert environments.find_built({**conda("shade==1.0"), "name": "sunset"}) is not None
    (built,) = environments.list_stored()
    assert built.hash == realised.declared_hash
    assert built.names == ["colours", "sunset"]
    assert built.size > 100_000
    assert built.last_used > 0
    assert asyncio.run(environments.remove(built.hash)) == built.size
    assert environments.list_stored() == []
    assert environments.find_built(conda("shade==1.0")) is None


def test_an_environment_that_a_job_uses_is_not_removed(
    environments: Environments, tmp_path: Path, log: list[str]
) -> None:
    """It is once the job is over."""
    realised = realise(environments, conda("shade==1.0"), log)
    realised.clone(tmp_path / "job")
    assert asyncio.run(environments.remove(realised.declared_hash)) is None
    environments.release_view(tmp_path / "job")
    assert (asyncio.run(environments.remove(realised.declared_hash)) or 0) > 0


def test_a_record_of_another_layout_is_not_read(environments: Environments, home: Home, log: list[str]) -> None:
    """A later smalt may keep other things in it; the environment is built anew."""
    realised = realise(environments, conda("shade==1.0"), log)
    path = home.path("environments", realised.declared_hash, "record.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "layout": 99}))
    assert asyncio.run(Environments(home, Settings()).find_build(conda("shade==1.0"))) == (None, False)


def test_a_home_that_cannot_be_written_fails_in_a_sentence(
    environments: Environments, home: Home, log: list[str]
) -> None:
    """Not with a traceback."""
    home.path("environments").write_text("not a folder")
    with pytest.raises(EnvironmentFailed, match="could not be built with Python 3"):
        realise(environments, conda("shade==1.0"), log)


def _visible(home: Home) -> list[str]:
    """What is in the folder of environments but for locks and spare views."""
    return [name for name in os.listdir(home.path("environments")) if name not in (".locks", ".spare")]


def test_it_is_known_whether_mlflow_is_in_it(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of either of its distributions, also where it is found built; not of a package that is only called like it."""
    for name in ("mlflow_skinny", "mlflow_export"):
        make_wheel(tmp_path, name, "1.0")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    for package, has in (("mlflow-skinny", True), ("mlflow-export", False)):
        assert realise(Environments(home, Settings()), conda(package), []).has_mlflow is has
        found, _ = asyncio.run(Environments(home, Settings()).find_build(conda(package)))
        assert found is not None
        assert found.has_mlflow is has


def test_packages_of_sdk_v1_get_a_setuptools_with_pkg_resources(
    environments: Environments, own_wheels: Path, log: list[str]
) -> None:
    """They import it and say nothing of it; a setuptools that the requirements name is taken as it is."""
    make_wheel(own_wheels, "azureml_tint", "1.0", requires=["setuptools"])
    for version in ("80.0", "82.0"):
        make_wheel(own_wheels, "setuptools", version)
    assert _read_setuptools(realise(environments, conda("azureml-tint"), log)) == ["80.0"]
    assert _read_setuptools(realise(environments, conda("azureml-tint", "setuptools==82.0"), log)) == ["82.0"]
    assert _read_setuptools(realise(environments, conda("ink", "setuptools"), log)) == ["82.0"]


def _read_setuptools(built: BuiltEnvironment) -> list[str]:
    there = dict(each.split("==", 1) for each in list_packages(built.template.sees))
    return [version for name, version in there.items() if name == "setuptools"]
