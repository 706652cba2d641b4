"""Words of distillation."""

from __future__ import annotations


class DataGenerationTaskType:
    CONVERSATION = "CONVERSATION"
    MATH = "MATH"
    NLI = "NLI"
    NLU_QA = "NLU_QA"
    SUMMARIZATION = "SUMMARIZATION"


class DataGenerationType:
    DATA_GENERATION = "data_generation"
    LABEL_GENERATION = "label_generation"
