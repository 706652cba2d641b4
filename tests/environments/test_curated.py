from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement

import yaml
from smalt.exceptions import NotFound, ValidationException
from smalt.machine.home import Home
from smalt.service.environments import lookup_curated
from smalt.service.environments.resolution import curated_environments
from smalt.service.environments.resolution.curated_names import load_names
from smalt.service.environments.resolution.declarations import resolve_declaration
from smalt.service.environments.resolution.python_versions import PythonConstraint

ENTRIES = sorted(
    {entry.name: entry for entry in curated_environments.load_catalogue(Path("/nowhere")).values()}.items()
)


@pytest.mark.parametrize("entry", [entry for _, entry in ENTRIES], ids=[name for name, _ in ENTRIES])
def test_every_entry_of_the_catalogue_is_sound(entry: curated_environments.CatalogueEntry) -> None:
    """Its packages are requirements, its Python a version, and nobody else has its names."""
    for line in entry.packages:
        assert Requirement(line).specifier, f"{line} names no version"
    assert PythonConstraint(entry.python).allows((3, int(entry.python.partition(".")[2])))
    assert entry.description
    assert not [
        other.name
        for _, other in ENTRIES
        if other is not entry and {entry.name, *entry.aliases} & {other.name, *other.aliases}
    ]


@pytest.mark.parametrize("entry", [entry for _, entry in ENTRIES], ids=[name for name, _ in ENTRIES])
def test_every_file_is_named_after_its_entry(entry: curated_environments.CatalogueEntry) -> None:
    """So that a person finds it."""
    assert Path(curated_environments.__file__).with_name("catalogue").joinpath(f"{entry.name}.yml").is_file()


@pytest.mark.parametrize("name", ["sklearn-1.5", "AzureML-sklearn-1.5", "azureml-SKLEARN-1.5"])
def test_a_curated_environment_has_the_names_of_registry_and_workspace(home: Home, name: str) -> None:
    """sklearn-1.5 and AzureML-sklearn-1.5 are one, in any case of letters."""
    found = lookup_curated(name, "latest")
    assert found is not None
    assert found["curated"] == "sklearn-1.5"
    assert "python=3.10" in yaml.safe_load(found["condaFile"])["dependencies"]


def test_the_real_sklearn_1_5_is_not_the_newest_of_each() -> None:
    """pandas 1.5, NumPy 1, MLflow 2: scripts of that time need them."""
    entry = dict(ENTRIES)["sklearn-1.5"]
    pins = {Requirement(line).name: Requirement(line) for line in reversed(entry.packages)}
    assert not pins["pandas"].specifier.contains("2.0")
    assert not pins["numpy"].specifier.contains("2.0")
    assert not pins["mlflow-skinny"].specifier.contains("3.0")
    assert pins["scikit-learn"].specifier.contains("1.5.2")


def test_users_add_entries_and_replace_shipped_ones(home: Home) -> None:
    """A file in $SMALT_HOME/catalogue counts from the moment that it is there."""
    assert lookup_curated("our-env") is None
    folder = home.path("catalogue")
    folder.mkdir()
    (folder / "our-env.yml").write_text("aliases: [ours]\npython: '3.11'\npackages: [shade==1.0]\n")
    (folder / "minimal.yml").write_text("python: '3.12'\npackages: []\n")
    assert (lookup_curated("ours") or {})["curated"] == "our-env"
    assert curated_environments.get_entry("minimal", folder).python == "3.12"


def test_an_unknown_name_tells_the_nearest(home: Home) -> None:
    """One sentence, with names that exist and how to add one."""
    assert lookup_curated("sklearn-1.6") is None
    with pytest.raises(NotFound, match=r"'sklearn-1.6'; the nearest are sklearn-1.5, .*catalogue/sklearn-1.6.yml"):
        curated_environments.get_entry("sklearn-1.6", home.path("catalogue"))


@pytest.mark.parametrize("name", sorted(load_names()))
def test_every_name_that_azure_ever_had_is_answered(name: str) -> None:
    """By its entry, or by the nearest of its family, as the registry and as workspaces call it."""
    for called in (name, f"AzureML-{name}"):
        entry = curated_environments.find_entry(called, Path("/nowhere"))
        assert entry is not None
        assert entry.name in dict(ENTRIES)


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [
        ("AzureML-pytorch-1.10-ubuntu18.04-py38-cuda11-gpu", "acpt-pytorch-1.11-py38-cuda11.3-gpu"),
        ("AzureML-PyTorch-1.3-GPU", "pytorch-1.9-ubuntu18.04-py37-cuda11-gpu"),
        ("acpt-pytorch-2.0-cuda11.7", "acpt-pytorch-2.2-cuda12.1"),
        ("AzureML-TensorFlow-2.3-CPU", "tensorflow-2.7-ubuntu20.04-py38-cuda11-gpu"),
        ("tensorflow-2.11-cuda11", "tensorflow-2.12-cuda11"),
        ("AzureML-sklearn-1.9", "sklearn-1.5"),
        ("AzureML-Scikit-learn-0.20.3", "sklearn-0.24-ubuntu18.04-py37-cpu"),
        ("AzureML-AutoML-DNN-Vision-GPU", "AutoML"),
        ("AzureML-Dask-GPU", "Dask-CPU"),
        ("acpt-grpo", "model-evaluation"),
    ],
)
def test_the_nearest_is_of_the_same_family_and_version(home: Home, asked: str, nearest: str) -> None:
    """And is said to be only that; `fidelity: strict` refuses it."""
    found = lookup_curated(asked) or {}
    assert (found["curated"], found["asked"]) == (nearest, asked)
    declared = resolve_declaration(found, home.path("catalogue"), lambda uri: None)
    assert declared.notes == [f"environment '{asked}' is not in the catalogue; '{nearest}', the nearest to it, is used"]
    assert declared.not_as_asked == declared.notes[0]


def test_a_name_that_may_be_a_users_own_gets_no_nearest(home: Home) -> None:
    """Only names of Azure's list, and prefixes that are reserved for it, are taken for curated ones."""
    assert [lookup_curated(name) for name in ("pytorch-env", "sklearn-2.0", "my-acpt", "tensorflow")] == [None] * 4


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("python: 3.10\n", "'python' must be a version"),
        ("package: [a]\n", "unknown key 'package'"),
        ("packages: a\n", "'packages' must be a list of texts"),
        ("- a\n", "holds no mapping"),
        ("a: [\n", "while parsing"),
    ],
)
def test_a_wrong_file_is_told_with_its_path(tmp_path: Path, text: str, sentence: str) -> None:
    """3.10 without quotes is the number 3.1, which would be another Python."""
    path = tmp_path / "wrong.yml"
    path.write_text(text)
    with pytest.raises(ValidationException, match=sentence) as wrong:
        curated_environments.read_entry(path)
    assert str(path) in str(wrong.value)
