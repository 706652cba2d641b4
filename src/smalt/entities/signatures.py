"""How nouns are called in Python: the parameters of the official SDK's classes, in its order and with its defaults.

What a noun *has* is said by its fields; this says which of it may be positional, what is set where nothing is given,
and what help shows. A noun that is not here takes its fields by name. `tests/surface` compares all of it with the
official SDK, and that each parameter arrives.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import inspect

_TEXT = """
APIKeyConnection(*, api_base, api_key=None, metadata=None, **kwargs)
AadCredentialConfiguration()
AcceleratorMap(*, accelerator_type, number_of_accelerators_per_model_instance, default=None, **kwargs)
AccessKeyConfiguration(*, access_key_id, secret_access_key)
AccountKeyConfiguration(*, account_key)
AlertNotification(*, emails=None)
AmlCompute(*, name, description=None, size=None, tags=None, ssh_public_access_enabled=None, ssh_settings=None,
    min_instances=0, max_instances=4, network_settings=None, idle_time_before_scale_down=120, identity=None,
    tier=None, enable_node_public_ip=True, **kwargs)
AmlComputeNodeInfo()
AmlComputeSshSettings(*, admin_username, admin_password=None, ssh_key_value=None)
AmlToken()
ApiKeyConfiguration(*, key)
Asset(name=None, version=None, description=None, tags=None, properties=None, **kwargs)
AssignedUserConfiguration(*, user_tenant_id, user_object_id)
AutoMLLimits(*, enable_early_termination=None, exit_score=None, max_concurrent_trials=None, max_cores_per_trial=None,
    max_nodes=None, max_trials=None, timeout_minutes=None, trial_timeout_minutes=None)
AutoMLSweep(*, sampling_algorithm, early_termination=None)
AutoPauseSettings(*, delay_in_minutes=None, enabled=None)
AutoScaleSettings(*, min_node_count=None, max_node_count=None, enabled=None)
AzureAISearchConfig(*, index_name=None, connection_id=None)
AzureAISearchConnection(*, endpoint, api_key=None, metadata=None, **kwargs)
AzureAIServicesConnection(*, endpoint, api_key=None, ai_services_resource_id, metadata=None, **kwargs)
AzureBlobDatastore(*, name, account_name, container_name, description=None, tags=None, endpoint=None,
    protocol='https', properties=None, credentials=None, **kwargs)
AzureBlobStoreConnection(*, url, container_name, account_name, metadata=None, **kwargs)
AzureContentSafetyConnection(*, endpoint, api_key=None, metadata=None, **kwargs)
AzureDataLakeGen1Datastore(*, name, store_name, description=None, tags=None, properties=None, credentials=None,
    **kwargs)
AzureDataLakeGen2Datastore(*, name, account_name, filesystem, description=None, tags=None,
    endpoint='core.windows.net', protocol='https', properties=None, credentials=None, **kwargs)
AzureFileDatastore(*, name, account_name, file_share_name, description=None, tags=None, endpoint='core.windows.net',
    protocol='https', properties=None, credentials=None, **kwargs)
AzureMLBatchInferencingServer(*, code_configuration=None, **kwargs)
AzureMLOnlineInferencingServer(*, code_configuration=None, **kwargs)
AzureOpenAIConnection(*, azure_endpoint, api_key=None, api_version=None, api_type='Azure', open_ai_resource_id=None,
    metadata=None, **kwargs)
AzureOpenAIDeployment(*args, **kwargs)
AzureSpeechServicesConnection(*, endpoint, api_key=None, metadata=None, **kwargs)
BanditPolicy(*, delay_evaluation=0, evaluation_interval=0, slack_amount=0, slack_factor=0)
BaseEnvironment(type, resource_id=None)
BaselineDataRange(*, window_start=None, window_end=None, lookback_window_size=None, lookback_window_offset=None)
BatchDeployment(*, name, endpoint_name=None, description=None, tags=None, properties=None, model=None,
    code_configuration=None, environment=None, compute=None, resources=None, output_file_name=None,
    output_action=None, error_threshold=None, retry_settings=None, logging_level=None, mini_batch_size=None,
    max_concurrency_per_instance=None, environment_variables=None, code_path=None, scoring_script=None,
    instance_count=None, **kwargs)
BatchEndpoint(*, name=None, tags=None, properties=None, auth_mode='aad_token', description=None, location=None,
    defaults=None, default_deployment_name=None, scoring_uri=None, openapi_uri=None, **kwargs)
BatchJob(**kwargs)
BatchRetrySettings(*, max_retries=None, timeout=None)
BayesianSamplingAlgorithm()
BuildContext(*, dockerfile_path=None, path=None)
CapabilityHost(*, name, description=None, vector_store_connections=None, ai_services_connections=None,
    storage_connections=None, thread_storage_connections=None, capability_host_kind='Agents', **kwargs)
CategoricalDriftMetrics(*, jensen_shannon_distance=None, population_stability_index=None,
    pearsons_chi_squared_test=None)
CertificateConfiguration(certificate=None, thumbprint=None, **kwargs)
Choice(values=None, **kwargs)
ClassificationJob(*, primary_metric=None, positive_label=None, **kwargs)
CodeConfiguration(code=None, scoring_script=None)
ColumnTransformer(*, fields=None, parameters=None)
CommandComponent(*, name=None, version=None, description=None, tags=None, display_name=None, command=None, code=None,
    environment=None, distribution=None, resources=None, inputs=None, outputs=None, instance_count=None,
    is_deterministic=True, additional_includes=None, properties=None, **kwargs)
