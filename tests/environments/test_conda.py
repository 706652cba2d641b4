from __future__ import annotations

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from smalt.exceptions import RefusedError
from smalt.service.environments.resolution import conda_files
from smalt.service.environments.resolution.conda_packages import _KNOWN, _OTHER, find_pypi_name, is_included


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("", ""),
        ("*", ""),
        ("=1.21", "==1.21.*"),
        ("=1.21.2", "==1.21.2.*"),
        ("=1.2.*", "==1.2.*"),
        ("1.2.*", "==1.2.*"),
        ("==1.21.2", "==1.21.2"),
        ("1.21.2", "==1.21.2"),
        (">=1.1,<1.2", ">=1.1,<1.2"),
        (">=1.1, <1.2", ">=1.1,<1.2"),
        ("<=20.2", "<=20.2"),
        (">=1.2.*", ">=1.2"),
        ("~=1.5", "~=1.5"),
        ("!=1.5", "!=1.5"),
        ("=1.0rc1", "==1.0rc1"),
    ],
)
def test_condas_versions_are_said_for_pypi(written: str, meant: str) -> None:
    """'=1.21' is any 1.21; exact and ordered versions keep their meaning; all of it is PEP 440."""
    assert conda_files.convert_constraint(written) == meant
    SpecifierSet(meant)


def test_a_conda_file_is_read_whole() -> None:
    """Python, channels, conda's own names and pip's list end as one list of requirements."""
    read = conda_files.read_conda_file(
        """
        name: model-env
        channels: [conda-forge]
        dependencies:
          - python=3.8
          - numpy=1.21.2   # a comment
          - pandas>=1.1,<1.2
          - conda-forge::pytorch=1.11=py3.8_cpu
          - scikit-learn =0.24.2
          - Pillow
          - h5py
          - tqdm 4.62.*
          - pip<=23.1.2
          - cudatoolkit=11.1
          - "scipy[version='>=1.7,<2']"
          - pip:
            - mlflow==1.26.1
            - --extra-index-url=https://packages.example/simple
            - azureml-core  # of the service
            -
        """
    )
    assert (read.name, read.python, read.channels) == ("model-env", "==3.8.*", ["conda-forge"])
    assert read.requirements == [
        "numpy==1.21.2.*",
        "pandas>=1.1,<1.2",
        "torch==1.11.*",
        "scikit-learn==0.24.2.*",
        "pillow",
        "h5py",
        "tqdm==4.62.*",
        "pip<=23.1.2",
        "scipy>=1.7,<2",
        "mlflow==1.26.1",
        "--extra-index-url=https://packages.example/simple",
        "azureml-core",
    ]
    assert (read.left_out, read.unknown) == (["cudatoolkit"], [])


def test_what_only_conda_has_is_told_apart() -> None:
    """Packages that nobody has vouched for on PyPI are named, with their versions."""
    read = conda_files.read_conda_file({"dependencies": ["r-base=4.1", "numpy", "graphviz"]})
    assert read.unknown == ["r-base=4.1", "graphviz"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("dependencies: [", "is not YAML"),
        ("- numpy", "holds no mapping"),
        ("dependencies: numpy", "'dependencies' of the conda file must be a list"),
        ("dependencies: [{npm: [left-pad]}]", "lists packages under 'npm:'"),
        ("dependencies: [7]", "is neither a package nor a 'pip:' list"),
        ("dependencies: ['numpy>=1.2|<1']", "cannot be translated for PyPI"),
        ("dependencies: ['num py!']", "is not a package"),
    ],
)
def test_a_broken_conda_file_is_refused(text: str, sentence: str) -> None:
    """One sentence says what is wrong with it."""
    with pytest.raises(RefusedError, match="conda file") as refused:
        conda_files.read_conda_file(text)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


GROWING = ", ".join(f"&l{k} [{', '.join([f'*l{k - 1}'] * 9) if k else 1}]" for k in range(9))
"""Aliases that make half a billion values of some hundred characters."""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"dependencies: [{GROWING}]", "make more of it than can be read"),
        (f"dependencies: [{{pip: [{GROWING}]}}]", "make more of it than can be read"),
        ("dependencies: &a [*a]", "an anchor contains itself"),
        ("dependencies: [{pip: [[numpy]]}]", "a line of 'pip:' in the conda file must be a text"),
        ("dependencies: [[numpy]]", "that is a list is neither a package"),
        ("name: [a]\ndependencies: []", "'name' in the conda file must be a text"),
        ("variables: {A: [1]}\ndependencies: []", "the variable 'A' in the conda file must be a text"),
    ],
)
def test_a_hostile_conda_file_is_refused(text: str, sentence: str) -> None:
    """A stranger's file neither stops the server nor fills its memory."""
    with pytest.raises(RefusedError) as refused:
        conda_files.read_conda_file(text)
    assert sentence in str(refused.value)
    assert len(str(refused.value)) < 300


def test_the_name_map_is_made_of_pypi_names() -> None:
    """Every name that the map gives is one that a requirement can have."""
    for name in {*_KNOWN.values(), *_OTHER.values()}:
        assert Requirement(name).name == name


def test_names_that_differ_between_conda_and_pypi() -> None:
    """pytorch is torch; libraries inside of wheels are left out; the rest is unknown."""
    assert find_pypi_name("pytorch") == "torch"
    assert find_pypi_name("Pillow") == "pillow"
    assert find_pypi_name("typing_extensions") == find_pypi_name("typing-extensions") is not None
    assert is_included("cudatoolkit")
    assert find_pypi_name("r-base") is None
