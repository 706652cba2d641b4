"""GitOps: whatever is dumped loads as an equal entity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from smalt.entities.schema.entity import Entity
from smalt.entities.schema.kinds import KINDS
from smalt.entities.schema.nested import load_noun
from smalt.exceptions import ValidationException
from smalt.yaml import load, load_text
from smalt.yaml.dumping import dump_plain
from tests.entities.documents import documents

QUICK = settings(max_examples=30)


TYPES = [
    (kind, load_noun(where))
    for kind, table in KINDS.items()
    for where in ([table] if isinstance(table, str) else table.values())
]
"""Each kind, and each type of it."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the documents name."""
    made = tmp_path_factory.mktemp("files")
    (made / "folder").mkdir()
    (made / "deeper").mkdir()
    (made / "folder" / "file.txt").write_text("")
    (made / "conda.yml").write_text("dependencies: [pip]\n")
    (made / "environment.yml").write_text("name: e\nversion: 3\nimage: i\nconda_file: conda.yml\n")
    (made / "component.yml").write_text("name: c\ncommand: ls\ncode: folder\nenvironment: file:environment.yml\n")
    (made / "job.yml").write_text("jobs: {a: {type: command, component: component.yml}}\n")
    (made / "model.yml").write_text("name: m\npath: folder\n")
    (made / "data_import.yml").write_text(
        "name: d\npath: azureml://datastores/x/paths/y\nsource: {type: database, query: q, connection: azureml:c}\n"
    )
    return made


@pytest.mark.parametrize(("kind", "noun"), TYPES, ids=lambda part: part if isinstance(part, str) else part.__name__)
@QUICK
@given(data=st.data())
def test_what_is_dumped_loads_as_an_equal_entity(kind: str, noun: type[Entity], folder: Path, data: Any) -> None:
    """Of any kind, with any of its keys: entity.dump(file), and the file, in any folder, loads as the same."""
    document = data.draw(documents(noun))
    try:
        entity = load_text(dump_plain(document), kind, folder=str(folder))
    except ValidationException:
        assume(False)
    path = folder / data.draw(st.sampled_from(("dumped.yml", "deeper/dumped.yml")))
    entity.dump(path)
    again = load(path, kind)
    assert again == entity
    assert again.to_dict() == entity.to_dict()
