"""The modules of `azureml` that smalt serves, and where each of their names lives.

A name is given by every module that is served: programs import many from where v1 only used them, such as
`azureml.core.model.Dataset`. So `SERVED` lists paths, and `HOMES` the names, whatever the path.
"""

from __future__ import annotations

from importlib import import_module
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any

from smalt.python.private_modules import AbsentAttributeError, ModuleBuilder

if TYPE_CHECKING:
    from types import ModuleType

VERSION = "1.61.0"
"""The version of azureml-core whose names smalt has."""

_CORE = {
    "compute.kinds": "AdlaCompute AksCompute AmlCompute BatchCompute ComputeInstance DataFactoryCompute "
    "DatabricksCompute DsvmCompute HDInsightCompute KubernetesCompute KustoCompute RemoteCompute SynapseCompute",
    "compute.target": "ComputeTarget",
    "conda_dependencies": "CondaDependencies CONDA_FILE_NAME DEFAULT_SDK_ORIGIN PYTHON_DEFAULT_VERSION",
    "datastore": "AbstractDatastore Datastore",
    "environment": "CondaChannel DEFAULT_CPU_IMAGE DEFAULT_GPU_IMAGE DockerBuildContext DockerSection Environment "
    "PythonSection RSection SparkSection",
    "estimators": "Estimator Gloo Nccl PyTorch SKLearn TensorFlow",
    "experiment": "Experiment",
    "model": "Model",
    "resources.authentication": "AbstractAuthentication ArcTokenAuthentication Audience AzureCliAuthentication "
    "AzureMLTokenAuthentication InteractiveLoginAuthentication MsiAuthentication ServicePrincipalAuthentication "
    "TokenAuthentication",
    "resources.container_registry": "ContainerRegistry",
    "resources.keyvault": "Keyvault KeyVaultContentType",
    "resources.libraries": "EggLibrary JarLibrary MavenLibrary PyPiLibrary RCranLibrary",
    "resources.linked_service": "LinkedService SynapseWorkspaceLinkedServiceConfiguration",
    "resources.telemetry": "set_diagnostics_collection",
    "resources.webservice": "AciWebservice AksWebservice InferenceConfig LocalWebservice Webservice",
    "run": "Run get_run",
    "run_configuration": "MAX_DURATION_SECONDS_DEFAULT RunConfiguration",
    "run_details": "RunDetails",
    "run_settings": "DockerConfiguration HistoryConfiguration MpiConfiguration ParallelTaskConfiguration "
    "PyTorchConfiguration SparkConfiguration TensorflowConfiguration",
    "script_run": "ScriptRun",
    "script_run_config": "ScriptRunConfig",
    "resources.tensorboard": "Tensorboard export_to_tensorboard",
    "workspace": "Workspace",
}
_DATA = {
    "data.consumption": "DatasetConsumptionConfig",
    "data.dataset": "Dataset",
    "data.datasets": "AbstractDataset FileDataset",
    "data.factories": "DataType FileDatasetFactory PromoteHeadersBehavior TabularDatasetFactory",
    "data.open_datasets": "Diabetes MNIST NoaaIsdWeather NycTlcGreen NycTlcYellow PublicHolidays",
    "data.outputs": "HDFSOutputDatasetConfig LinkFileOutputDatasetConfig LinkTabularOutputDatasetConfig "
    "OutputDatasetConfig OutputFileDatasetConfig OutputTabularDatasetConfig",
    "data.references": "DataPath DataPathComputeBinding DataReference SqlDataReference",
    "data.tables": "TabularDataset",
}
"""Datasets and what leads to them."""
_PIPELINES = {
    "automl.config": "AutoMLConfig",
    "automl.run": "AutoMLRun AutoMLStepRun",
    "automl.settings": "FeaturizationConfig ForecastingParameters",
    "hyperdrive.config": "HyperDriveConfig HyperDriveRunConfig PrimaryMetricGoal",
    "hyperdrive.expressions": "choice lognormal loguniform normal qlognormal qloguniform qnormal quniform randint "
    "uniform",
    "hyperdrive.run": "HyperDriveRun HyperDriveStepRun",
    "hyperdrive.sampling": "BanditPolicy BayesianParameterSampling EarlyTerminationPolicy GridParameterSampling "
    "HyperParameterSampling MedianStoppingPolicy NoTerminationPolicy RandomParameterSampling "
    "TruncationSelectionPolicy",
    "pipeline.graph": "InputPortBinding InputPortDef OutputPortBinding OutputPortDef PipelineDataset "
    "PipelineParameter PortDataReference TrainingOutput",
    "pipeline.module": "Module ModuleVersion ModuleVersionDescriptor",
    "pipeline.pipeline": "Pipeline",
    "pipeline.pipeline_data": "PipelineData PipelineOutputAbstractDataset PipelineOutputFileDataset "
    "PipelineOutputTabularDataset",
    "pipeline.drafts": "PipelineDraft",
    "pipeline.endpoints": "PipelineEndpoint PipelineVersion",
    "pipeline.notebooks": "AzureMLNotebookHandler NotebookRunConfig",
    "pipeline.published": "PublishedPipeline",
    "pipeline.schedules": "Schedule ScheduleRecurrence TimeZone",
    "pipeline.run": "PipelineRun StepRun StepRunOutput",
    "pipeline.sequence": "StepSequence",
    "pipeline.steps.automl_steps": "AutoMLStep",
    "pipeline.steps.base": "PipelineStep",
    "pipeline.steps.module_steps": "ModuleStep",
    "pipeline.steps.parallel_steps": "ParallelRunConfig ParallelRunStep",
    "pipeline.steps.script_steps": "CommandStep EstimatorStep MpiStep PythonScriptStep RScriptStep",
    "pipeline.steps.service_steps": "AdlaStep AzureBatchStep DataTransferStep DatabricksStep HDInsightStep KustoStep "
    "NotebookRunnerStep SynapseSparkStep",
    "pipeline.steps.sweep_steps": "HyperDriveStep",
}
"""Pipelines, their steps, sweeps and AutoML."""

