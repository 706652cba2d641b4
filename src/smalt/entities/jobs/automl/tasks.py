"""AutoML's jobs and steps, one for each task: what may be set on it is what the task has."""

from __future__ import annotations

from smalt.entities.jobs.automl.job import AutoMLJob, AutoMLNode
from smalt.entities.jobs.automl.setters import OfForecasts, OfObjects, OfTables, OfText, OfWholeImages


class ClassificationJob(OfTables, AutoMLJob):
    of = "classification"


class RegressionJob(OfTables, AutoMLJob):
    of = "regression"


class ForecastingJob(OfForecasts, AutoMLJob):
    of = "forecasting"


class ImageClassificationJob(OfWholeImages, AutoMLJob):
    of = "image_classification"


class ImageClassificationMultilabelJob(OfWholeImages, AutoMLJob):
    of = "image_classification_multilabel"


class ImageObjectDetectionJob(OfObjects, AutoMLJob):
    of = "image_object_detection"


class ImageInstanceSegmentationJob(OfObjects, AutoMLJob):
    of = "image_instance_segmentation"


class TextClassificationJob(OfText, AutoMLJob):
    of = "text_classification"


class TextClassificationMultilabelJob(OfText, AutoMLJob):
    of = "text_classification_multilabel"


class TextNerJob(OfText, AutoMLJob):
    of = "text_ner"


class TablesNode(OfTables, AutoMLNode): ...


class ForecastsNode(OfForecasts, AutoMLNode): ...


class WholeImagesNode(OfWholeImages, AutoMLNode): ...


class ObjectsNode(OfObjects, AutoMLNode): ...


class TextNode(OfText, AutoMLNode): ...


JOBS: dict[str, type[AutoMLJob]] = {
    ClassificationJob.of: ClassificationJob,
    RegressionJob.of: RegressionJob,
    ForecastingJob.of: ForecastingJob,
    ImageClassificationJob.of: ImageClassificationJob,
    ImageClassificationMultilabelJob.of: ImageClassificationMultilabelJob,
    ImageObjectDetectionJob.of: ImageObjectDetectionJob,
    ImageInstanceSegmentationJob.of: ImageInstanceSegmentationJob,
    TextClassificationJob.of: TextClassificationJob,
    TextClassificationMultilabelJob.of: TextClassificationMultilabelJob,
    TextNerJob.of: TextNerJob,
}
NODES: dict[str, type[AutoMLNode]] = {
    ClassificationJob.of: TablesNode,
    RegressionJob.of: TablesNode,
    ForecastingJob.of: ForecastsNode,
    ImageClassificationJob.of: WholeImagesNode,
    ImageClassificationMultilabelJob.of: WholeImagesNode,
    ImageObjectDetectionJob.of: ObjectsNode,
    ImageInstanceSegmentationJob.of: ObjectsNode,
    TextClassificationJob.of: TextNode,
    TextClassificationMultilabelJob.of: TextNode,
    TextNerJob.of: TextNode,
}