CommandJob(*, inputs=None, outputs=None, limits=None, identity=None, services=None, parent_job_name=None, **kwargs)
CommandJobLimits(*, timeout=None)
CommandNode(*, component, compute=None, inputs=None, outputs=None, limits=None, identity=None, distribution=None,
    environment=None, environment_variables=None, resources=None, services=None, queue_settings=None,
    parent_job_name=None, **kwargs)
Component(*, name=None, version=None, id=None, type=None, description=None, tags=None, properties=None,
    display_name=None, is_deterministic=True, inputs=None, outputs=None, yaml_str=None, _schema=None,
    creation_context=None, **kwargs)
Compute(name, location=None, description=None, resource_id=None, tags=None, **kwargs)
ComputeConfiguration(*, target=None, instance_count=None, is_local=None, instance_type=None, location=None,
    properties=None, deserialize_properties=False)
ComputeInstance(*, name, description=None, size=None, tags=None, ssh_public_access_enabled=None,
    create_on_behalf_of=None, network_settings=None, ssh_settings=None, schedules=None, identity=None,
    idle_time_before_shutdown=None, idle_time_before_shutdown_minutes=None, setup_scripts=None,
    enable_node_public_ip=True, custom_applications=None, enable_sso=True, enable_root_access=True,
    release_quota_on_stop=False, enable_os_patching=False, **kwargs)
ComputeInstanceSshSettings(*, ssh_key_value=None, **kwargs)
ComputeRuntime(*, spark_runtime_version=None)
ComputeSchedules(*, compute_start_stop=None)
ComputeStartStopSchedule(*, trigger=None, action=None, state='Enabled', **kwargs)
Connection(*, type, credentials, is_shared=True, metadata=None, **kwargs)
ContainerRegistryCredential(*, location=None, username=None, passwords=None)
CronTrigger(*, expression, start_time=None, end_time=None, time_zone='UTC')
CustomApplications(*, name, image, type='docker', endpoints, environment_variables=None, bind_mounts=None, **kwargs)
CustomInferencingServer(*, inference_configuration=None, **kwargs)
CustomModelFineTuningJob(**kwargs)
CustomMonitoringMetricThreshold(*, metric_name, threshold=None)
CustomMonitoringSignal(*, inputs=None, metric_thresholds, component_id, connection=None, input_data=None,
    alert_enabled=False, properties=None)
CustomerManagedKey(key_vault=None, key_uri=None, cosmosdb_id=None, storage_id=None, search_id=None)
Data(*, name=None, version=None, description=None, tags=None, properties=None, path=None, type='uri_folder', **kwargs)
DataAsset(*, data_id=None, name=None, path=None, version=None)
DataCollector(collections, *, rolling_rate=None, sampling_rate=None, request_logging=None, **kwargs)
DataColumn(*, name, type=None, **kwargs)
DataDriftMetricThreshold(*, data_type=None, threshold=None, metric=None, numerical=None, categorical=None)
DataDriftSignal(*, production_data=None, reference_data=None, features=None, feature_type_override=None,
    metric_thresholds=None, alert_enabled=False, data_segment=None, properties=None)
DataImport(*, name, path, source, version=None, description=None, tags=None, properties=None, **kwargs)
DataQualityMetricThreshold(*, data_type=None, threshold=None, metric_name=None, numerical=None, categorical=None)
DataQualityMetricsCategorical(*, null_value_rate=None, data_type_error_rate=None, out_of_bounds_rate=None)
DataQualityMetricsNumerical(*, null_value_rate=None, data_type_error_rate=None, out_of_bounds_rate=None)
DataQualitySignal(*, production_data=None, reference_data=None, features=None, feature_type_override=None,
    metric_thresholds=None, alert_enabled=False, properties=None)
DataSegment(*, feature_name=None, feature_values=None)
DataTransferComponent(*, data_copy_mode=None, source=None, inputs=None, sink=None, outputs=None, **kwargs)
DataTransferNode(*, component=None, compute=None, source=None, sink=None, inputs=None, outputs=None,
    data_copy_mode=None, **kwargs)
Database(*, query=None, table_name=None, stored_procedure=None, stored_procedure_params=None, connection=None)
Datastore(credentials, name=None, description=None, tags=None, properties=None, **kwargs)
DefaultActionType()
DefaultScaleSettings(**kwargs)
Deployment(name=None, *, endpoint_name=None, description=None, tags=None, properties=None, model=None,
    code_configuration=None, environment=None, environment_variables=None, code_path=None, scoring_script=None,
    **kwargs)
DeploymentCollection(*, enabled=None, data=None, client_id=None, **kwargs)
DeploymentTemplate(name, version, *, display_name=None, description=None, environment=None, request_settings=None,
    liveness_probe=None, readiness_probe=None, instance_count=None, instance_type=None, model=None,
    code_configuration=None, environment_variables=None, app_insights_enabled=None, allowed_instance_types=None,
    default_instance_type=None, scoring_port=None, scoring_path=None, model_mount_path=None, type=None,
    deployment_template_type=None, stage=None, accelerator_maps=None, **kwargs)
DeploymentTemplateReference(*, asset_id=None, **kwargs)
DiagnoseRequestProperties(*, udr=None, nsg=None, resource_lock=None, dns_resolution=None, storage_account=None,
    key_vault=None, container_registry=None, application_insights=None, others=None)
