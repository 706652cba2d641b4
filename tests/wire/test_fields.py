"""What docs/fields.md calls kept or acted on comes through to the server."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import Phase, given, settings

from smalt.entities import ModelBatchDeployment
from smalt.entities.schema import effects as effect
from smalt.entities.schema.entity import Entity
from smalt.entities.schema.field_table import list_nouns
from smalt.entities.schema.reader import Reader
from smalt.exceptions import SmaltError
from smalt.wire import from_rest, to_rest
from tests.entities.documents import documents

NOT_SENT = {"registry", "step", "part", "data_import"}
"""What has no body of its own."""

OF_THE_CLIENT = {
    ("datastore",): "names the datastore of an upload, which the client makes",
    ("endpoint_name",): "is in the URL",
    ("resource_group",): "is in the URL",
    ("credentials",): "of type none are none on the wire",
    ("create_job",): "may be empty",
    ("create_monitor", "import_data"): "may be empty, or stand beside a job, which a schedule has in place of it",
}
CONNECTIONS = {"url", "account_name", "container_name", "endpoint", "azure_endpoint", "api_base", "api_key"} | {
    *(
        "api_version",
        "open_ai_resource_id",
        "ai_services_resource_id",
        "one_lake_workspace_name",
        "artifact",
        "api_type",
    )
}
"""Parts of a connection's target, credentials and metadata, which is what is sent."""

SENT = [
    (kind, noun)
    for kind, classes in list_nouns().items()
    if kind not in NOT_SENT
    for noun in classes
    if noun._effect != effect.REFUSED
]


@pytest.mark.parametrize(("kind", "noun"), SENT, ids=lambda one: getattr(one, "__name__", ""))
def test_what_is_kept_comes_through(kind: str, noun: type[Entity]) -> None:
    """A field that is not called 'no effect' or 'refused' is there again after the way to the server and back."""
    lost: set[str] = set()

    @settings(
        max_examples=20, database=None, derandomize=True, phases=[Phase.generate],
    )  # fmt: skip
    @given(documents(noun))
    def send(document: dict[str, Any]) -> None:
        entity = noun._read_data(document, (), Reader())
        assert entity is not None
        try:
            body = json.loads(json.dumps(to_rest(entity)))
        except SmaltError:
            return
        named = {"name": getattr(entity, "name", None), "version": getattr(entity, "version", None)}
        try:
            back = from_rest({**body, **named}, kind)
        except SmaltError:
            return
        for name in noun._fields:
            is_meant = noun._find_effect(name) in (effect.KEPT, effect.ACTED)
            is_said = _is_set(entity, name) and document.get(name) != {}
            if is_meant and is_said and not _is_set(back, name):
                lost.add(name)

    send()
    lost -= {name for names in OF_THE_CLIENT for name in names}
    if issubclass(noun, ModelBatchDeployment):
        lost -= {"settings"}  # they may come back beside it, where older files have them
    assert lost - (CONNECTIONS if kind == "connection" else set()) == set()


def _is_set(entity: Any, name: str) -> bool:
    value = vars(entity).get(name)
    return value not in (None, {}, [], "", False) and value != entity._fields[name].default
