"""The rows of computes, models, web services and what reads their state."""

from __future__ import annotations

from smalt.v1.mapping.rows import MappedName

_ATTACH = "it is kept as a name for this machine, where its jobs run"
_SPARK = "v2 has no HDInsight; it is kept as a name for this machine, and its PySpark runs are Spark jobs"
_SERVICE = "a service is an online endpoint with one deployment of one model, and always wants a key"

ROWS = (
    MappedName("ComputeTarget", "ml_client.compute.get(name)"),
    MappedName("ComputeTarget.create", "ml_client.compute.begin_create_or_update(compute).result()"),
    MappedName(
        "ComputeTarget.attach",
        "ml_client.compute.begin_create_or_update(compute)",
        "differs",
        "see the kind of compute",
    ),
    MappedName(
        "ComputeTarget.wait_for_completion", "result() of begin_create_or_update", "differs", "it is there at once"
    ),
    MappedName(
        "ComputeTarget.get_status", "ml_client.compute.get(name)", "differs", "v2 answers with the compute itself"
    ),
    MappedName("ComputeTarget.status", "ml_client.compute.get(name)", "differs", "v2 answers with the compute itself"),
    MappedName("ComputeTarget.name", "compute.name"),
    MappedName("ComputeTarget.type", "compute.type", "differs", "v2 writes types in lower case: 'amlcompute'"),
    MappedName("ComputeTarget.provisioning_state", "compute.provisioning_state"),
    MappedName("ComputeTarget.provisioning_errors", "compute.provisioning_errors"),
    MappedName("ComputeTarget.cluster_resource_id", "compute.id"),
    MappedName(
        "ComputeTarget.list_nodes", "ml_client.compute.list_nodes(name)", "differs", "entities, not dictionaries"
    ),
    MappedName("ComputeTarget.update", "ml_client.compute.begin_create_or_update(compute)"),
    MappedName("ComputeTarget.delete", "ml_client.compute.begin_delete(name)"),
    MappedName("AmlCompute", "AmlCompute(name=…, size=…, min_instances=…, max_instances=…)"),
    MappedName("AmlCompute.provisioning_configuration", "AmlCompute(name=…, size=…, min_instances=…, max_instances=…)"),
    MappedName(
        "AmlCompute.supported_vmsizes", "ml_client.compute.list_sizes()", "differs", "entities, not dictionaries"
    ),
    MappedName("ComputeInstance", "ComputeInstance(name=…, size=…)"),
    MappedName("RemoteCompute", "VirtualMachineCompute(name=…, resource_id=…)", "differs", _ATTACH),
    MappedName(
        "RemoteCompute.attach_configuration", "VirtualMachineCompute(name=…, resource_id=…)", "differs", _ATTACH
    ),
    MappedName("DsvmCompute", "VirtualMachineCompute(name=…, resource_id=…)", "differs", _ATTACH),
    MappedName("AksCompute", "KubernetesCompute(name=…, resource_id=…)", "refused", "deploy to an online endpoint"),
    MappedName("HDInsightCompute", "none", "differs", _SPARK),
    MappedName("HDInsightCompute.attach_configuration", "none", "differs", _SPARK),
    MappedName("SynapseCompute", "SynapseSparkCompute(name=…, resource_id=…)", "differs", _ATTACH),
    MappedName("SynapseCompute.attach_configuration", "SynapseSparkCompute(name=…, resource_id=…)", "differs", _ATTACH),
    MappedName("BatchCompute", "none", "refused", "v2 has no Azure Batch step; make it a command job"),
    MappedName(
        "AdlaCompute", "none", "refused", "Azure Data Lake Analytics was shut down in 2024; make it a Spark job"
    ),
    MappedName(
        "DatabricksCompute",
        "none",
        "refused",
        "v2 has no Databricks step; run its file as a Spark job, or call Databricks from a command",
    ),
    MappedName("KustoCompute", "none", "refused", "v2 has no Kusto step; use azure-kusto-data in a command"),
    MappedName("DataFactoryCompute", "none", "differs", "v2's data transfer needs no compute of its own"),
    MappedName("LinkedService", "none", "differs", "v2 names a Synapse pool by a SynapseSparkCompute"),
    MappedName(
        "SynapseWorkspaceLinkedServiceConfiguration",
        "none",
        "differs",
        "v2 names a Synapse pool by a SynapseSparkCompute",
    ),
    # Models
    MappedName("Model", "ml_client.models.get(name, label='latest')"),
    MappedName("Model.register", "ml_client.models.create_or_update(Model(name=…, path=…))"),
    MappedName("Model.list", "ml_client.models.list(name)"),
    MappedName(
        "Model.download",
        "ml_client.models.download(name, version, download_path)",
        "differs",
        "v2 returns nothing, and makes a folder of the model's name",
    ),
    MappedName(
        "Model.get_model_path",
        "an input of type custom_model",
        "differs",
        "give the model to the job as an input, and its path as an argument",
    ),
    MappedName("Model.name", "model.name"),
    MappedName("Model.version", "model.version", "differs", "text in v2, a number in v1"),
    MappedName("Model.id", "model.id", "differs", "v2's id is a path of the service, not name:version"),
    MappedName("Model.tags", "model.tags"),
    MappedName("Model.delete", "ml_client.models.archive(name, version)", "differs", "v2 archives models"),
    MappedName("Model.deploy", "ml_client.online_deployments.begin_create_or_update(deployment)", "differs", _SERVICE),
    MappedName(
        "Model.forecast",
        "none",
        "refused",
        "it is a method of the model that a script loads, not of the registered one",
    ),
    MappedName("InferenceConfig", "CodeConfiguration(code=…, scoring_script=…) of a deployment", "differs", _SERVICE),
    MappedName("AciWebservice", "ManagedOnlineEndpoint and ManagedOnlineDeployment", "differs", _SERVICE),
    MappedName(
        "AciWebservice.deploy_configuration",
        "ManagedOnlineDeployment(instance_type=…, instance_count=…)",
        "differs",
        _SERVICE,
    ),
    MappedName("AksWebservice", "KubernetesOnlineEndpoint and KubernetesOnlineDeployment", "differs", _SERVICE),
    MappedName("LocalWebservice", "begin_create_or_update(endpoint, local=True)", "differs", _SERVICE),
    MappedName("Webservice", "ml_client.online_endpoints.get(name)", "differs", _SERVICE),
    MappedName("Webservice.wait_for_deployment", "result() of begin_create_or_update", "differs", _SERVICE),
    MappedName("Webservice.run", "ml_client.online_endpoints.invoke(endpoint_name, request_file)", "differs", _SERVICE),
    MappedName(
        "Webservice.get_logs", "ml_client.online_deployments.get_logs(name, endpoint_name, lines)", "differs", _SERVICE
    ),
    MappedName("Webservice.get_keys", "ml_client.online_endpoints.get_keys(name)", "differs", _SERVICE),
    MappedName("Webservice.scoring_uri", "endpoint.scoring_uri", "differs", _SERVICE),
    MappedName("Webservice.state", "endpoint.provisioning_state", "differs", _SERVICE),
    MappedName("Webservice.delete", "ml_client.online_endpoints.begin_delete(name)", "differs", _SERVICE),
)
