"""The rows of AutoML, credentials, secrets, estimators, explanations and whatever else programs import."""

from __future__ import annotations

from smalt.v1.mapping.rows import MappedName

_EXPLAIN = (
    "explanations are not part of v2's jobs; use interpret-community, or the responsible AI components, in a command"
)
_EXPLANATIONS = (
    "v2 has no such class; keep what interpret-community's save_explanation writes among the job's artifacts; here "
    "they are its files explanation/ID/…, and the program and the job need interpret-community"
)
_BOARD = "v2 has no such class; run tensorboard on the downloaded logs, or see MLflow's pages by `smalt mlflow ui`"
_RUNTIME = "it belongs to v1's AutoML runtime; load the MLflow model by mlflow.pyfunc, and score with scikit-learn"
_FRAME = "the best model is an MLflow model: mlflow.pyfunc.load_model"

ROWS = (
    MappedName("AutoMLConfig", "automl.classification(…), .regression(…), .forecasting(…)"),
    MappedName("AutoMLConfig.as_serializable_dict", "job.dump(file)"),
    MappedName("ForecastingParameters", "job.set_forecast_settings(…)"),
    MappedName("FeaturizationConfig", "job.set_featurization(mode='custom', …)"),
    MappedName("FeaturizationConfig.add_column_purpose", "set_featurization(column_name_and_types={…})"),
    MappedName("FeaturizationConfig.add_transformer_params", "set_featurization(transformer_params={…})"),
    MappedName(
        "FeaturizationConfig.add_prediction_transform_type",
        "none",
        "no effect",
        "v2's featurization has no prediction transform",
    ),
    MappedName("FeaturizationConfig.blocked_transformers", "set_featurization(blocked_transformers=[…])"),
    MappedName("AutoMLRun", "ml_client.jobs.get(name)"),
    MappedName("Run.get_best_child", 'job.properties["best_child_run_id"]'),
    MappedName("Run.get_output", 'ml_client.jobs.download(name, output_name="best_model")', "differs", _FRAME),
    MappedName(
        "Run.model_id", "the name under which the model is registered", "refused", "keep the name that you registered"
    ),
    *(
        MappedName(name, "none", "refused", _RUNTIME)
        for name in (
            "scoring",
            "scoring.score_regression",
            "Metric",
            "ModelProxy",
            "ModelProxy.predict",
            "OnnxConverter",
            "OnnxConvertConstants",
            "OnnxInferenceHelper",
            "TimeSeries",
            "TimeSeriesInternal",
            "GrainType",
            "hts_runtime_utilities",
            "utilities",
            "constants",
            "_restclient",
            "RunState",
        )
    ),
    *(
        MappedName(name, "none", "differs", _EXPLANATIONS)
        for name in ("ExplanationClient", "ExplanationClient.from_run", "ExplanationClient.from_run_id")
    ),
    *(
        MappedName(name, "none", "refused", _EXPLAIN)
        for name in (
            "MimicWrapper",
            "MimicWrapper.explain",
            "TreeScoringExplainer",
            "LinearScoringExplainer",
            "automl_setup_model_explanations",
            "automl_check_model_if_explainable",
            "azureml.interpret.scoring.scoring_explainer.save",
        )
    ),
    MappedName("Tensorboard", "none", "differs", _BOARD),
    MappedName("azureml.tensorboard.export.export_to_tensorboard", "none", "differs", _BOARD),
    MappedName("VERSION", "azure.ai.ml.__version__"),
    MappedName("__version__", "azure.ai.ml.__version__"),
    MappedName("DEFAULT_CPU_IMAGE", "the name of the image"),
    MappedName("DEFAULT_GPU_IMAGE", "the name of the image"),
    MappedName("get_run", "ml_client.jobs.get(name)"),
    MappedName("Estimator", "command(…) with an Environment"),
    MappedName("TensorFlow", "command(…) with an Environment that has tensorflow"),
    MappedName("PyTorch", "command(…) with an Environment that has torch"),
    MappedName("SKLearn", "command(…) with an Environment that has scikit-learn"),
    MappedName(
        "Chainer",
        "command(…) with an Environment that has chainer",
        "refused",
        "its development ended in 2019; use an Estimator with chainer among its pip_packages",
    ),
    MappedName("JarLibrary", "spark(jars=[…])"),
    MappedName("RunConfiguration.spark", "spark(conf={…})"),
    MappedName("RunConfiguration.docker", "the image of an Environment; shm_size and docker_args of command(…)"),
    MappedName("ScriptRunConfig.run_config", "the command itself: job.environment, job.compute"),
    MappedName("Environment.python", "environment.conda_file"),
    MappedName("Environment.docker", "environment.image"),
    MappedName("Environment.docker.base_image", "environment.image"),
    MappedName("Environment.spark", "the environment of spark(…)"),
    MappedName("Environment.clone", "Environment(name=…, image=…, conda_file=…)"),
    MappedName("Environment.load_from_directory", "load_environment(file)"),
    MappedName("CondaDependencies.serialize_to_string", "yaml.safe_dump(conda)"),
    MappedName("CondaDependencies.save_to_file", "a conda file"),
    MappedName("CondaDependencies.add_tensorflow_conda_package", "a line of the conda file"),
    MappedName("InteractiveLoginAuthentication", "azure.identity.InteractiveBrowserCredential()"),
    MappedName(
        "InteractiveLoginAuthentication.get_authentication_header", 'f"Bearer {credential.get_token(scope).token}"'
    ),
    MappedName("AzureCliAuthentication", "azure.identity.AzureCliCredential()"),
    MappedName("MsiAuthentication", "azure.identity.ManagedIdentityCredential()"),
    MappedName(
        "ServicePrincipalAuthentication", "azure.identity.ClientSecretCredential(tenant_id, client_id, client_secret)"
    ),
    MappedName("TokenAuthentication", "a credential with get_token"),
    MappedName(
        "Keyvault",
        "azure.keyvault.secrets.SecretClient(vault_url, credential)",
        "differs",
        "v2 has no Keyvault of its own",
    ),
    MappedName("Keyvault.set_secret", "SecretClient.set_secret(name, value)"),
    MappedName("Keyvault.get_secret", "SecretClient.get_secret(name).value"),
    MappedName("Keyvault.list_secrets", "SecretClient.list_properties_of_secrets()"),
    MappedName("Run.get_secret", "SecretClient.get_secret(name).value"),
    MappedName("Run.get_properties", "job.properties"),
    MappedName("Run.properties", "job.properties"),
    MappedName("Run.get_tags", "job.tags"),
    MappedName("Run.tags", "job.tags"),
    MappedName("Run.add_properties", "mlflow.set_tags(…)"),
    MappedName("Run.create_children", "mlflow.start_run(nested=True), once for each"),
    MappedName("Run.fail", "an exit code other than 0", "differs", "a job of v2 fails by its command's exit code"),
    MappedName("Run.restore_snapshot", "ml_client.jobs.download(name, all=True)"),
    MappedName("_OfflineRun", "none", "differs", "MLflow logs into ./mlruns outside of jobs, by the same calls"),
    MappedName(
        "UserErrorException",
        "azure.ai.ml.exceptions.UserErrorException",
        "differs",
        "smalt raises its own, of one sentence",
    ),
    MappedName("ComputeTargetException", "azure.core.exceptions.ResourceNotFoundError"),
    MappedName(
        "WebserviceException",
        "azure.core.exceptions.HttpResponseError",
        "differs",
        "smalt raises its own, of one sentence",
    ),
    MappedName("ActivityFailedException", "azure.ai.ml.exceptions.JobException"),
)