HOMES = {
    name: module for part in (_CORE, _DATA, _PIPELINES) for module, names in part.items() for name in names.split()
}
"""The module of this package in which a name lives."""
_RENAMED = {
    "Mpi": ("smalt.v1.run_settings", "MpiConfiguration"),
    "ParameterServer": ("smalt.v1.run_settings", "TensorflowConfiguration"),
    "_OfflineRun": ("smalt.inside.v1.offline", "OfflineRun"),
    "ExplanationClient": ("smalt.inside.v1.explanations", "ExplanationClient"),
}
"""Names that are called something else where they live, and those that jobs have, too."""

_PATHS = """
    core core.authentication core.compute core.compute.aks core.compute.amlcompute core.compute.compute
    core.compute.computeinstance core.compute.remote core.compute_target core.conda_dependencies
    core.container_registry core.databricks core.dataset core.datastore core.environment core.experiment core.image
    core.keyvault core.linked_service core.model core.profile core.resource_configuration core.run core.runconfig
    core.script_run core.script_run_config core.util core.webservice core.webservice.webservice core.workspace
    exceptions interpret telemetry tensorboard tensorboard.export widgets train train.estimator train.sklearn train.dnn
"""
_DATA_PATHS = """
    data data.abstract_dataset data.constants data.data_reference data.datapath data.dataset_consumption_config
    data.dataset_factory data.dataset_type_definitions data.file_dataset data.output_dataset_config
    opendatasets data.sql_data_reference data.tabular_dataset
"""
"""Paths of the modules of datasets."""
_PIPELINE_PATHS = """
    automl automl.core automl.core.featurization automl.core.featurization.featurizationconfig
    automl.core.forecasting_parameters automl.core.shared automl.core.shared.constants
    contrib contrib.notebook contrib.pipeline contrib.pipeline.steps
    pipeline pipeline.core pipeline.core.builder pipeline.core.graph pipeline.core.module pipeline.core.pipeline
    pipeline.core.pipeline_output_dataset pipeline.core.run pipeline.core.schedule pipeline.core.pipeline_draft
    pipeline.core.pipeline_endpoint pipeline.steps pipeline.steps.adla_step
    pipeline.steps.automl_step
    pipeline.steps.azurebatch_step pipeline.steps.command_step pipeline.steps.data_transfer_step
    pipeline.steps.databricks_step pipeline.steps.estimator_step pipeline.steps.hyper_drive_step
    pipeline.steps.kusto_step pipeline.steps.module_step pipeline.steps.mpi_step pipeline.steps.parallel_run_config
    pipeline.steps.parallel_run_step pipeline.steps.python_script_step pipeline.steps.r_script_step
    pipeline.steps.synapse_spark_step train.automl train.automl.automlconfig
    train.automl.run train.hyperdrive train.hyperdrive.parameter_expressions
    train.hyperdrive.policy train.hyperdrive.run train.hyperdrive.runconfig train.hyperdrive.sampling
"""
"""Paths of the modules of pipelines, sweeps and AutoML."""
SERVED = frozenset(f"azureml.{path}" for path in (_PATHS + _DATA_PATHS + _PIPELINE_PATHS).split())