DiagnoseResponseResult(*, value=None)
DiagnoseResponseResultValue(*, user_defined_route_results=None, network_security_rule_results=None,
    resource_lock_results=None, dns_resolution_results=None, storage_account_results=None, key_vault_results=None,
    container_registry_results=None, application_insights_results=None, other_results=None)
DiagnoseResult(*, code=None, level=None, message=None)
DiagnoseWorkspaceParameters(*, value=None)
Endpoint(auth_mode=None, location=None, name=None, tags=None, properties=None, description=None, **kwargs)
EndpointAadToken(obj)
EndpointAuthKeys(**kwargs)
EndpointAuthToken(**kwargs)
EndpointConnection(subscription_id, resource_group, vnet_name, subnet_name, location=None)
EndpointRequestSettings(*, request_batch_size=None, min_endpoint_success_ratio=None)
EndpointsSettings(*, target, published)
Environment(*, name=None, version=None, description=None, image=None, build=None, conda_file=None, tags=None,
    properties=None, datastore=None, **kwargs)
FADProductionData(*, input_data, data_context=None, data_column_names=None, pre_processing_component=None,
    data_window=None)
Feature(*, name, data_type, description=None, tags=None, **kwargs)
FeatureAttributionDriftMetricThreshold(*, normalized_discounted_cumulative_gain=None, threshold=None)
FeatureAttributionDriftSignal(*, production_data=None, reference_data, metric_thresholds, alert_enabled=False,
    properties=None)
FeatureSet(*, name, version, entities, specification, stage='Development', description=None,
    materialization_settings=None, tags=None, **kwargs)
FeatureSetBackfillMetadata(*, job_ids=None, type=None, **kwargs)
FeatureSetBackfillRequest(*, name, version, feature_window=None, description=None, tags=None, resource=None,
    spark_configuration=None, data_status=None, job_id=None, **kwargs)
FeatureSetMaterializationMetadata(*, type, feature_window_start_time, feature_window_end_time, name, display_name,
    creation_context, duration, status, tags, **kwargs)
FeatureSetSpecification(*, path=None, **kwargs)
FeatureStore(*, name, compute_runtime=None, offline_store=None, online_store=None, materialization_identity=None,
    description=None, tags=None, display_name=None, location=None, resource_group=None, hbi_workspace=False,
    storage_account=None, container_registry=None, key_vault=None, application_insights=None,
    customer_managed_key=None, image_build_compute=None, public_network_access=None, identity=None,
    primary_user_assigned_identity=None, managed_network=None, **kwargs)
FeatureStoreEntity(*, name, version, index_columns, stage='Development', description=None, tags=None, **kwargs)
FeatureStoreSettings(*, compute_runtime=None, offline_store_connection_name=None, online_store_connection_name=None)
FeatureWindow(*, feature_window_start, feature_window_end, **kwargs)
Featurization(*, blocked_transformers=None, column_name_and_types=None, dataset_language=None,
    transformer_params=None, mode=None, enable_dnn_featurization=None)
FileSystem(*, path=None, connection=None)
FineTuningTaskType()
FixedInputData(*, data_context=None, target_columns=None, job_type=None, uri=None)
ForecastingJob(*, primary_metric=None, forecasting_settings=None, **kwargs)
ForecastingSettings(*, country_or_region_for_holidays=None, cv_step_size=None, forecast_horizon=None,
    target_lags=None, target_rolling_window_size=None, frequency=None, feature_lags=None, seasonality=None,
    use_stl=None, short_series_handling_config=None, target_aggregate_function=None, time_column_name=None,
    time_series_id_column_names=None, features_unknown_at_forecast_time=None)
FqdnDestination(*, name, destination, **kwargs)
GenerationSafetyQualityMonitoringMetricThreshold(*, groundedness=None, relevance=None, coherence=None, fluency=None,
    similarity=None)
GenerationSafetyQualitySignal(*, production_data=None, connection_id=None, metric_thresholds, alert_enabled=False,
    properties=None, sampling_rate=None)
GenerationTokenStatisticsMonitorMetricThreshold(*, totaltoken=None)
GenerationTokenStatisticsSignal(*, production_data=None, metric_thresholds=None, alert_enabled=False, properties=None,
    sampling_rate=None)
GitSource(*, url, branch_name, connection_id)
GridSamplingAlgorithm()
Hub(*, name, description=None, tags=None, display_name=None, location=None, resource_group=None, managed_network=None,
    storage_account=None, key_vault=None, container_registry=None, customer_managed_key=None,
    public_network_access=None, network_acls=None, identity=None, primary_user_assigned_identity=None,
    enable_data_isolation=False, default_resource_group=None, associated_workspaces=None, **kwargs)
IPRule(value)
ImageClassificationJob(*, primary_metric=None, **kwargs)
ImageClassificationMultilabelJob(*, primary_metric=None, **kwargs)
ImageClassificationSearchSpace(*, ams_gradient=None, beta1=None, beta2=None, distributed=None, early_stopping=None,
    early_stopping_delay=None, early_stopping_patience=None, enable_onnx_normalization=None,
    evaluation_frequency=None, gradient_accumulation_step=None, layers_to_freeze=None, learning_rate=None,
    learning_rate_scheduler=None, model_name=None, momentum=None, nesterov=None, number_of_epochs=None,
    number_of_workers=None, optimizer=None, random_seed=None, step_lr_gamma=None, step_lr_step_size=None,
    training_batch_size=None, validation_batch_size=None, warmup_cosine_lr_cycles=None,
    warmup_cosine_lr_warmup_epochs=None, weight_decay=None, training_crop_size=None, validation_crop_size=None,
    validation_resize_size=None, weighted_loss=None)
