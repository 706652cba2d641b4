"""Distillation, under the names of `azure.ai.ml.model_customization`."""

from __future__ import annotations

from typing import Any

from smalt.constants._job.distillation import DataGenerationType
from smalt.entities.jobs.distillation import DistillationJob
from smalt.entities.jobs.distillation import EndpointRequestSettings as EndpointRequestSettings
from smalt.entities.jobs.distillation import PromptSettings as PromptSettings
from smalt.entities.jobs.distillation import TeacherModelSettings as TeacherModelSettings
from smalt.entities.jobs.inputs import Input
from smalt.entities.jobs.resources import ResourceConfiguration
from smalt.entities.workspaces.connection import Connection
from smalt.exceptions import UserErrorException
from smalt.machine.source_lines import find_caller

__all__ = ["EndpointRequestSettings", "PromptSettings", "TeacherModelSettings", "distillation"]


def distillation(
    *,
    experiment_name: str,
    data_generation_type: str,
    data_generation_task_type: str,
    teacher_model_endpoint_connection: Connection,
    student_model: Input | str,
    training_data: Input | str | None = None,
    validation_data: Input | str | None = None,
    teacher_model_settings: TeacherModelSettings | None = None,
    prompt_settings: PromptSettings | None = None,
    hyperparameters: dict[str, Any] | None = None,
    resources: ResourceConfiguration | None = None,
    **kwargs: Any,
) -> DistillationJob:
    """Return a job in which a large model teaches a small one; paths and URIs become data of type `uri_file`."""
    if data_generation_type == DataGenerationType.LABEL_GENERATION:
        for name, value in {"training_data": training_data, "validation_data": validation_data}.items():
            if value is None:
                words = f"distillation() needs '{name}' where data_generation_type is '{data_generation_type}'"
                raise UserErrorException(words, find_caller())
    return DistillationJob(
        experiment_name=experiment_name,
        data_generation_type=data_generation_type,
        data_generation_task_type=data_generation_task_type,
        teacher_model_endpoint_connection=teacher_model_endpoint_connection,
        student_model=_make_file(student_model),
        training_data=_make_file(training_data),
        validation_data=_make_file(validation_data),
        teacher_model_settings=teacher_model_settings,
        prompt_settings=prompt_settings,
        hyperparameters=hyperparameters or {},
        resources=resources,
        **kwargs,
    )


def _make_file(value: Input | str | None) -> Input | None:
    return Input(type="uri_file", path=value) if isinstance(value, str) else value
