"""Full documents of what is kept as it is described."""

from __future__ import annotations

from typing import Any

ONLINE_ENDPOINT: dict[str, Any] = {
    "name": "served",
    "auth_mode": "aml_token",
    "location": "here",
    "description": "d",
    "tags": {"a": "b"},
    "properties": {"p": "q"},
    "traffic": {"blue": 90, "green": 10},
    "mirror_traffic": {"green": 5},
    "public_network_access": "disabled",
    "identity": {"type": "user_assigned", "user_assigned_identities": [{"resource_id": "/x"}]},
}
ONLINE_DEPLOYMENT: dict[str, Any] = {
    "name": "blue",
    "type": "managed",
    "model": "azureml:m:1",
    "environment": "azureml:e:1",
    "code_configuration": {"code": "azureml:c:1", "scoring_script": "s.py"},
    "environment_variables": {"A": "B"},
    "tags": {"a": "b"},
    "instance_type": "Standard_DS3_v2",
    "instance_count": 2,
    "app_insights_enabled": True,
    "scale_settings": {"type": "default"},
    "request_settings": {"request_timeout_ms": 90000, "max_queue_wait_ms": 100},
    "liveness_probe": {"initial_delay": 10, "period": 20, "timeout": 2, "failure_threshold": 3},
    "data_collector": {"collections": {"inputs": {"enabled": True}}, "rolling_rate": "hour"},
    "egress_public_network_access": "disabled",
}
CLUSTER_DEPLOYMENT: dict[str, Any] = {
    "name": "green",
    "type": "kubernetes",
    "model": "azureml:m:1",
    "instance_count": 1,
    "resources": {"requests": {"cpu": "0.1", "memory": "1Gi"}, "limits": {"cpu": "1", "gpu": "1"}},
    "scale_settings": {
        "type": "target_utilization",
        "min_instances": 1,
        "max_instances": 3,
        "polling_interval": 10,
        "target_utilization_percentage": 70,
    },
}
CONNECTION: dict[str, Any] = {
    "name": "c",
    "type": "azure_sql_db",
    "target": "Server=x",
    "description": "d",
    "is_shared": False,
    "credentials": {"type": "service_principal", "tenant_id": "t", "client_id": "c", "client_secret": "s"},
    "metadata": {"k": "v"},
}
FEATURE_SET: dict[str, Any] = {
    "name": "f",
    "version": "1",
    "entities": ["azureml:e:1"],
    "specification": {"path": "azureml://datastores/a/paths/b"},
    "stage": "Production",
    "description": "d",
    "materialization_settings": {
        "offline_enabled": True,
        "schedule": {"type": "recurrence", "frequency": "day", "interval": 1},
        "resource": {"instance_type": "S"},
        "notification": {"email_on": ["JobFailed"], "emails": ["a@b"]},
        "spark_configuration": {"a": "1"},
    },
}
FEATURE_STORE_ENTITY: dict[str, Any] = {
    "name": "e",
    "version": "1",
    "index_columns": [{"name": "id", "type": "string"}],
    "stage": "Development",
    "tags": {"a": "b"},
}
IMPORT: dict[str, Any] = {
    "name": "s",
    "trigger": {"type": "cron", "expression": "1 1 * * *"},
    "import_data": {
        "name": "rows",
        "type": "mltable",
        "path": "azureml://datastores/a/paths/b",
        "source": {"type": "database", "connection": "azureml:c", "query": "select 1"},
    },
}

SAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "online endpoint": ("online_endpoint", ONLINE_ENDPOINT),
    "cluster endpoint": ("online_endpoint", {"name": "served", "auth_mode": "key", "compute": "azureml:k8s"}),
    "online deployment": ("online_deployment", ONLINE_DEPLOYMENT),
    "cluster deployment": ("online_deployment", CLUSTER_DEPLOYMENT),
    "connection": ("connection", CONNECTION),
    "feature set": ("feature_set", FEATURE_SET),
    "feature store entity": ("feature_store_entity", FEATURE_STORE_ENTITY),
    "index": ("index", {"name": "i", "version": "1", "path": "azureml://datastores/a/paths/b", "tags": {"a": "b"}}),
    "import schedule": ("schedule", IMPORT),
    "serverless endpoint": ("serverless_endpoint", {"name": "less", "model_id": "azureml://registries/r/models/m"}),
    "subscription": ("marketplace_subscription", {"name": "sub", "model_id": "azureml://registries/r/models/m"}),
}