ImageInstanceSegmentationJob(*, primary_metric=None, **kwargs)
ImageMetadata(*, is_latest_os_image_version, current_image_version, latest_image_version)
ImageModelSettingsClassification(*, advanced_settings=None, ams_gradient=None, beta1=None, beta2=None,
    checkpoint_frequency=None, checkpoint_run_id=None, distributed=None, early_stopping=None,
    early_stopping_delay=None, early_stopping_patience=None, enable_onnx_normalization=None,
    evaluation_frequency=None, gradient_accumulation_step=None, layers_to_freeze=None, learning_rate=None,
    learning_rate_scheduler=None, model_name=None, momentum=None, nesterov=None, number_of_epochs=None,
    number_of_workers=None, optimizer=None, random_seed=None, step_lr_gamma=None, step_lr_step_size=None,
    training_batch_size=None, validation_batch_size=None, warmup_cosine_lr_cycles=None,
    warmup_cosine_lr_warmup_epochs=None, weight_decay=None, training_crop_size=None, validation_crop_size=None,
    validation_resize_size=None, weighted_loss=None, **kwargs)
ImageModelSettingsObjectDetection(*, advanced_settings=None, ams_gradient=None, beta1=None, beta2=None,
    checkpoint_frequency=None, checkpoint_run_id=None, distributed=None, early_stopping=None,
    early_stopping_delay=None, early_stopping_patience=None, enable_onnx_normalization=None,
    evaluation_frequency=None, gradient_accumulation_step=None, layers_to_freeze=None, learning_rate=None,
    learning_rate_scheduler=None, model_name=None, momentum=None, nesterov=None, number_of_epochs=None,
    number_of_workers=None, optimizer=None, random_seed=None, step_lr_gamma=None, step_lr_step_size=None,
    training_batch_size=None, validation_batch_size=None, warmup_cosine_lr_cycles=None,
    warmup_cosine_lr_warmup_epochs=None, weight_decay=None, box_detections_per_image=None, box_score_threshold=None,
    image_size=None, max_size=None, min_size=None, model_size=None, multi_scale=None, nms_iou_threshold=None,
    tile_grid_size=None, tile_overlap_ratio=None, tile_predictions_nms_threshold=None, validation_iou_threshold=None,
    validation_metric_type=None, log_training_metrics=None, log_validation_loss=None, **kwargs)
ImageObjectDetectionJob(*, primary_metric=None, **kwargs)
ImageObjectDetectionSearchSpace(*, ams_gradient=None, beta1=None, beta2=None, distributed=None, early_stopping=None,
    early_stopping_delay=None, early_stopping_patience=None, enable_onnx_normalization=None,
    evaluation_frequency=None, gradient_accumulation_step=None, layers_to_freeze=None, learning_rate=None,
    learning_rate_scheduler=None, model_name=None, momentum=None, nesterov=None, number_of_epochs=None,
    number_of_workers=None, optimizer=None, random_seed=None, step_lr_gamma=None, step_lr_step_size=None,
    training_batch_size=None, validation_batch_size=None, warmup_cosine_lr_cycles=None,
    warmup_cosine_lr_warmup_epochs=None, weight_decay=None, box_detections_per_image=None, box_score_threshold=None,
    image_size=None, max_size=None, min_size=None, model_size=None, multi_scale=None, nms_iou_threshold=None,
    tile_grid_size=None, tile_overlap_ratio=None, tile_predictions_nms_threshold=None, validation_iou_threshold=None,
    validation_metric_type=None)
ImageSettings(*, reference)
ImportDataSchedule(*, name, trigger, import_data, display_name=None, description=None, tags=None, properties=None,
    **kwargs)
Index(*, name, version=None, stage='Development', description=None, tags=None, properties=None, path=None,
    datastore=None, **kwargs)
IndexDataSource(*, input_type)
IndexModelConfiguration(*, api_base, api_key, api_version, connection_name, connection_type, model_name,
    deployment_name, model_kwargs)
Input(*, type='uri_folder', path=None, mode=None, path_on_compute=None, default=None, optional=None, min=None,
    max=None, enum=None, description=None, datastore=None, **kwargs)
InputPort(*, type_string, default=None, optional=False)
IntellectualProperty(*, publisher=None, protection_level='all')
IsolationMode()
Job(name=None, display_name=None, description=None, tags=None, properties=None, experiment_name=None, compute=None,
    services=None, **kwargs)
JobResourceConfiguration(*, locations=None, instance_count=None, instance_type=None, properties=None,
    docker_args=None, shm_size=None, max_instance_count=None, **kwargs)
JobResources(*, instance_types)
JobSchedule(*, name, trigger, create_job, display_name=None, description=None, tags=None, properties=None, **kwargs)
JobService(*, endpoint=None, type=None, nodes=None, status=None, port=None, properties=None, **kwargs)
JupyterLabJobService(*, endpoint=None, nodes=None, status=None, port=None, properties=None, **kwargs)
KubernetesCompute(*, namespace='default', properties=None, identity=None, **kwargs)
KubernetesOnlineDeployment(*, name, endpoint_name=None, tags=None, properties=None, description=None, model=None,
    code_configuration=None, environment=None, app_insights_enabled=False, scale_settings=None, request_settings=None,
    liveness_probe=None, readiness_probe=None, environment_variables=None, resources=None, instance_count=None,
    instance_type=None, code_path=None, scoring_script=None, **kwargs)
