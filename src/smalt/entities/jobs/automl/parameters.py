"""Hyperparameters of AutoML's image and text models: fixed values, or a space to search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.jobs.inputs import LiteralValue
from smalt.entities.jobs.search_space import DISTRIBUTION
from smalt.entities.schema.problems import Path, did_you_mean
from smalt.entities.schema.shapes import JSON, List, Map, Shape

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader
    from smalt.entities.schema.shapes import Definitions

_ALL = (
    *("learning_rate", "learning_rate_scheduler", "model_name", "number_of_epochs", "training_batch_size"),
    *("validation_batch_size", "weight_decay"),
)
_TEXT = ("gradient_accumulation_steps", "warmup_ratio")
_IMAGE = (
    *("ams_gradient", "advanced_settings", "augmentations", "beta1", "beta2", "checkpoint_frequency"),
    *("checkpoint_run_id", "checkpoint_model", "distributed", "early_stopping", "early_stopping_delay"),
    *("early_stopping_patience", "evaluation_frequency", "enable_onnx_normalization", "gradient_accumulation_step"),
    *("layers_to_freeze", "momentum", "nesterov", "number_of_workers", "optimizer", "random_seed", "step_lr_gamma"),
    *("step_lr_step_size", "warmup_cosine_lr_cycles", "warmup_cosine_lr_warmup_epochs"),
)
_CLASSIFICATION = ("training_crop_size", "validation_crop_size", "validation_resize_size", "weighted_loss")
_DETECTION = (
    *("box_detections_per_image", "box_score_threshold", "image_size", "max_size", "min_size", "model_size"),
    *("multi_scale", "nms_iou_threshold", "tile_grid_size", "tile_overlap_ratio", "tile_predictions_nms_threshold"),
    *("validation_iou_threshold", "validation_metric_type", "log_training_metrics", "log_validation_loss"),
)
HYPERPARAMETERS = (*_ALL, *_TEXT, *_IMAGE, *_CLASSIFICATION, *_DETECTION)


class Hyperparameters(Map[Any]):
    """A mapping from names of hyperparameters."""

    def read_value(self, value: Any, path: Path, reader: Reader) -> dict[str, Any] | None:
        if isinstance(value, Mapping):
            for name in value:
                if name not in HYPERPARAMETERS:
                    hint = did_you_mean(name, HYPERPARAMETERS)
                    reader.add_problem((*path, name), f"unknown hyperparameter '{name}'{hint}", at_key=True)
        return super().read_value(value, path, reader)

    def build_schema(self, definitions: Definitions) -> JSON:
        item = self.item.build_schema(definitions)
        return {
            "type": "object",
            "properties": dict.fromkeys(HYPERPARAMETERS, item),
            "additionalProperties": False,
        }


_VALUES: Shape[Any] = LiteralValue() | DISTRIBUTION

TRAINING_PARAMETERS = Hyperparameters(LiteralValue())
SEARCH_SPACES = List(Hyperparameters(_VALUES, "hyperparameters"))
