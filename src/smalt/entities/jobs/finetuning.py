"""Fine-tuning jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.entities.jobs.inputs import JOB_OUTPUTS, DataPath, Input
from smalt.entities.jobs.job import Job
from smalt.entities.jobs.resources import QueueSettings
from smalt.entities.schema.effects import KEPT, REFUSED
from smalt.entities.schema.entity import Entity, constant, mapping, optional, required
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.shapes import AsText, Enum, Integer, List, Map, Number, Text

DATA = DataPath() | Nested(Input)


class JobResources(Entity):
    noun = "resources of a fine-tuning job"
    _effect = KEPT

    instance_types = optional(List(Text()), "The kinds of machine that will do.")


class FineTuningJob(Job):
    noun = "a fine-tuning job"
    _effect = REFUSED

    type = constant("finetuning", "The type of job.")
    task = required(
        Enum(
            *("chat_completion", "text_completion", "text_classification", "question_answering"),
            *("text_summarization", "token_classification", "text_translation", "image_classification"),
            *("image_instance_segmentation", "image_object_detection", "video_multi_object_tracking"),
        ),
        "The task to learn.",
    )
    model_provider = required(Enum("azure_open_ai", "custom"), "Whose model it is.")
    model = required(Nested(Input), "The model.")
    training_data = optional(DATA, "The training data.")
    validation_data = optional(DATA, "The validation data.")
    hyperparameters = mapping(Map(AsText()), "Hyperparameters, by name.")
    outputs = mapping(JOB_OUTPUTS, "The outputs, by name.")
    resources = optional(Nested(JobResources), "The machines that it asks for.")
    queue_settings = optional(Nested(QueueSettings), "The tier and place in the queue.")

    @classmethod
    def _resolve_class(cls, data: Mapping[str, Any]) -> Any:
        provider = str(data.get("model_provider")).replace("_", "").lower()
        return AzureOpenAIFineTuningJob if cls is FineTuningJob and provider == "azureopenai" else cls


class CustomModelFineTuningJob(FineTuningJob):
    noun = "a fine-tuning job of a model of one's own"

    model_provider = constant("custom", "Whose model it is.")


class AzureOpenAIHyperparameters(Entity):
    noun = "hyperparameters of an Azure OpenAI model"
    _effect = KEPT
    _is_open = True

    batch_size = optional(Integer(at_least=1), "The batch size.")
    learning_rate_multiplier = optional(Number(), "The factor of the learning rate.")
    n_epochs = optional(Integer(at_least=1), "The number of epochs.")


class AzureOpenAIFineTuningJob(FineTuningJob):
    noun = "a fine-tuning job of an Azure OpenAI model"

    model_provider = constant("azure_open_ai", "Whose model it is.")
    hyperparameters: Any = optional(Nested(AzureOpenAIHyperparameters), "The training settings.")