KubernetesOnlineEndpoint(*, name=None, tags=None, properties=None, auth_mode='key', description=None, location=None,
    traffic=None, mirror_traffic=None, compute=None, identity=None, kind=None, **kwargs)
LlmData(*, input_data, data_column_names=None, data_window=None)
LocalSource(*, input_data)
LogNormal(mu=None, sigma=None, **kwargs)
LogUniform(min_value=None, max_value=None, **kwargs)
ManagedIdentity(*, client_id=None, resource_id=None, object_id=None, principal_id=None)
ManagedNetwork(*, isolation_mode='Disabled', outbound_rules=None, firewall_sku=None, network_id=None, **kwargs)
ManagedNetworkProvisionStatus(*, status=None, spark_ready=None)
ManagedOnlineDeployment(*, name, endpoint_name=None, tags=None, properties=None, description=None, model=None,
    code_configuration=None, environment=None, app_insights_enabled=False, scale_settings=None, request_settings=None,
    liveness_probe=None, readiness_probe=None, environment_variables=None, instance_type=None, instance_count=None,
    egress_public_network_access=None, code_path=None, scoring_script=None, data_collector=None, **kwargs)
ManagedOnlineEndpoint(*, name=None, tags=None, properties=None, auth_mode='key', description=None, location=None,
    traffic=None, mirror_traffic=None, identity=None, kind=None, public_network_access=None, **kwargs)
MarketplacePlan(*args, **kwargs)
MarketplaceSubscription(*args, **kwargs)
MaterializationComputeResource(*, instance_type, **kwargs)
MaterializationSettings(*, schedule=None, offline_enabled=None, online_enabled=None, notification=None, resource=None,
    spark_configuration=None, **kwargs)
MaterializationStore(type, target)
MedianStoppingPolicy(*, delay_evaluation=0, evaluation_interval=1)
MicrosoftOneLakeConnection(*, endpoint, artifact=None, one_lake_workspace_name=None, metadata=None, **kwargs)
Model(*, name=None, version=None, type=None, path=None, utc_time_created=None, flavors=None, description=None,
    tags=None, properties=None, stage=None, default_deployment_template=None, allowed_deployment_templates=None,
    **kwargs)
ModelBatchDeployment(*, name, endpoint_name=None, environment=None, properties=None, model=None, description=None,
    tags=None, settings=None, resources=None, compute=None, code_configuration=None, code_path=None,
    scoring_script=None, **kwargs)
ModelBatchDeploymentSettings(*, mini_batch_size, instance_count=None, max_concurrency_per_instance=None,
    output_action=None, output_file_name=None, retry_settings=None, environment_variables=None, error_threshold=None,
    logging_level=None, **kwargs)
ModelConfiguration(*, mode=None, mount_path=None)
ModelPackage(*, target_environment, inferencing_server, base_environment_source=None, environment_variables=None,
    inputs=None, model_configuration=None, tags=None, **kwargs)
ModelPackageInput(*, type=None, path=None, mode=None, mount_path=None)
ModelPerformanceClassificationThresholds(*, accuracy=None, precision=None, recall=None)
ModelPerformanceMetricThreshold(*, classification=None, regression=None)
ModelPerformanceRegressionThresholds(*, mean_absolute_error=None, mean_squared_error=None,
    root_mean_squared_error=None)
ModelPerformanceSignal(*, production_data, reference_data, metric_thresholds, data_segment=None, alert_enabled=False,
    properties=None)
MonitorDefinition(*, compute, monitoring_target=None, monitoring_signals=None, alert_notification=None)
MonitorFeatureFilter(*, top_n_feature_importance=10)
MonitorInputData(*, type=None, data_context=None, target_columns=None, job_type=None, uri=None)
MonitorSchedule(*, name, trigger, create_monitor, display_name=None, description=None, tags=None, properties=None,
    **kwargs)
MonitoringTarget(*, ml_task=None, endpoint_deployment_id=None, model_id=None)
MpiDistribution(*, process_count_per_instance=None, **kwargs)
NetworkAcls(*, default_action='Allow', ip_rules=None)
NetworkSettings(*, vnet_name=None, subnet=None, **kwargs)
NlpFixedParameters(*, gradient_accumulation_steps=None, learning_rate=None, learning_rate_scheduler=None,
    model_name=None, number_of_epochs=None, training_batch_size=None, validation_batch_size=None, warmup_ratio=None,
    weight_decay=None)
NlpSearchSpace(*, gradient_accumulation_steps=None, learning_rate=None, learning_rate_scheduler=None, model_name=None,
    number_of_epochs=None, training_batch_size=None, validation_batch_size=None, warmup_ratio=None, weight_decay=None)
NoneCredentials()
Normal(mu=None, sigma=None, **kwargs)
NotebookAccessKeys(*, primary_access_key=None, secondary_access_key=None)
Notification(*, email_on=None, emails=None)
NumericalDriftMetrics(*, jensen_shannon_distance=None, normalized_wasserstein_distance=None,
    population_stability_index=None, two_sample_kolmogorov_smirnov_test=None, metric=None, metric_threshold=None)
Objective(goal, primary_metric=None)
OneLakeArtifact(*, name, type=None)
OneLakeConnectionArtifact(*, name, **kwargs)
OneLakeDatastore(*, name, artifact, one_lake_workspace_name, endpoint=None, description=None, tags=None,
    properties=None, credentials=None, **kwargs)
