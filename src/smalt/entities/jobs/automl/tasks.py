"""AutoML jobs and steps, one class per task with the setters that the task allows."""

from __future__ import annotations

from smalt.entities.jobs.automl.job import AutoMLJob, AutoMLNode
from smalt.entities.jobs.automl.setters import (
    ForecastSetters,
    ImageClassificationSetters,
    ObjectDetectionSetters,
    TableSetters,
    TextSetters,
)


class ClassificationJob(TableSetters, AutoMLJob):
    of = "classification"


class RegressionJob(TableSetters, AutoMLJob):
    of = "regression"


class ForecastingJob(ForecastSetters, AutoMLJob):
    of = "forecasting"


class ImageClassificationJob(ImageClassificationSetters, AutoMLJob):
    of = "image_classification"


class ImageClassificationMultilabelJob(ImageClassificationSetters, AutoMLJob):
    of = "image_classification_multilabel"


class ImageObjectDetectionJob(ObjectDetectionSetters, AutoMLJob):
    of = "image_object_detection"


class ImageInstanceSegmentationJob(ObjectDetectionSetters, AutoMLJob):
    of = "image_instance_segmentation"


class TextClassificationJob(TextSetters, AutoMLJob):
    of = "text_classification"


class TextClassificationMultilabelJob(TextSetters, AutoMLJob):
    of = "text_classification_multilabel"


class TextNerJob(TextSetters, AutoMLJob):
    of = "text_ner"


class TablesNode(TableSetters, AutoMLNode): ...


class ForecastsNode(ForecastSetters, AutoMLNode): ...


class WholeImagesNode(ImageClassificationSetters, AutoMLNode): ...


class ObjectsNode(ObjectDetectionSetters, AutoMLNode): ...


class TextNode(TextSetters, AutoMLNode): ...


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
