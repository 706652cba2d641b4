"""Endpoints and deployments, connections, feature sets: what smalt keeps and does not act on yet."""

from __future__ import annotations

import desk
from azure.ai.ml import dsl, load_component
from azure.ai.ml.entities import (
    AccessKeyConfiguration,
    ApiKeyConfiguration,
    BatchEndpoint,
    BatchRetrySettings,
    CodeConfiguration,
    DataColumn,
    DataColumnType,
    DefaultScaleSettings,
    FeatureSet,
    FeatureSetSpecification,
    FeatureStoreEntity,
    FqdnDestination,
    KubernetesOnlineEndpoint,
    ManagedOnlineDeployment,
    ManagedOnlineEndpoint,
    MarketplaceSubscription,
    Model,
    ModelBatchDeployment,
    ModelBatchDeploymentSettings,
    OnlineRequestSettings,
    PipelineComponentBatchDeployment,
    ProbeSettings,
    ServerlessEndpoint,
    UsernamePasswordConfiguration,
    WorkspaceConnection,
)
from desk import HOST, folder, ml, refused, waited, write

STEP = f"""
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
type: command
name: step
version: "1"
inputs:
  n: {{type: integer, default: 1}}
command: echo ${{{{inputs.n}}}}
environment: {HOST}
"""

SPECIFICATION = """
source:
  type: parquet
  path: x
  timestamp_column:
    name: t
features:
  - {name: f, type: string}
index_columns:
  - {name: account, type: string}
"""


def it_keeps_batch_endpoints() -> None:
    """With the deployments of a pipeline component and of a model, which needs data."""
    endpoint = BatchEndpoint(name="batch-one", description="d", tags={"a": "b"})
    assert waited(ml.begin_create_or_update(endpoint)).name == "batch-one"
    component = ml.components.create_or_update(load_component(write("step.yml", STEP)))

    @dsl.pipeline()
    def deployed(n=3):  # type: ignore[no-untyped-def]
        component(n=n)

    of_pipeline = PipelineComponentBatchDeployment(
        name="steps", endpoint_name="batch-one", component=deployed().component, settings={"default_compute": "cpu"}
    )
    assert waited(ml.batch_deployments.begin_create_or_update(of_pipeline)).name == "steps"
    write("model/weights", "1")
    write("score/score.py", "def init(): ...\ndef run(batch): ...\n")
    of_model = ModelBatchDeployment(
        name="scores",
        endpoint_name="batch-one",
        model=Model(name="scored", path=str(folder / "model")),
        environment=HOST,
        compute="cpu",
        code_configuration=CodeConfiguration(code=str(folder / "score"), scoring_script="score.py"),
        settings=ModelBatchDeploymentSettings(
            instance_count=2,
            mini_batch_size=5,
            output_action="append_row",
            output_file_name="p.csv",
            retry_settings=BatchRetrySettings(max_retries=3, timeout=300),
        ),
    )
    made = waited(ml.batch_deployments.begin_create_or_update(of_model))
    assert (made.name, made.endpoint_name) == ("scores", "batch-one")
    again = ml.batch_endpoints.get("batch-one")
    again.defaults.deployment_name = "scores"
    assert waited(ml.batch_endpoints.begin_create_or_update(again)).defaults.deployment_name == "scores"
    assert sorted(one.name for one in ml.batch_deployments.list("batch-one")) == ["scores", "steps"]
    assert ml.batch_deployments.get("scores", "batch-one").mini_batch_size == 5
    assert [one.name for one in ml.batch_endpoints.list()] == ["batch-one"]
    assert "one input of data" in refused(lambda: ml.batch_endpoints.invoke(endpoint_name="batch-one"))
    assert list(ml.batch_endpoints.list_jobs("batch-one")) == []
    waited(ml.batch_deployments.begin_delete("steps", "batch-one"))
    waited(ml.batch_endpoints.begin_delete("batch-one"))
    assert "no batch endpoint" in refused(lambda: ml.batch_endpoints.get("batch-one"))