OnlineDeployment(name, *, endpoint_name=None, tags=None, properties=None, description=None, model=None,
    data_collector=None, code_configuration=None, environment=None, app_insights_enabled=False, scale_settings=None,
    request_settings=None, liveness_probe=None, readiness_probe=None, environment_variables=None, instance_count=None,
    instance_type=None, model_mount_path=None, code_path=None, scoring_script=None, **kwargs)
OnlineEndpoint(*, name=None, tags=None, properties=None, auth_mode='key', description=None, location=None,
    traffic=None, mirror_traffic=None, identity=None, scoring_uri=None, openapi_uri=None, provisioning_state=None,
    kind=None, **kwargs)
OnlineRequestSettings(max_concurrent_requests_per_instance=None, request_timeout_ms=None, max_queue_wait_ms=None)
OnlineScaleSettings(type, **kwargs)
OpenAIConnection(*, api_key=None, metadata=None, **kwargs)
OutboundRule(*, name=None, **kwargs)
Output(*, type='uri_folder', path=None, mode=None, description=None, **kwargs)
PackageInputPathId(*, input_path_type=None, resource_id=None)
PackageInputPathUrl(*, input_path_type=None, url=None)
PackageInputPathVersion(*, input_path_type=None, resource_name=None, resource_version=None)
ParallelComponent(*, name=None, version=None, description=None, tags=None, display_name=None, retry_settings=None,
    logging_level=None, max_concurrency_per_instance=None, error_threshold=None, mini_batch_error_threshold=None,
    task=None, mini_batch_size=None, partition_keys=None, input_data=None, resources=None, inputs=None, outputs=None,
    code=None, instance_count=None, is_deterministic=True, **kwargs)
ParallelNode(*, component=None, compute=None, inputs=None, outputs=None, retry_settings=None, logging_level=None,
    max_concurrency_per_instance=None, error_threshold=None, mini_batch_error_threshold=None, input_data=None,
    task=None, partition_keys=None, mini_batch_size=None, resources=None, environment_variables=None, identity=None,
    **kwargs)
ParallelTask(*, type=None, code=None, entry_script=None, program_arguments=None, model=None, append_row_to=None,
    environment=None, **kwargs)
ParameterizedCommand(command='', resources=None, code=None, environment_variables=None, distribution=None,
    environment=None, queue_settings=None, **kwargs)
PatTokenConfiguration(*, pat)
PipelineComponent(*, name=None, version=None, description=None, tags=None, display_name=None, inputs=None,
    outputs=None, jobs=None, is_deterministic=None, **kwargs)
PipelineComponentBatchDeployment(*, name, endpoint_name=None, component=None, settings=None, job_definition=None,
    tags=None, description=None, **kwargs)
PipelineJob(*, component=None, inputs=None, outputs=None, name=None, description=None, display_name=None,
    experiment_name=None, jobs=None, settings=None, identity=None, compute=None, tags=None, **kwargs)
PipelineJobSettings(default_datastore=None, default_compute=None, continue_on_step_failure=None, force_rerun=None,
    **kwargs)
PipelineNode(*, component, inputs=None, outputs=None, settings=None, **kwargs)
PredictionDriftMetricThreshold(*, data_type=None, threshold=None, numerical=None, categorical=None)
PredictionDriftSignal(*, production_data=None, reference_data=None, metric_thresholds, alert_enabled=False,
    properties=None)
PrivateEndpoint(approval_type=None, connections=None)
PrivateEndpointDestination(*, name, service_resource_id, subresource_target, spark_enabled=False, fqdns=None,
    **kwargs)
ProbeSettings(*, failure_threshold=None, success_threshold=None, timeout=None, period=None, initial_delay=None)
ProductionData(*, input_data, data_context=None, pre_processing_component=None, data_window=None,
    data_column_names=None)
Project(*, name, hub_id, description=None, tags=None, display_name=None, location=None, resource_group=None, **kwargs)
PromptSettings(*, enable_chain_of_thought=False, enable_chain_of_density=False, max_len_summary=None)
PyTorchDistribution(*, process_count_per_instance=None, **kwargs)
QLogNormal(mu=None, sigma=None, q=None, **kwargs)
QLogUniform(min_value=None, max_value=None, q=None, **kwargs)
QNormal(mu=None, sigma=None, q=None, **kwargs)
QUniform(min_value=None, max_value=None, q=None, **kwargs)
QueueSettings(*, job_tier=None, priority=None, **kwargs)
Randint(upper=None, **kwargs)
RandomSamplingAlgorithm(*, rule=None, seed=None, logbase=None)
RayDistribution(*, port=None, address=None, include_dashboard=None, dashboard_port=None,
    head_node_additional_args=None, worker_node_additional_args=None, **kwargs)
RecurrencePattern(*, hours, minutes, week_days=None, month_days=None)
RecurrenceTrigger(*, frequency, interval, schedule=None, start_time=None, end_time=None, time_zone='UTC')
ReferenceData(*, input_data, data_context=None, pre_processing_component=None, data_window=None,
    data_column_names=None)
Registry(*, name, location, identity=None, tags=None, public_network_access=None, discovery_url=None,
    intellectual_property=None, managed_resource_group=None, mlflow_registry_uri=None, replication_locations,
    **kwargs)
RegistryRegionDetails(*, acr_config=None, location=None, storage_config=None)
RegressionJob(*, primary_metric=None, **kwargs)
RequestLogging(*, capture_headers=None, **kwargs)
Resource(name, description=None, tags=None, properties=None, **kwargs)
ResourceConfiguration(*, instance_count=None, instance_type=None, properties=None, **kwargs)
ResourceIdentity(*, type, user_assigned_identities=None, **kwargs)
ResourceRequirementsSettings(requests=None, limits=None)
ResourceSettings(cpu=None, memory=None, gpu=None)
RetrySettings(*, timeout=None, max_retries=None, **kwargs)
Route(*, port=None, path=None)
RunFunction(*, code=None, entry_script=None, program_arguments=None, model=None, append_row_to=None, environment=None,
    **kwargs)
