"""Where the official SDK keeps it; programs import it from here."""

from __future__ import annotations

from smalt.entities.wiring import PipelineInput as PipelineInput
from smalt.entities.wiring import StepOutput

NodeOutput = StepOutput
