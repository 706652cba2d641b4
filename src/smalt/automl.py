"""AutoML under the names of `azure.ai.ml.automl`: one function per task returns a job or, under @pipeline, a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.dsl.automl_words import BlockedTransformers as BlockedTransformers
from smalt.dsl.automl_words import ClassificationModels as ClassificationModels
from smalt.dsl.automl_words import ClassificationMultilabelPrimaryMetrics as ClassificationMultilabelPrimaryMetrics
from smalt.dsl.automl_words import ClassificationPrimaryMetrics as ClassificationPrimaryMetrics
from smalt.dsl.automl_words import FeaturizationMode as FeaturizationMode
from smalt.dsl.automl_words import ForecastHorizonMode as ForecastHorizonMode
from smalt.dsl.automl_words import ForecastingModels as ForecastingModels
from smalt.dsl.automl_words import ForecastingPrimaryMetrics as ForecastingPrimaryMetrics
from smalt.dsl.automl_words import InstanceSegmentationPrimaryMetrics as InstanceSegmentationPrimaryMetrics
from smalt.dsl.automl_words import LearningRateScheduler as LearningRateScheduler
from smalt.dsl.automl_words import LogTrainingMetrics as LogTrainingMetrics
from smalt.dsl.automl_words import LogValidationLoss as LogValidationLoss
from smalt.dsl.automl_words import NCrossValidationsMode as NCrossValidationsMode
from smalt.dsl.automl_words import ObjectDetectionPrimaryMetrics as ObjectDetectionPrimaryMetrics
from smalt.dsl.automl_words import RegressionModels as RegressionModels
from smalt.dsl.automl_words import RegressionPrimaryMetrics as RegressionPrimaryMetrics
from smalt.dsl.automl_words import SamplingAlgorithmType as SamplingAlgorithmType
from smalt.dsl.automl_words import ShortSeriesHandlingConfiguration as ShortSeriesHandlingConfiguration
from smalt.dsl.automl_words import StochasticOptimizer as StochasticOptimizer
from smalt.dsl.automl_words import TargetAggregationFunction as TargetAggregationFunction
from smalt.dsl.automl_words import TargetLagsMode as TargetLagsMode
from smalt.dsl.automl_words import TargetRollingWindowSizeMode as TargetRollingWindowSizeMode
from smalt.dsl.automl_words import UseStl as UseStl
from smalt.dsl.automl_words import ValidationMetricType as ValidationMetricType
from smalt.entities.jobs.automl.settings import AutoMLLimits, AutoMLSweep, Featurization
from smalt.entities.jobs.automl.settings import ColumnTransformer as ColumnTransformer
from smalt.entities.jobs.automl.settings import ForecastingSettings as ForecastingSettings
from smalt.entities.jobs.automl.settings import StackEnsembleSettings as StackEnsembleSettings
from smalt.entities.jobs.automl.settings import Training as TrainingSettings
from smalt.entities.jobs.automl.tasks import JOBS, NODES
from smalt.entities.jobs.automl.tasks import ClassificationJob as ClassificationJob
from smalt.entities.jobs.automl.tasks import ForecastingJob as ForecastingJob
from smalt.entities.jobs.automl.tasks import ImageClassificationJob as ImageClassificationJob
from smalt.entities.jobs.automl.tasks import ImageClassificationMultilabelJob as ImageClassificationMultilabelJob
from smalt.entities.jobs.automl.tasks import ImageInstanceSegmentationJob as ImageInstanceSegmentationJob
from smalt.entities.jobs.automl.tasks import ImageObjectDetectionJob as ImageObjectDetectionJob
from smalt.entities.jobs.automl.tasks import RegressionJob as RegressionJob
from smalt.entities.jobs.automl.tasks import TextClassificationJob as TextClassificationJob
from smalt.entities.jobs.automl.tasks import TextClassificationMultilabelJob as TextClassificationMultilabelJob
from smalt.entities.jobs.automl.tasks import TextNerJob as TextNerJob
from smalt.entities.schema.signatures import NounSignature
from smalt.entities.steps.bindings import StepOutputs
from smalt.entities.steps.collector import add_step, current_collector

TabularFeaturizationSettings = NlpFeaturizationSettings = Featurization
TabularLimitSettings = NlpLimitSettings = ImageLimitSettings = AutoMLLimits
ImageSweepSettings = NlpSweepSettings = AutoMLSweep


class SearchSpace(dict[str, Any]):
    """Hyperparameters, each a value or a distribution: `SearchSpace(learning_rate=Uniform(0.01, 0.1))`."""

    __signature__ = NounSignature()

    def __init__(self, **parameters: Any) -> None:
        super().__init__({name: value for name, value in parameters.items() if value is not None})


class NlpSearchSpace(SearchSpace):
    """A search space of text models."""


class ImageClassificationSearchSpace(SearchSpace):
    """A search space of models that classify images."""


class ImageObjectDetectionSearchSpace(SearchSpace):
    """A search space of models that find objects in images."""


class NlpFixedParameters(SearchSpace):
    """Hyperparameters of text models, each with one value."""


class ImageModelSettingsClassification(SearchSpace):
    """Hyperparameters of models that classify images, each with one value."""


class ImageModelSettingsObjectDetection(SearchSpace):
    """Hyperparameters of models that find objects in images, each with one value."""


def classification(
    *,
    training_data: Any,
    target_column_name: str,
    primary_metric: str | None = None,
    enable_model_explainability: bool | None = None,
    weight_column_name: str | None = None,
    validation_data: Any = None,
    validation_data_size: float | None = None,
    n_cross_validations: str | int | None = None,
    cv_split_column_names: list[str] | None = None,
    test_data: Any = None,
    test_data_size: float | None = None,
    **more: Any,
) -> Any:
    """Return a job that learns to classify rows; `more` takes `compute`, `experiment_name`, `outputs` and the like."""
    return _make_task("classification", **locals())


def regression(
    *,
    training_data: Any,
    target_column_name: str,
    primary_metric: str | None = None,
    enable_model_explainability: bool | None = None,
    weight_column_name: str | None = None,
    validation_data: Any = None,
    validation_data_size: float | None = None,
    n_cross_validations: str | int | None = None,
    cv_split_column_names: list[str] | None = None,
    test_data: Any = None,
    test_data_size: float | None = None,
    **more: Any,
) -> Any:
    return _make_task("regression", **locals())


def forecasting(
    *,
    training_data: Any,
    target_column_name: str,
    primary_metric: str | None = None,
    enable_model_explainability: bool | None = None,
    weight_column_name: str | None = None,
    validation_data: Any = None,
    validation_data_size: float | None = None,
    n_cross_validations: str | int | None = None,
    cv_split_column_names: list[str] | None = None,
    test_data: Any = None,
    test_data_size: float | None = None,
    forecasting_settings: ForecastingSettings | None = None,
    **more: Any,
) -> Any:
    return _make_task("forecasting", **locals())


def image_classification(
    *,
    training_data: Any,
    target_column_name: str,
    primary_metric: str | None = None,
    validation_data: Any = None,
    validation_data_size: float | None = None,
    **more: Any,
) -> Any:
    return _make_task("image_classification", **locals())


def image_classification_multilabel(
    *,
    training_data: Any,
    target_column_name: str,
    primary_metric: str | None = None,
    validation_data: Any = None,
    validation_data_size: float | None = None,
    **more: Any,
) -> Any:
    return _make_task("image_classification_multilabel", **locals())


def image_object_detection(
    *,
    training_data: Any,
    target_column_name: str,
    primary_metric: str | None = None,
    validation_data: Any = None,
    validation_data_size: float | None = None,
    **more: Any,
) -> Any:
    return _make_task("image_object_detection", **locals())


def image_instance_segmentation(
    *,
    training_data: Any,
    target_column_name: str,
    primary_metric: str | None = None,
    validation_data: Any = None,
    validation_data_size: float | None = None,
    **more: Any,
) -> Any:
    return _make_task("image_instance_segmentation", **locals())


def text_classification(
    *,
    training_data: Any,
    target_column_name: str,
    validation_data: Any,
    primary_metric: str | None = None,
    log_verbosity: str | None = None,
    **more: Any,
) -> Any:
    return _make_task("text_classification", **locals())


def text_classification_multilabel(
    *,
    training_data: Any,
    target_column_name: str,
    validation_data: Any,
    primary_metric: str | None = None,
    log_verbosity: str | None = None,
    **more: Any,
) -> Any:
    return _make_task("text_classification_multilabel", **locals())


def text_ner(
    *,
    training_data: Any,
    validation_data: Any,
    primary_metric: str | None = None,
    log_verbosity: str | None = None,
    **more: Any,
) -> Any:
    """Return a job that learns to find named entities; the target column is `label`."""
    return _make_task("text_ner", **locals())


def _make_task(task: str, **given: Any) -> Any:
    """Return a job or, inside a pipeline function, a step."""
    given.update(given.pop("more", {}))
    if task == "text_ner":
        given.setdefault("target_column_name", "label")
    if given.get("forecasting_settings") is not None:
        given["forecasting"] = given.pop("forecasting_settings")
    given.pop("forecasting_settings", None)
    explained = given.pop("enable_model_explainability", None)
    outputs: Mapping[str, Any] = given.pop("outputs", None) or {}
    is_step = current_collector.get() is not None
    noun: Any = NODES[task] if is_step else JOBS[task]
    job = noun.__new__(noun)
    job.__dict__["task"] = task
    job.set_values(given)
    if explained is not None:
        job.set_training(enable_model_explainability=explained)
    job.__dict__["outputs"] = StepOutputs(job, job._read_field(noun._fields["outputs"], "outputs", dict(outputs)))
    if is_step:
        add_step(job)
    return job


__all__ = [
    "BlockedTransformers",
    "ClassificationJob",
    "ClassificationModels",
    "ClassificationMultilabelPrimaryMetrics",
    "ClassificationPrimaryMetrics",
    "ColumnTransformer",
    "FeaturizationMode",
    "ForecastHorizonMode",
    "ForecastingJob",
    "ForecastingModels",
    "ForecastingPrimaryMetrics",
    "ForecastingSettings",
    "ImageClassificationJob",
    "ImageClassificationMultilabelJob",
    "ImageClassificationSearchSpace",
    "ImageInstanceSegmentationJob",
    "ImageLimitSettings",
    "ImageModelSettingsClassification",
    "ImageModelSettingsObjectDetection",
    "ImageObjectDetectionJob",
    "ImageObjectDetectionSearchSpace",
    "ImageSweepSettings",
    "InstanceSegmentationPrimaryMetrics",
    "LearningRateScheduler",
    "LogTrainingMetrics",
    "LogValidationLoss",
    "NCrossValidationsMode",
    "NlpFeaturizationSettings",
    "NlpFixedParameters",
    "NlpLimitSettings",
    "NlpSearchSpace",
    "NlpSweepSettings",
    "ObjectDetectionPrimaryMetrics",
    "RegressionJob",
    "RegressionModels",
    "RegressionPrimaryMetrics",
    "SamplingAlgorithmType",
    "SearchSpace",
    "ShortSeriesHandlingConfiguration",
    "StackEnsembleSettings",
    "StochasticOptimizer",
    "TabularFeaturizationSettings",
    "TabularLimitSettings",
    "TargetAggregationFunction",
    "TargetLagsMode",
    "TargetRollingWindowSizeMode",
    "TextClassificationJob",
    "TextClassificationMultilabelJob",
    "TextNerJob",
    "TrainingSettings",
    "UseStl",
    "ValidationMetricType",
    "classification",
    "forecasting",
    "image_classification",
    "image_classification_multilabel",
    "image_instance_segmentation",
    "image_object_detection",
    "regression",
    "text_classification",
    "text_classification_multilabel",
    "text_ner",
]