def it_keeps_online_endpoints() -> None:
    """With their deployments, which fail with their reason where they cannot be served."""
    endpoint = ManagedOnlineEndpoint(name="online-one", auth_mode="key", description="d", tags={"a": "b"})
    made = waited(ml.online_endpoints.begin_create_or_update(endpoint))
    assert (type(made).__name__, made.name, made.auth_mode) == ("ManagedOnlineEndpoint", "online-one", "key")
    write("model/weights", "1")
    write("score/score.py", "def init(): ...\ndef run(batch): ...\n")
    blue = ManagedOnlineDeployment(
        name="blue",
        endpoint_name="online-one",
        model=Model(name="served", path=str(folder / "model")),
        environment=HOST,
        code_configuration=CodeConfiguration(code=str(folder / "score"), scoring_script="score.py"),
        instance_type="Standard_DS3_v2",
        instance_count=2,
        environment_variables={"A": "B"},
        request_settings=OnlineRequestSettings(request_timeout_ms=90000),
        liveness_probe=ProbeSettings(initial_delay=10),
        scale_settings=DefaultScaleSettings(),
    )
    failed = refused(lambda: ml.online_deployments.begin_create_or_update(blue).result())
    assert "azureml-inference-server-http" in failed, failed
    found = ml.online_deployments.get("blue", "online-one")
    assert (found.name, found.instance_count, found.request_settings.request_timeout_ms) == ("blue", 2, 90000)
    assert (found.provisioning_state, found.environment_variables) == ("Failed", {"A": "B"})
    made.traffic = {"blue": 100}
    assert waited(ml.online_endpoints.begin_create_or_update(made)).traffic == {"blue": 100}
    assert [one.name for one in ml.online_deployments.list("online-one")] == ["blue"]
    on_cluster = KubernetesOnlineEndpoint(name="cluster-one", compute="k8s", auth_mode="aml_token")
    assert type(waited(ml.online_endpoints.begin_create_or_update(on_cluster))).__name__ == "KubernetesOnlineEndpoint"
    assert sorted(one.name for one in ml.online_endpoints.list()) == ["cluster-one", "online-one"]
    assert ml.online_endpoints.get_keys("cluster-one").access_token
    before = ml.online_endpoints.get_keys("online-one")
    waited(ml.online_endpoints.begin_regenerate_keys("online-one", key_type="secondary"))
    after = ml.online_endpoints.get_keys("online-one")
    assert (before.primary_key, before.secondary_key != after.secondary_key) == (after.primary_key, True)
    write("request.json", "{}")
    call = {"endpoint_name": "online-one", "request_file": str(folder / "request.json"), "deployment_name": "blue"}
    assert "does not serve yet" in refused(lambda: ml.online_endpoints.invoke(**call))
    waited(ml.online_endpoints.begin_delete("online-one"))
    assert "no online endpoint" in refused(lambda: ml.online_endpoints.get("online-one"))


def it_keeps_connections() -> None:
    """Their secrets come back only to who asks for them."""
    keys = AccessKeyConfiguration(access_key_id="me", secret_access_key="hidden")
    made = ml.connections.create_or_update(
        WorkspaceConnection(name="bucket", type="s3", target="https://s3", credentials=keys)
    )
    assert (made.name, made.type, made.target) == ("bucket", "s3", "https://s3")
    assert ml.connections.get("bucket").credentials.secret_access_key is None
    api = WorkspaceConnection(
        name="api", type="api_key", target="https://api", credentials=ApiKeyConfiguration(key="k")
    )
    ml.connections.create_or_update(api)
    assert ml.connections.get("api", populate_secrets=True).credentials.key == "k"
    assert ml.connections.get("api").credentials.key is None
    login = UsernamePasswordConfiguration(username="me", password="hidden")
    ml.connections.create_or_update(
        WorkspaceConnection(name="flakes", type="snowflake", target="jdbc:snowflake://x", credentials=login)
    )
    assert sorted(one.name for one in ml.connections.list()) == ["api", "bucket", "flakes"]
    assert [one.name for one in ml.connections.list(connection_type="s3")] == ["bucket"]
    ml.connections.delete("bucket")
    assert "no connection" in refused(lambda: ml.connections.get("bucket"))


def it_keeps_what_is_bought_elsewhere() -> None:
    """Serverless endpoints and marketplace subscriptions."""
    model = "azureml://registries/azureml/models/some-model"
    assert ml.serverless_endpoints.begin_create_or_update(ServerlessEndpoint(name="less", model_id=model)).result()
    assert ml.serverless_endpoints.get("less").model_id == model
    assert "no model of the marketplace" in refused(lambda: ml.serverless_endpoints.get_keys("less"))
    subscription = MarketplaceSubscription(name="sub", model_id=model)
    assert ml.marketplace_subscriptions.begin_create_or_update(subscription).result().model_id == model
    assert [one.name for one in ml.marketplace_subscriptions.list()] == ["sub"]


def it_keeps_feature_sets() -> None:
    """And the entities that they are about."""
    columns = [DataColumn(name="account", type=DataColumnType.STRING)]
    entity = FeatureStoreEntity(name="account", version="1", index_columns=columns, stage="Development")
    assert ml.feature_store_entities.begin_create_or_update(entity).result().index_columns[0].name == "account"
    write("set/FeatureSetSpec.yaml", SPECIFICATION)
    features = FeatureSet(
        name="set",
        version="1",
        entities=["azureml:account:1"],
        specification=FeatureSetSpecification(path=str(folder / "set")),
    )
    assert ml.feature_sets.begin_create_or_update(features).result().name == "set"
    assert [one.name for one in ml.feature_sets.list()] == ["set"]


def it_keeps_outbound_rules() -> None:
    """Of a workspace's network."""
    name = ml.workspace_name
    rule = FqdnDestination(name="site", destination="example.org")
    made = ml.workspace_outbound_rules.begin_create(workspace_name=name, rule=rule).result()
    assert made.destination == "example.org"
    assert [one.name for one in ml.workspace_outbound_rules.list(name)] == ["site"]
    ml.workspace_outbound_rules.begin_remove(name, "site").result()
    assert list(ml.workspace_outbound_rules.list(name)) == []


def it_lists_sizes_of_machines() -> None:
    """This machine, and the cloud's sizes by name."""
    sizes = {one.name.lower(): one.gpus for one in ml.compute.list_sizes()}
    assert sizes["standard_nc6s_v3"] == 1
    assert sizes[ml.compute.get("any-name").size.lower()] is not None


if __name__ == "__main__":
    desk.report()
