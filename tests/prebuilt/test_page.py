"""The components' YAML against their code, their examples and their page."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

import yaml
from smalt.prebuilt import reference
from tests.prebuilt import FOLDER
from tests.prebuilt.runs import NAMES, find_module, read_component

PAGE = FOLDER.parents[2] / "docs/prebuilt.md"


def test_the_page_is_what_the_components_say() -> None:
    """docs/prebuilt.md has each port: python -m smalt.prebuilt.reference docs/prebuilt.md makes it so."""
    _, mark, made = PAGE.read_text().partition(reference.MARK)
    assert mark
    assert made == reference.render_reference()


@pytest.mark.parametrize("name", NAMES)
def test_a_component_says_what_it_is(name: str) -> None:
    """Its name is that of its folder; each port has a description, and each parameter a default or is needed."""
    component = read_component(name)
    assert (component["name"], component["version"]) == (name, "1")
    assert component["tags"]["category"] in reference.CATEGORIES
    assert component["display_name"]
    assert component["description"].endswith(".")
    for port in [*(component.get("inputs") or {}).values(), *component["outputs"].values()]:
        assert port["description"].rstrip("`").endswith("."), port
        assert not {*port} - {"type", "enum", "min", "max", "default", "optional", "description"}
        assert not ("default" in port and port.get("optional"))
        if "enum" in port and "default" in port:
            assert port["default"] in port["enum"]


@pytest.mark.parametrize("name", NAMES)
def test_each_port_is_read_by_the_code(name: str) -> None:
    """A port or value of an enum that no code names would be read and ignored."""
    component = read_component(name)
    module, argument = find_module(component["command"])
    place = importlib.util.find_spec(module)
    assert place is not None
    assert place.origin is not None
    code = Path(place.origin).read_text()
    if argument:
        code += (FOLDER / "code/smalt_prebuilt/learners/catalogue.py").read_text()
    for port in [*(component.get("inputs") or {}), *component["outputs"]]:
        text = re.sub(r"\d$", "", port)  # dataset1 and dataset2 may be named together
        assert re.search(rf"[\"'(]{text}", code), f"{module} does not read {port}"


def test_each_component_has_an_example() -> None:
    """One step of one pipeline, which is whole: a YAML of steps by the components' names."""
    document: dict[str, Any] = yaml.safe_load((FOLDER / "examples.yml").read_text())
    assert sorted(document["jobs"]) == NAMES
    for name, step in document["jobs"].items():
        assert step["component"] == f"azureml://registries/smalt/components/{name}/labels/latest"
    assert {name: yaml.safe_load(text)[name] for name, text in reference.load_examples().items()} == document["jobs"]


def test_the_requirements_have_upper_bounds() -> None:
    lines = (FOLDER / "requirements.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[\w-]+>=[\d.]+,<\d+", line) for line in lines if not line.startswith("#"))
