"""The rows of pipelines, their steps, endpoints and schedules."""

from __future__ import annotations

from smalt.v1.mapping.rows import MappedName

_DRAFT = "a draft is kept by the program that makes it; v2 has none: keep the pipeline's YAML, or a component"
_SCHEDULE = (
    "v2 watches no datastore; smalt does, by a trigger of its own, type datastore; v2's create_job takes the job "
    "itself, and smalt's invoke_batch_endpoint an endpoint"
)
_ORDER = "v2 has no order without data; the upgrade gives the earlier step an output that only orders"
_NOTEBOOK = "v2 has no notebook step; run it by a command: papermill NAME.ipynb ${{outputs.notebook}}/NAME.ipynb"
_MANY = "v2 has pipelines of components for many models: azureml://registries/azureml/components/automl_many_models_training"

ROWS = (
    MappedName("Pipeline", "a function with @dsl.pipeline"),
    MappedName("Pipeline.submit", "ml_client.jobs.create_or_update(job, experiment_name=…)"),
    MappedName(
        "Pipeline.validate", "ml_client.jobs.validate(job)", "differs", "v2 returns what is wrong and raises nothing"
    ),
    MappedName("Pipeline.load_yaml", "load_job(file)"),
    MappedName("Pipeline.publish", "a batch endpoint with a pipeline component"),
    MappedName("PipelineParameter", "a parameter of the pipeline's function: an input of the job"),
    MappedName("PipelineParameter.name", "the parameter's name"),
    MappedName(
        "PipelineData",
        "Output(type='uri_folder') of a step",
        "differs",
        "the script finds a folder there; v1 had nothing yet, unless is_directory",
    ),
    MappedName("PipelineData.as_dataset", "an input bound to step.outputs.NAME"),
    MappedName("PipelineData.as_mount", "an input bound to step.outputs.NAME"),
    MappedName("PipelineOutputFileDataset", "an input bound to step.outputs.NAME"),
    MappedName(
        "PipelineOutputFileDataset.parse_parquet_files",
        "Output(type='mltable')",
        "differs",
        "the script writes the MLTable file",
    ),
    MappedName("PipelineDataset", "Input(…)"),
    MappedName(
        "TrainingOutput",
        "the step's outputs: best_model and mlflow_model of AutoML, the best trial's outputs of a sweep",
    ),
    MappedName("Step.name", "step.display_name"),
    MappedName("Step.run_after", "an output that only orders", "differs", _ORDER),
    MappedName("Step.get_details", "none", "refused", "a step has details when it runs: StepRun.get_details"),
    MappedName("StepSequence", "outputs that only order", "differs", _ORDER),
    MappedName("PipelineRun", "ml_client.jobs.get(name)"),
    MappedName("StepRun", "ml_client.jobs.get(name)"),
    MappedName("ScriptRun", "ml_client.jobs.get(name)"),
    MappedName("StepRun.get_outputs", "job.outputs"),
    MappedName("StepRun.get_output_data", "ml_client.jobs.download(name, output_name=…)"),
    MappedName("StepRun.get_job_log", "ml_client.jobs.stream(name)"),
    MappedName("Run.find_step_run", "ml_client.jobs.list(parent_job_name=name)", "differs", "by display_name"),
    MappedName("Run.get_steps", "ml_client.jobs.list(parent_job_name=name)"),
    MappedName("Run.get_pipeline_output", "ml_client.jobs.download(name, output_name=…)"),
    MappedName("Run.publish_pipeline", "PipelineComponentBatchDeployment(job_definition=…)"),
    # Steps
    MappedName("PythonScriptStep", "command(command='python …')"),
    MappedName("CommandStep", "command(command=…)"),
    MappedName("EstimatorStep", "command(command='python …')"),
    MappedName("MpiStep", "command(distribution=MpiDistribution(…))"),
    MappedName("RScriptStep", "command(command='Rscript …')"),
    MappedName("ModuleStep", "a component, called in the pipeline's function"),
    MappedName("Module", "a component"),
    MappedName("Module.create", "ml_client.components.create_or_update(component)"),
    MappedName("ModuleVersion", "a version of a component"),
    MappedName("InputPortDef", "Input(…) of a component"),
    MappedName("OutputPortDef", "Output(…) of a component"),
    MappedName("ParallelRunStep", "parallel_run_function(…)"),
    MappedName("ParallelRunConfig", "the arguments of parallel_run_function(…)"),
    MappedName("HyperDriveStep", "step.sweep(…) in the pipeline's function"),
    MappedName("HyperDriveStepRun", "ml_client.jobs.get(name)"),
    MappedName("AutoMLStep", "automl.classification(…), .regression(…), .forecasting(…)"),
    MappedName("AutoMLStepRun", "ml_client.jobs.get(name)"),
    MappedName("DataTransferStep", "copy_data(…)"),
    MappedName("SynapseSparkStep", "spark(…)"),
    MappedName(
        "DatabricksStep",
        "none",
        "refused",
        "v2 has no Databricks step; run its file as a Spark job, or call Databricks from a command",
    ),
    MappedName("AdlaStep", "none", "refused", "Azure Data Lake Analytics was shut down in 2024; make it a Spark job"),
    MappedName("AzureBatchStep", "none", "refused", "v2 has no Azure Batch step; make it a command job"),
    MappedName("KustoStep", "none", "refused", "v2 has no Kusto step; use azure-kusto-data in a command"),
    MappedName("NotebookRunnerStep", "none", "refused", _NOTEBOOK),
    MappedName("NotebookRunConfig", "none", "refused", _NOTEBOOK),
    MappedName("AzureMLNotebookHandler", "none", "refused", _NOTEBOOK),
    # Published pipelines and schedules
    *(
        MappedName(f"PublishedPipeline{name}", "a batch endpoint's deployment")
        for name in ("", ".get", ".list", ".submit", ".enable", ".disable", ".endpoint")
    ),
    *(
        MappedName(f"PipelineEndpoint{name}", "a batch endpoint, whose deployments are the versions")
        for name in (
            "",
            ".publish",
            ".get",
            ".list",
            ".submit",
            ".add",
            ".add_default",
            ".set_default",
            ".set_default_version",
            ".get_default_version",
            ".get_pipeline",
            ".list_versions",
            ".list_pipelines",
            ".set_name",
        )
    ),
    *(
        MappedName(f"PipelineDraft{name}", "none", "differs", _DRAFT)
        for name in ("", ".create", ".list", ".get", ".update", ".submit_run", ".publish")
    ),
    *(
        MappedName(f"Schedule{name}", "JobSchedule(trigger=…, create_job=…)", "differs", _SCHEDULE)
        for name in ("", ".create", ".create_for_pipeline_endpoint")
    ),
    *(
        MappedName(f"Schedule{name}", "ml_client.schedules")
        for name in (
            ".get",
            ".list",
            ".update",
            ".enable",
            ".disable",
            ".get_last_pipeline_run",
            ".get_schedules_for_pipeline_endpoint_id",
        )
    ),
    MappedName("ScheduleRecurrence", "RecurrenceTrigger(frequency=…, interval=…)"),
    MappedName("TimeZone", "the text of a time zone"),
    # Sweeps
    MappedName("HyperDriveConfig", "job.sweep(…)"),
    MappedName("HyperDriveRun", "ml_client.jobs.get(name)"),
    MappedName("Run.get_best_run_by_primary_metric", 'job.properties["best_child_run_id"]'),
    MappedName("RandomParameterSampling", 'sampling_algorithm="random"'),
    MappedName("GridParameterSampling", 'sampling_algorithm="grid"'),
    MappedName("BayesianParameterSampling", 'sampling_algorithm="bayesian"'),
    MappedName("PrimaryMetricGoal", 'goal="Maximize" or "Minimize"'),
    MappedName("BanditPolicy", "BanditPolicy(…)"),
    MappedName("MedianStoppingPolicy", "MedianStoppingPolicy(…)"),
    MappedName("TruncationSelectionPolicy", "TruncationSelectionPolicy(…)"),
    MappedName("NoTerminationPolicy", "no early_termination_policy"),
    MappedName("choice", "Choice(values=[…])"),
    MappedName("uniform", "Uniform(min_value, max_value)"),
    MappedName("loguniform", "LogUniform(min_value, max_value)"),
    MappedName("quniform", "QUniform(min_value, max_value, q)"),
    MappedName("qloguniform", "QLogUniform(min_value, max_value, q)"),
    MappedName("normal", "Normal(mu, sigma)"),
    MappedName("lognormal", "LogNormal(mu, sigma)"),
    MappedName("qnormal", "QNormal(mu, sigma, q)"),
    MappedName("qlognormal", "QLogNormal(mu, sigma, q)"),
    MappedName("randint", "Randint(upper)"),
    *(
        MappedName(name, "pipelines of components", "refused", _MANY)
        for name in (
            "AutoMLPipelineBuilder",
            "ManyModelsTrainParameters",
            "ManyModelsInferenceParameters",
            "HTSTrainParameters",
            "HTSInferenceParameters",
            "get_output_from_mm_pipeline",
        )
    ),
)
