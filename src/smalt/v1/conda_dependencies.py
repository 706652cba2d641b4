"""`CondaDependencies`: a conda file in the making."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from smalt.v1.exceptions import UserErrorException

PYTHON_DEFAULT_VERSION = "3.8.13"
CONDA_FILE_NAME = "auto_conda_dependencies.yml"
DEFAULT_SDK_ORIGIN = "https://pypi.python.org/simple"
_CHANNELS = ("anaconda", "conda-forge")
_NAME = re.compile(r"^[A-Za-z0-9._:-]+")


class CondaDependencies:
    """Conda and pip packages; without a file, Python alone: the names of azureml-defaults are in every job."""

    def __init__(
        self,
        conda_dependencies_file_path: str | os.PathLike[str] | None = None,
        _underlying_structure: Mapping[str, Any] | None = None,
    ) -> None:
        self.file_path: str | None = None
        """The file that it was read from, beside which files of its `pip:` list lie."""
        if conda_dependencies_file_path and _underlying_structure:
            raise UserErrorException("give a conda file or its content, not both")
        if conda_dependencies_file_path:
            self._content = read_conda_file(os.fspath(conda_dependencies_file_path))
            self.file_path = os.path.abspath(conda_dependencies_file_path)
        elif _underlying_structure is not None:
            self._content = dict(_underlying_structure)
        else:
            self._content = {
                "dependencies": [f"python={PYTHON_DEFAULT_VERSION}"],
                "channels": list(_CHANNELS),
            }

    def __repr__(self) -> str:
        return self.serialize_to_string()

    @staticmethod
    def create(
        pip_indexurl: str | None = None,
        pip_packages: Sequence[str] | None = None,
        conda_packages: Sequence[str] | None = None,
        python_version: str = PYTHON_DEFAULT_VERSION,
        pin_sdk_version: bool = True,
    ) -> CondaDependencies:
        """Return these packages, and no others: the names of azureml-defaults, which v1 adds, are in every job."""
        made = CondaDependencies(_underlying_structure={"dependencies": [], "channels": list(_CHANNELS)})
        made.set_python_version(python_version)
        if pip_indexurl:
            made.set_pip_index_url(pip_indexurl)
        for package in _to_list(pip_packages):
            made.add_pip_package(package)
        for package in _to_list(conda_packages):
            made.add_conda_package(package)
        return made

    @staticmethod
    def merge_requirements(requirements: Iterable[str]) -> list[str]:
        """Return the requirements, one for each package: the last that is named."""
        return list({_get_package_name(one): one for one in requirements}.values())

    # Reading

    @property
    def _lines(self) -> list[Any]:
        lines: list[Any] = self._content.setdefault("dependencies", [])
        return lines

    @property
    def conda_packages(self) -> Iterator[str]:
        return iter([line for line in self._lines if isinstance(line, str)])

    @property
    def pip_packages(self) -> Iterator[str]:
        return iter([line for line in self._pip_lines() if not line.lstrip().startswith("-")])

    @property
    def pip_options(self) -> Iterator[str]:
        return iter([line for line in self._pip_lines() if line.lstrip().startswith("-")])

    @property
    def conda_channels(self) -> Iterator[str]:
        return iter(list(self._content.get("channels") or ()))

    def _pip_lines(self) -> list[str]:
        found = next((line["pip"] for line in self._lines if isinstance(line, Mapping) and "pip" in line), None)
        return found if isinstance(found, list) else []

    def get_default_number_of_packages(self) -> int:
        return 1

    def get_python_version(self) -> str | None:
        found = next((line for line in self.conda_packages if _get_package_name(line) == "python"), None)
        return None if found is None else found.partition("=")[2].lstrip("=") or None

    # Changing

    def add_conda_package(self, conda_package: str) -> None:
        self.remove_conda_package(conda_package)
        at = next((place for place, line in enumerate(self._lines) if isinstance(line, Mapping)), len(self._lines))
        self._lines.insert(at, conda_package)

    def remove_conda_package(self, conda_package: str) -> None:
        name = _get_package_name(conda_package)
        self._lines[:] = [line for line in self._lines if not isinstance(line, str) or _get_package_name(line) != name]

    def add_pip_package(self, pip_package: str) -> None:
        self.remove_pip_package(pip_package)
        self._open_pip_lines().append(pip_package)

    def remove_pip_package(self, pip_package: str) -> None:
        name = _get_package_name(pip_package)
        lines = self._pip_lines()
        lines[:] = [line for line in lines if line.startswith("-") or _get_package_name(line) != name]

    def set_pip_requirements(self, pip_requirements: Iterable[str]) -> None:
        """Replace the pip packages; options of pip stay."""
        options = list(self.pip_options)
        self._open_pip_lines()[:] = [*options, *pip_requirements]

    def _open_pip_lines(self) -> list[str]:
        if not any(isinstance(line, Mapping) and "pip" in line for line in self._lines):
            self._lines.append({"pip": []})
        return self._pip_lines()

    def set_python_version(self, version: str) -> None:
        self.remove_conda_package("python")
        self._lines.insert(0, f"python={version}")

    def add_channel(self, channel: str) -> None:
        channels = self._content.setdefault("channels", [])
        if channel not in channels:
            channels.append(channel)

    def remove_channel(self, channel: str) -> None:
        self._content["channels"] = [one for one in self._content.get("channels") or () if one != channel]

    def set_pip_index_url(self, index_url: str) -> None:
        self.set_pip_option(f"--index-url {index_url}")

    def set_pip_option(self, pip_option: str) -> None:
        lines, word = self._open_pip_lines(), pip_option.split()[0]
        if word != "--extra-index-url":
            lines[:] = [line for line in lines if line.split()[:1] != [word]]
        lines.insert(0, pip_option)

    def remove_pip_option(self, pip_option: str) -> None:
        lines, word = self._pip_lines(), pip_option.split()[0]
        lines[:] = [line for line in lines if line.split()[:1] != [word]]

    def add_tensorflow_conda_package(self, core_type: str = "cpu", version: str | None = None) -> None:
        self.add_conda_package(_pin_package("tensorflow-gpu" if core_type == "gpu" else "tensorflow", version, "="))

    def add_tensorflow_pip_package(self, core_type: str = "cpu", version: str | None = None) -> None:
        self.add_pip_package(_pin_package("tensorflow-gpu" if core_type == "gpu" else "tensorflow", version, "=="))

    def add_cntk_package(self, core_type: str = "cpu") -> None:
        self.add_pip_package("cntk-gpu" if core_type == "gpu" else "cntk")

    # Writing

    def as_dict(self) -> dict[str, Any]:
        return dict(self._content)

    def serialize_to_string(self) -> str:
        import yaml

        return str(yaml.safe_dump(self._content, sort_keys=False))

    def save(self, path: str | os.PathLike[str] | None = None) -> str:
        target = os.fspath(path or ".")
        if os.path.isdir(target):
            target = os.path.join(target, "conda_dependencies.yml")
        with open(target, "w", encoding="utf-8") as file:
            file.write(self.serialize_to_string())
        return target

    def save_to_file(self, base_directory: str, conda_file_path: str | None = None) -> str:
        """Write the conda file below the folder, and return its path there."""
        name = conda_file_path or CONDA_FILE_NAME
        path = os.path.join(base_directory, name)
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        self.save(path)
        return name


def read_conda_file(path: str) -> dict[str, Any]:
    """Return the content of a conda file; raises UserErrorException with its line where it cannot be read."""
    import yaml

    try:
        with open(path, encoding="utf-8") as file:
            found = yaml.safe_load(file)
    except OSError as error:
        raise UserErrorException(f"the conda file '{path}' cannot be read: {error.strerror}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark is not None else path
        raise UserErrorException(f"{place}: the conda file is not YAML: {getattr(error, 'problem', error)}") from None
    if not isinstance(found, dict):
        raise UserErrorException(f"{path}: a conda file has the keys 'dependencies' and 'channels'")
    return found


def _get_package_name(requirement: str) -> str:
    match = _NAME.match(requirement.strip())
    return (match.group(0) if match else requirement).lower()


def _pin_package(package: str, version: str | None, sign: str) -> str:
    return f"{package}{sign}{version}" if version else package


def _to_list(packages: str | Sequence[str] | None) -> list[str]:
    return [packages] if isinstance(packages, str) else list(packages or ())
