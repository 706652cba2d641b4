"""Kinds of jobs that are kept as they are, with their keys in camelCase."""

from __future__ import annotations

from smalt.entities.data_transfer import DataTransferJob
from smalt.entities.distillation import DistillationJob
from smalt.entities.import_job import ImportJob
from smalt.entities.job import Job
from smalt.wire.codec import Codec
from smalt.wire.envelope import Envelope
from smalt.wire.jobs import JOB, JOB_DEFAULTS
from smalt.wire.parts import SHARED


def _envelope(noun: type[Job], type: str) -> Envelope:
    rules = {name: rule for name, rule in {**SHARED, **JOB}.items() if name in noun._fields}
    defaults = {key: value for key, value in JOB_DEFAULTS.items() if key in noun._fields or key == "isArchived"}
    return Envelope(Codec(noun, rules, constants={"jobType": type}, defaults=defaults))


IMPORT = _envelope(ImportJob, "Import")
DATA_TRANSFER = _envelope(DataTransferJob, "DataTransfer")
DISTILLATION = _envelope(DistillationJob, "Distillation")
