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
    from_step = "classification"


class RegressionJob(TableSetters, AutoMLJob):
    from_step = "regression"


class ForecastingJob(ForecastSetters, AutoMLJob):
    from_step = "forecasting"


class ImageClassificationJob(ImageClassificationSetters, AutoMLJob):
    from_step = "image_classification"


class ImageClassificationMultilabelJob(ImageClassificationSetters, AutoMLJob):
    from_step = "image_classification_multilabel"


class ImageObjectDetectionJob(ObjectDetectionSetters, AutoMLJob):
    from_step = "image_object_detection"


class ImageInstanceSegmentationJob(ObjectDetectionSetters, AutoMLJob):
    from_step = "image_instance_segmentation"


class TextClassificationJob(TextSetters, AutoMLJob):
    from_step = "text_classification"


class TextClassificationMultilabelJob(TextSetters, AutoMLJob):
    from_step = "text_classification_multilabel"


class TextNerJob(TextSetters, AutoMLJob):
    from_step = "text_ner"


class TablesNode(TableSetters, AutoMLNode): ...


class ForecastsNode(ForecastSetters, AutoMLNode): ...


class WholeImagesNode(ImageClassificationSetters, AutoMLNode): ...


class ObjectsNode(ObjectDetectionSetters, AutoMLNode): ...


class TextNode(TextSetters, AutoMLNode): ...


JOBS: dict[str, type[AutoMLJob]] = {
    ClassificationJob.from_step: ClassificationJob,
    RegressionJob.from_step: RegressionJob,
    ForecastingJob.from_step: ForecastingJob,
    ImageClassificationJob.from_step: ImageClassificationJob,
    ImageClassificationMultilabelJob.from_step: ImageClassificationMultilabelJob,
    ImageObjectDetectionJob.from_step: ImageObjectDetectionJob,
    ImageInstanceSegmentationJob.from_step: ImageInstanceSegmentationJob,
    TextClassificationJob.from_step: TextClassificationJob,
    TextClassificationMultilabelJob.from_step: TextClassificationMultilabelJob,
    TextNerJob.from_step: TextNerJob,
}
NODES: dict[str, type[AutoMLNode]] = {
    ClassificationJob.from_step: TablesNode,
    RegressionJob.from_step: TablesNode,
    ForecastingJob.from_step: ForecastsNode,
    ImageClassificationJob.from_step: WholeImagesNode,
    ImageClassificationMultilabelJob.from_step: WholeImagesNode,
    ImageObjectDetectionJob.from_step: ObjectsNode,
    ImageInstanceSegmentationJob.from_step: ObjectsNode,
    TextClassificationJob.from_step: TextNode,
    TextClassificationMultilabelJob.from_step: TextNode,
    TextNerJob.from_step: TextNode,
}