SamplingAlgorithm()
SasTokenConfiguration(*, sas_token)
Schedule(*, name, trigger, display_name=None, description=None, tags=None, properties=None, **kwargs)
ScheduleTriggerResult(**kwargs)
ScriptReference(*, path=None, command=None, timeout_minutes=None)
SearchSpace(**kwargs)
SerpConnection(*, api_key=None, metadata=None, **kwargs)
ServerlessComputeSettings(*, custom_subnet=None, no_public_ip=False)
ServerlessConnection(*, endpoint, api_key=None, metadata=None, **kwargs)
ServerlessEndpoint(*args, **kwargs)
ServerlessSparkCompute(*, runtime_version, instance_type)
ServiceInstance(*, type=None, port=None, status=None, error=None, endpoint=None, properties=None, **kwargs)
ServicePrincipalConfiguration(*, client_secret, **kwargs)
ServiceTagDestination(*, name, protocol, port_ranges, service_tag=None, address_prefixes=None, **kwargs)
SetupScripts(*, startup_script=None, creation_script=None)
SparkComponent(*, code='.', entry=None, py_files=None, jars=None, files=None, archives=None, driver_cores=None,
    driver_memory=None, executor_cores=None, executor_memory=None, executor_instances=None,
    dynamic_allocation_enabled=None, dynamic_allocation_min_executors=None, dynamic_allocation_max_executors=None,
    conf=None, environment=None, inputs=None, outputs=None, args=None, additional_includes=None, **kwargs)
SparkJob(*, driver_cores=None, driver_memory=None, executor_cores=None, executor_memory=None, executor_instances=None,
    dynamic_allocation_enabled=None, dynamic_allocation_min_executors=None, dynamic_allocation_max_executors=None,
    inputs=None, outputs=None, compute=None, identity=None, resources=None, **kwargs)
SparkJobEntry(*, entry, type='SparkJobPythonEntry')
SparkJobEntryType()
SparkNode(*, component, identity=None, driver_cores=None, driver_memory=None, executor_cores=None,
    executor_memory=None, executor_instances=None, dynamic_allocation_enabled=None,
    dynamic_allocation_min_executors=None, dynamic_allocation_max_executors=None, conf=None, inputs=None,
    outputs=None, compute=None, resources=None, entry=None, py_files=None, jars=None, files=None, archives=None,
    args=None, **kwargs)
SparkResourceConfiguration(*, instance_type=None, runtime_version=None)
SshJobService(*, endpoint=None, nodes=None, status=None, port=None, ssh_public_keys=None, properties=None, **kwargs)
StackEnsembleSettings(*, stack_meta_learner_k_wargs=None, stack_meta_learner_train_percentage=0.2,
    stack_meta_learner_type=None, **kwargs)
StaticInputData(*, data_context=None, target_columns=None, job_type=None, uri=None, pre_processing_component_id=None,
    window_start=None, window_end=None)
SweepJob(*, name=None, description=None, tags=None, display_name=None, experiment_name=None, identity=None,
    inputs=None, outputs=None, compute=None, limits=None, sampling_algorithm=None, search_space=None, objective=None,
    trial=None, early_termination=None, queue_settings=None, resources=None, **kwargs)
SweepJobLimits(*, max_concurrent_trials=None, max_total_trials=None, timeout=None, trial_timeout=None)
SweepNode(*, trial=None, compute=None, limits=None, sampling_algorithm=None, objective=None, early_termination=None,
    search_space=None, inputs=None, outputs=None, identity=None, queue_settings=None, resources=None, **kwargs)
SynapseSparkCompute(*, name, description=None, tags=None, node_count=None, node_family=None, node_size=None,
    spark_version=None, identity=None, scale_settings=None, auto_pause_settings=None, **kwargs)
SystemCreatedAcrAccount(*, acr_account_sku, arm_resource_id=None)
SystemCreatedStorageAccount(*, storage_account_hns, storage_account_type, arm_resource_id=None, replicated_ids=None,
    replication_count=1)
SystemData(**kwargs)
TargetUtilizationScaleSettings(*, min_instances=None, max_instances=None, polling_interval=None,
    target_utilization_percentage=None, **kwargs)
TeacherModelSettings(*, inference_parameters=None, endpoint_request_settings=None)
TensorBoardJobService(*, endpoint=None, nodes=None, status=None, port=None, log_dir=None, properties=None, **kwargs)
TensorFlowDistribution(*, parameter_server_count=0, worker_count=None, **kwargs)
TextClassificationJob(*, target_column_name=None, training_data=None, validation_data=None, primary_metric=None,
    log_verbosity=None, **kwargs)
TextClassificationMultilabelJob(*, target_column_name=None, training_data=None, validation_data=None,
    primary_metric=None, log_verbosity=None, **kwargs)
TextNerJob(*, training_data=None, validation_data=None, primary_metric=None, log_verbosity=None, **kwargs)
TrailingInputData(*, data_context=None, target_columns=None, job_type=None, uri=None, window_size=None,
    window_offset=None, pre_processing_component_id=None)
