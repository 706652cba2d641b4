"""Schedules, endpoints, connections, feature sets: created, listed, changed, deleted; what would act is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smalt import MLClient
from smalt.exceptions import Conflict, DeploymentException, NotFound, RefusedError, SmaltError, ValidationException
from tests.client.documents import make

CRON = {"type": "cron", "expression": "15 10 * * 1"}


def schedule(name: str = "s", **more: Any) -> Any:
    job = {"type": "command", "command": "true", "environment": "azureml:host@latest"}
    return make("schedule", **{"name": name, "trigger": CRON, "create_job": job, **more})


def online(name: str = "one", **more: Any) -> Any:
    return make("online_endpoint", **{"name": name, "auth_mode": "key", **more})


def test_schedules_are_switched_on_and_off(client: MLClient, capsys: pytest.CaptureFixture[str]) -> None:
    """They are on from the beginning, and the list has those that are on."""
    made = client.schedules.begin_create_or_update(schedule(display_name="S")).result()
    assert (made.name, made.is_enabled, made.trigger.expression, made.create_job.command) == (
        *("s", True, "15 10 * * 1"),
        "true",
    )
    assert client.schedules.begin_disable("s").result().is_enabled is False
    assert list(client.schedules.list()) == []
    assert [one.name for one in client.schedules.list(list_view_type="All")] == ["s"]
    assert client.schedules.begin_enable("s").result().is_enabled is True
    assert [one.display_name for one in client.schedules.list()] == ["S"]
    client.schedules.begin_delete("s").result()
    with pytest.raises(NotFound, match="no schedule 's'"):
        client.schedules.get("s")
    with pytest.raises(NotFound, match="no schedule 's'"):
        client.schedules.begin_delete("s")


def test_endpoints_have_deployments(client: MLClient, tmp_path: Path) -> None:
    """A model that is described in place is registered; with the endpoint its deployments are gone."""
    (tmp_path / "weights").write_text("1")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "score.py").write_text("def init(): ...\ndef run(raw): return 1\n")
    client.begin_create_or_update(online(tags={"a": "b"})).result()
    deployment = make(
        "online_deployment",
        name="blue",
        endpoint_name="one",
        model={"path": str(tmp_path / "weights")},
        environment="azureml:host@latest",
        code_configuration={"code": str(tmp_path / "code"), "scoring_script": "score.py"},
        instance_count=3,
        request_settings={"request_timeout_ms": 90_000},
        environment_variables={"A": "B"},
    )
    with pytest.raises(DeploymentException, match="the host's Python has no azureml-inference-server-http"):
        client.online_deployments.begin_create_or_update(deployment).result()
    assert client.models.get("one-blue").version == "1"
    endpoint = client.online_endpoints.get("one")
    assert endpoint.traffic == {"blue": 0}
    endpoint.traffic = {"blue": 100}
    assert client.online_endpoints.begin_create_or_update(endpoint).result().traffic == {"blue": 100}
    (listed,) = client.online_deployments.list("one")
    assert (listed.instance_count, listed.provisioning_state) == (3, "Failed")
    assert (listed.request_settings.request_timeout_ms, listed.environment_variables) == (90_000, {"A": "B"})
    with pytest.raises(Conflict, match="has 100 percent of the traffic"):
        client.online_deployments.begin_delete("blue", "one")
    client.online_endpoints.begin_delete("one").wait()
    client.begin_create_or_update(online())
    assert list(client.online_deployments.list("one")) == []


def test_what_cannot_serve_is_refused_before_anything_is_made(client: MLClient, tmp_path: Path) -> None:
    """One sentence each: a script that is not in its code, a model without one, traffic to what is not there."""
    (tmp_path / "weights").write_text("1")
    (tmp_path / "score.py").write_text("")
    client.begin_create_or_update(online())
    given = {"name": "blue", "endpoint_name": "one", "model": {"path": str(tmp_path / "weights")}}
    code = {"code": str(tmp_path), "scoring_script": "other.py"}
    for more, said in (
        ({}, "a model that is no MLflow model needs a scoring script"),
        ({"code_configuration": code, "environment": "azureml:host@latest"}, "there is no file 'other.py' in the code"),
        ({"code_configuration": {**code, "scoring_script": "score.py"}}, "needs an 'environment'"),
    ):
        with pytest.raises(SmaltError, match=said):
            client.online_deployments.begin_create_or_update(make("online_deployment", **given, **more))
    assert list(client.online_deployments.list("one")) == []
    for traffic, said in (({"green": 100}, "names 'green', which is no deployment"), ({"green": 50}, "add up to 50")):
        with pytest.raises(ValidationException, match=said):
            client.begin_create_or_update(online(traffic=traffic))
    with pytest.raises(NotFound, match="no online endpoint 'two'"):
        client.online_deployments.get("blue", "two")


def test_an_endpoint_has_keys_or_tokens(client: MLClient, tmp_path: Path) -> None:
    """Two keys, either of which can be replaced, or a token that ends; never both."""
    client.begin_create_or_update(online())
    before = client.online_endpoints.get_keys("one")
    client.online_endpoints.begin_regenerate_keys("one", key_type="secondary").wait()
    after = client.online_endpoints.get_keys("one")
    assert before.primary_key == after.primary_key
    assert before.secondary_key != after.secondary_key
    client.begin_create_or_update(online("two", auth_mode="aml_token"))
    token = client.online_endpoints.get_keys("two")
    assert token.expiry_time_utc > token.refresh_after_time_utc
    with pytest.raises(RefusedError, match="has no keys"):
        client.online_endpoints.begin_regenerate_keys("two")
    (tmp_path / "r.json").write_text("{}")
    with pytest.raises(NotFound, match="sends its requests to no deployment"):
        client.online_endpoints.invoke("one", request_file=tmp_path / "r.json")
    (tmp_path / "r.json").write_text("no")
    with pytest.raises(ValidationException, match="the request is not JSON"):
        client.online_endpoints.invoke("one", request_file=str(tmp_path / "r.json"))


def test_batch_endpoints_have_defaults_from_the_beginning(client: MLClient, tmp_path: Path) -> None:
    """Programs set `endpoint.defaults.deployment_name` on what they get."""
    client.batch_endpoints.begin_create_or_update(make("batch_endpoint", name="b")).result()
    endpoint = client.batch_endpoints.get("b")
    endpoint.defaults.deployment_name = "d"
    with pytest.raises(ValidationException, match="'d' is no deployment of endpoint 'b'"):
        client.batch_endpoints.begin_create_or_update(endpoint)
    (tmp_path / "weights").write_text("1")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "score.py").write_text("def run(mini_batch): ...")
    given = {"name": "d", "endpoint_name": "b", "model": {"path": str(tmp_path / "weights")}, "compute": "cpu"}
    given |= {"code_configuration": {"code": str(tmp_path / "code"), "scoring_script": "score.py"}}
    given |= {"environment": "azureml:host"}
    made: Any = client.batch_deployments.begin_create_or_update(
        make("batch_deployment", **given, settings={"mini_batch_size": 5, "instance_count": 2})
    ).result()
    assert (made.endpoint_name, made.mini_batch_size, made.resources.instance_count) == ("b", 5, 2)
    assert client.batch_endpoints.begin_create_or_update(endpoint).result().defaults.deployment_name == "d"
    with pytest.raises(ValidationException, match="one input of data"):
        client.batch_endpoints.invoke("b")
    assert list(client.batch_endpoints.list_jobs("b")) == []


def test_secrets_of_connections_are_kept_sealed(client: MLClient) -> None:
    """They come back to who asks for them, and lie nowhere in plain text."""
    credentials = {"type": "username_password", "username": "me", "password": "hidden-words"}
    given = make("connection", name="c", type="snowflake", target="https://x", credentials=credentials)
    assert client.connections.create_or_update(given).credentials.password is None  # type: ignore[union-attr]
    found: Any = client.connections.get("c", populate_secrets=True)
    assert (found.type, found.target, found.credentials.username) == ("snowflake", "https://x", "me")
    assert found.credentials.password == "hidden-words"
    shown = client.connections.get("c")
    shown.description = "changed"
    client.connections.create_or_update(shown)
    again: Any = client.connections.get("c", populate_secrets=True)
    assert again.credentials.password == "hidden-words"
    home: Any = client.connection.server
    files = [*home.home.root.glob("*.sqlite*"), *home.home.root.glob("*.db*")]
    assert files
    assert not any(b"hidden-words" in path.read_bytes() for path in files)
    assert [one.name for one in client.connections.list("snowflake")] == ["c"]
    client.connections.delete("c")
    with pytest.raises(NotFound, match="no connection 'c'"):
        client.connections.get("c")


@pytest.mark.parametrize(
    ("type", "said"),
    [
        ("azure_open_ai", {"azure_endpoint": "https://x", "api_version": "1", "open_ai_resource_id": "/r"}),
        ("azure_ai_services", {"endpoint": "https://x", "ai_services_resource_id": "/r"}),
        ("azure_ai_search", {"endpoint": "https://x"}),
        ("azure_content_safety", {"endpoint": "https://x"}),
        ("azure_speech_services", {"endpoint": "https://x"}),
        ("serverless", {"endpoint": "https://x"}),
        ("api_key", {"api_base": "https://x"}),
    ],
)
def test_a_connection_answers_by_the_names_that_it_was_made_with(
    client: MLClient, type: str, said: dict[str, str]
) -> None:
    """Its address, key and metadata; what is changed by such a name is changed."""
    client.connections.create_or_update(make("connection", name="c", type=type, api_key="k", **said))
    found: Any = client.connections.get("c", populate_secrets=True)
    assert (found.type, found.target, found.api_key) == (type, "https://x", "k")
    assert {name: getattr(found, name) for name in said} == said
    address = next(name for name, value in said.items() if value == "https://x")
    setattr(found, address, "https://y")
    found.api_key = "other"
    client.connections.create_or_update(found)
    again: Any = client.connections.get("c", populate_secrets=True)
    assert (again.target, getattr(again, address), again.api_key) == ("https://y", "https://y", "other")


def test_a_service_without_a_key_is_opened_as_the_user(client: MLClient) -> None:
    """By Entra ID, as its class in the official SDK has it."""
    client.connections.create_or_update(make("connection", name="c", type="azure_open_ai", azure_endpoint="https://x"))
    found: Any = client.connections.get("c")
    assert (found.credentials.type, found.api_key) == ("aad", None)


def test_feature_sets_have_versions(client: MLClient, tmp_path: Path) -> None:
    """As their entities and indexes; features are made by nobody."""
    entity = make("feature_store_entity", name="e", version="1", index_columns=[{"name": "id", "type": "string"}])
    assert client.feature_store_entities.begin_create_or_update(entity).result().index_columns[0].name == "id"
    (tmp_path / "FeatureSetSpec.yaml").write_text("features: []\n")
    given = {"name": "f", "version": "2", "entities": ["azureml:e:1"], "specification": {"path": str(tmp_path)}}
    client.feature_sets.begin_create_or_update(make("feature_set", **given)).result()
    assert client.feature_sets.get("f", "2").entities == ["azureml:e:1"]
    assert [one.latest_version for one in client.feature_sets.list()] == ["2"]
    client.feature_sets.archive("f", "2")
    assert list(client.feature_sets.list("f")) == []
    with pytest.raises(RefusedError, match="computes no features yet"):
        client.feature_sets.begin_backfill(name="f", version="2")
    index = client.indexes.create_or_update(make("index", name="i", path=str(tmp_path)))
    assert index.version == "1"
    assert client.indexes.get("i", label="latest").path == index.path


def test_feature_stores_are_workspaces(client: MLClient) -> None:
    """Of that kind, and listed apart."""
    name = f"store-of-{client.workspace_name}"
    made = client.begin_create_or_update(make("feature_store", name=name, description="d")).result()
    assert (made.name, made.description) == (name, "d")
    assert name in [one.name for one in client.feature_stores.list()]
    assert name in [one.name for one in client.workspaces.list(filtered_kinds="featurestore")]
    assert name not in [one.name for one in client.workspaces.list(filtered_kinds="default")]


def test_outbound_rules_and_subscriptions_are_kept(client: MLClient) -> None:
    """As they are described."""
    from smalt.entities.workspaces.workspace import PrivateEndpointDestination

    destination = {"service_resource_id": "/x", "subresource_target": "blob", "spark_enabled": True}
    rule = PrivateEndpointDestination.from_dict({"type": "private_endpoint", "name": "r", "destination": destination})
    kept: Any = client.workspace_outbound_rules.begin_create(client.workspace_name, rule).result()
    assert kept.destination.subresource_target == "blob"
    assert [one.name for one in client.workspace_outbound_rules.list(client.workspace_name)] == ["r"]
    client.workspace_outbound_rules.begin_remove(client.workspace_name, "r").result()
    subscription = make("marketplace_subscription", name="m", model_id="azureml://registries/azureml/models/x")
    assert client.create_or_update(subscription).result().status == "Unsubscribed"
    assert client.create_or_update(make("serverless_endpoint", name="less", model_id="x")).result().model_id == "x"


def test_what_is_of_the_cloud_alone_is_refused(client: MLClient) -> None:
    """In one sentence that says what to do."""
    calls = [
        lambda: client.capability_hosts.get("x"),
        lambda: client.deployment_templates.list(),
        lambda: client.azure_openai_deployments.list("x"),
        lambda: client.workspaces.begin_provision_network(),
        lambda: client.data.mount("azureml:x:1"),
        lambda: client.compute.enable_sso(name="local"),
    ]
    for call in calls:
        with pytest.raises(RefusedError) as caught:
            call()
        assert "\n" not in str(caught.value)
    assert "azureml" in [one.name for one in client.registries.list()]


def test_an_unnamed_one_is_refused(client: MLClient) -> None:
    """Before anything is sent."""
    nameless = schedule()
    nameless.name = None
    with pytest.raises(ValidationException, match="needs a name"):
        client.schedules.begin_create_or_update(nameless)