STARS = {
    "azureml.core": "ComputeTarget ContainerRegistry Dataset Datastore Environment Experiment Keyvault LinkedService "
    "Model Run RunConfiguration ScriptRun ScriptRunConfig Webservice Workspace get_run",
}
"""The names of `from MODULE import *`; of other modules all that there are."""


def list_exceptions() -> list[str]:
    from smalt.inside.v1.errors import CLASSES

    import_module("smalt.v1.exceptions")  # adds its own
    return sorted(CLASSES)


def list_star_names(module: str) -> list[str]:
    """Return the names that `from MODULE import *` brings."""
    if module == "azureml.exceptions":
        return list_exceptions()
    own = STARS[module].split() if module in STARS else sorted(HOMES)
    return [one for one in own if one in HOMES]


def is_served(name: str) -> bool:
    return name == "azureml" or name in SERVED


def find_name(module: str, name: str) -> Any:
    """Return the object of a name; raises AttributeError with a sentence where smalt has none."""
    if name in _RENAMED:
        home, inner = _RENAMED[name]
        return getattr(import_module(home), inner)
    if name in HOMES:
        return getattr(import_module(f"smalt.v1.{HOMES[name]}"), name)
    if is_served(f"{module}.{name}"):  # v1's modules import each other, so programs have them without importing
        return import_module(f"{module}.{name}")
    errors: Any = import_module("smalt.v1.exceptions")
    if name.endswith(("Exception", "Error")) and hasattr(errors, name):
        return getattr(errors, name)
    if name.startswith("__"):
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    raise AbsentAttributeError(explain_absence(module, name))


def explain_absence(module: str, name: str) -> str:
    """Return the sentence about a name that is not served: what to use instead, where that is known."""
    from smalt.v1.mapping import find_row, list_rows

    below = f"{module}.{name}."
    row = find_row(name) or next((one for one in list_rows() if one.name.startswith(below)), None)
    if row is not None and row.differs:
        return f"smalt does not serve {module}.{name}: {row.differs}"
    from smalt.entities.schema.problems import did_you_mean

    paths = [path.rpartition(".")[2] for path in SERVED if path.rpartition(".")[0] == module]
    hint = did_you_mean(name, paths if name[:1].islower() else (*HOMES, *_RENAMED))
    return f"smalt has no {module}.{name}{hint} (it serves the names of azureml-core {VERSION} that docs/v1.md lists)"


def make_spec(name: str) -> ModuleSpec:
    """Return the module `azureml…`, whose names are looked up when they are asked for."""

    def fill(module: ModuleType) -> None:
        vars(module).update(
            __doc__="SDK v1's names, by smalt.",
            __smalt__=True,
            __version__=f"{VERSION}+smalt",
            __getattr__=lambda wanted: find_name(name, wanted),
        )
        if name == "azureml.core":
            vars(module)["VERSION"] = VERSION
        if name == "azureml":
            from pkgutil import extend_path

            module.__path__ = extend_path([], name)  # azureml-mlflow and its like, where they are installed
        vars(module)["__all__"] = list_star_names(name)
        vars(module)["__dir__"] = lambda: sorted({*vars(module), *HOMES})

    return ModuleSpec(name, ModuleBuilder(fill), origin="smalt", is_package=True)