Training(*, enable_onnx_compatible_models=None, enable_dnn_training=None, enable_model_explainability=None,
    enable_stack_ensemble=None, enable_vote_ensemble=None, stack_ensemble_settings=None,
    ensemble_model_download_timeout=None, allowed_training_algorithms=None, blocked_training_algorithms=None,
    training_mode=None)
TritonInferencingServer(*, inference_configuration=None, **kwargs)
TruncationSelectionPolicy(*, delay_evaluation=0, evaluation_interval=0, truncation_percentage=0)
Uniform(min_value=None, max_value=None, **kwargs)
UnsupportedCompute(**kwargs)
Usage(id=None, aml_workspace_location=None, type=None, unit=None, current_value=None, limit=None, name=None)
UsageName(*, value=None, localized_value=None)
UserIdentity()
UsernamePasswordConfiguration(*, username, password)
ValidationResult()
VirtualMachineCompute(*, name, description=None, resource_id, tags=None, ssh_settings=None, **kwargs)
VirtualMachineSshSettings(*, admin_username, admin_password=None, ssh_port=22, ssh_private_key_file=None)
VmSize(name=None, family=None, v_cp_us=None, gpus=None, os_vhd_size_mb=None, max_resource_volume_mb=None,
    memory_gb=None, low_priority_capable=None, premium_io=None, supported_compute_types=None)
VolumeSettings(*, source, target)
VsCodeJobService(*, endpoint=None, nodes=None, status=None, port=None, properties=None, **kwargs)
Workspace(*, name, description=None, tags=None, display_name=None, location=None, resource_group=None,
    hbi_workspace=False, storage_account=None, container_registry=None, key_vault=None, application_insights=None,
    customer_managed_key=None, image_build_compute=None, public_network_access=None, network_acls=None, identity=None,
    primary_user_assigned_identity=None, managed_network=None, provision_network_now=None,
    system_datastores_auth_mode=None, enable_data_isolation=False, allow_roleassignment_on_rg=None, hub_id=None,
    workspace_hub=None, serverless_compute=None, **kwargs)
WorkspaceKeys(*, user_storage_key=None, user_storage_resource_id=None, app_insights_instrumentation_key=None,
    container_registry_credentials=None, notebook_access_keys=None)
WorkspaceModelReference(*, name=None, version=None, asset_id=None, properties=None, **kwargs)
"""


class Parameters(NamedTuple):
    text: str
    positional: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = {}
    """What is set where nothing is given; without what reads as if it were unset: None, False, 0."""
    is_open: bool = False
    """Whether further names are taken, and mean nothing."""

    def named(self, callee: str, arguments: tuple[Any, ...], values: Mapping[str, Any]) -> dict[str, Any]:
        """All values by name; raises TypeError as a function would."""
        if len(arguments) > len(self.positional):
            most = f"at most {len(self.positional)}" if self.positional else "no"
            raise TypeError(f"{callee} takes {most} arguments without a name, not {len(arguments)}")
        given = dict(zip(self.positional, arguments, strict=False))
        for name in given:
            if name in values:
                raise TypeError(f"{callee} is given '{name}' twice")
        return {**given, **values}


_KNOWN: dict[type, Parameters] = {}
_NONE = Parameters("")


def parameters_of(noun: type) -> Parameters:
    """Of the official class of that name; of a program's own subclass, those of the noun that it extends."""
    found = _KNOWN.get(noun)
    if found is None:
        ours = next(base for base in noun.__mro__ if base.__module__.startswith("smalt."))
        match = re.search(rf"^{ours.__name__}\((.*?)\)$", _TEXT, re.MULTILINE | re.DOTALL)
        found = _KNOWN[noun] = _parse(" ".join(match[1].split())) if match else _NONE
    return found


def _parse(text: str) -> Parameters:
    positional: list[str] = []
    defaults: dict[str, Any] = {}
    by_name = False
    for part in text.split(", "):
        name, equals, default = part.partition("=")
        if part.startswith("*"):
            by_name = True
            continue
        if not by_name and name:
            positional.append(name)
        if equals and _literal(default):
            defaults[name] = _literal(default)
    return Parameters(text, tuple(positional), defaults, "**" in text)


def _literal(text: str) -> Any:
    if text[0] in "'\"":
        return text[1:-1]
    words = {"None": None, "True": True, "False": False}
    return words[text] if text in words else float(text) if "." in text else int(text)


class Shown:
    """The `__signature__` of a noun, which help and editors show."""

    def __get__(self, instance: Any, owner: type) -> inspect.Signature:
        import inspect

        if instance is not None:
            raise AttributeError("__signature__")
        initializer = owner.__init__  # type: ignore[misc]
        known = parameters_of(owner)
        if known is _NONE or not initializer.__module__.startswith("smalt."):
            own = inspect.signature(initializer)
            return own.replace(parameters=list(own.parameters.values())[1:])
        kind: Any = inspect.Parameter.POSITIONAL_OR_KEYWORD
        shown: list[inspect.Parameter] = []
        for part in known.text.split(", ") if known.text else ():
            name, equals, default = part.partition("=")
            if part.startswith("**"):
                shown.append(inspect.Parameter(name[2:], inspect.Parameter.VAR_KEYWORD))
            elif part.startswith("*"):
                kind = inspect.Parameter.KEYWORD_ONLY
                if name[1:]:
                    shown.append(inspect.Parameter(name[1:], inspect.Parameter.VAR_POSITIONAL))
            else:
                value = _literal(default) if equals else inspect.Parameter.empty
                shown.append(inspect.Parameter(name, kind, default=value))
        return inspect.Signature(shown)
