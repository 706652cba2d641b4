"""Fine-tuning, under the names of `azure.ai.ml.finetuning`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.constants._job.finetuning import FineTuningTaskType as FineTuningTaskType
from smalt.entities.jobs.finetuning import CustomModelFineTuningJob, JobResources
from smalt.entities.jobs.inputs import Input, Output
from smalt.entities.jobs.resources import QueueSettings

__all__ = ["FineTuningTaskType", "create_finetuning_job"]


def create_finetuning_job(
    *,
    model: str,
    task: str,
    training_data: str,
    output_model_name_prefix: str,
    validation_data: str | None = None,
    hyperparameters: Mapping[str, str] | None = None,
    compute: str | None = None,
    instance_types: list[str] | None = None,
    job_tier: str | None = None,
    **kwargs: Any,
) -> CustomModelFineTuningJob:
    """Return a fine-tuning job; the model is registered as `output_model_name_prefix`."""
    return CustomModelFineTuningJob(
        task=task,
        model=Input(type="mlflow_model", path=model),
        training_data=Input(type="uri_file", path=training_data),
        validation_data=Input(type="uri_file", path=validation_data) if validation_data else None,
        hyperparameters=dict(hyperparameters or {}),
        compute=compute,
        resources=JobResources(instance_types=instance_types) if instance_types else None,
        queue_settings=QueueSettings(job_tier=job_tier) if job_tier else None,
        outputs={"registered_model": Output(type="mlflow_model", name=output_model_name_prefix)},
        **kwargs,
    )
