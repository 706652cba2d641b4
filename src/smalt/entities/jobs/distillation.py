"""Distillation jobs, in which a large model teaches a small one."""

from __future__ import annotations

from typing import Any

from smalt.entities.jobs.finetuning import DATA
from smalt.entities.jobs.inputs import JOB_OUTPUTS, Input
from smalt.entities.jobs.job import Job
from smalt.entities.jobs.resources import JobResourceConfiguration
from smalt.entities.schema.effects import KEPT, REFUSED
from smalt.entities.schema.entity import Entity, constant, mapping, optional, required
from smalt.entities.schema.keyed import Keyed
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.shapes import Anything, AsText, Boolean, Enum, Integer, Map, Number, Text
from smalt.entities.workspaces.connection import Connection


class EndpointRequestSettings(Keyed, Entity):
    noun = "settings of the requests to the teacher"
    _effect = KEPT

    request_batch_size = optional(Integer(at_least=1), "Requests at a time.")
    min_endpoint_success_ratio = optional(Number(0, 1), "The part of the requests that must succeed.")


class TeacherModelSettings(Keyed, Entity):
    noun = "settings of the teacher"
    _effect = KEPT

    inference_parameters = mapping(Map(Anything()), "Parameters of the requests.")
    endpoint_request_settings = optional(Nested(EndpointRequestSettings), "The settings of requests.")


class PromptSettings(Keyed, Entity):
    noun = "settings of the prompt"
    _effect = KEPT

    enable_chain_of_thought = optional(Boolean(), "Whether the teacher is to reason.")
    enable_chain_of_density = optional(Boolean(), "Whether the teacher is to write densely.")
    max_len_summary = optional(Integer(at_least=1), "Words of a summary at most.")


class DistillationJob(Job):
    noun = "a distillation job"
    _effect = REFUSED

    type = constant("distillation", "The type of job.")
    data_generation_type = required(
        Enum("label_generation", "data_generation"), "The type of data that the teacher generates."
    )
    data_generation_task_type = required(
        Enum("NLI", "NLU_QA", "CONVERSATION", "MATH", "SUMMARIZATION"), "The task to learn."
    )
    teacher_model_endpoint_connection = required(Nested(Connection), "The connection to the teacher.")
    student_model = required(Text() | Nested(Input), "The model that learns.")
    training_data = optional(DATA, "The training data.")
    validation_data = optional(DATA, "The validation data.")
    teacher_model_settings = optional(Nested(TeacherModelSettings), "The settings of requests to the teacher model.")
    prompt_settings = optional(Nested(PromptSettings), "The settings of the prompt.")
    hyperparameters = mapping(Map(AsText()), "Hyperparameters, by name.")
    outputs = mapping(JOB_OUTPUTS, "The outputs, by name.")
    resources = optional(Nested(JobResourceConfiguration), "The machines that it asks for.")

    def set_teacher_model_settings(
        self,
        inference_parameters: dict[str, Any] | None = None,
        endpoint_request_settings: EndpointRequestSettings | None = None,
    ) -> None:
        """Set how the teacher model is queried."""
        self.teacher_model_settings = TeacherModelSettings(
            inference_parameters=inference_parameters or {}, endpoint_request_settings=endpoint_request_settings
        )

    def set_prompt_settings(self, prompt_settings: PromptSettings | None) -> None:
        """Set how prompts are made; None changes nothing."""
        if prompt_settings is not None:
            self.prompt_settings = prompt_settings

    def set_finetuning_settings(self, hyperparameters: dict[str, Any] | None) -> None:
        """Set the hyperparameters; None changes nothing."""
        if hyperparameters is not None:
            self.hyperparameters = hyperparameters
