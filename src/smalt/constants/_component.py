"""Words of components."""

from __future__ import annotations


class ParallelTaskType:
    FUNCTION = "function"
    MODEL = "model"
    RUN_FUNCTION = "run_function"
