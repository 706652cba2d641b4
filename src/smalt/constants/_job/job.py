"""Words of jobs."""

from __future__ import annotations


class JobType:
    AUTOML = "automl"
    BASE = "base"
    COMMAND = "command"
    COMPONENT = "component"
    DATA_TRANSFER = "data_transfer"
    DISTILLATION = "distillation"
    FINE_TUNING = "finetuning"
    IMPORT = "import"
    PARALLEL = "parallel"
    PIPELINE = "pipeline"
    SPARK = "spark"
    SWEEP = "sweep"


class ImportSourceType:
    AZURESQLDB = "azuresqldb"
    AZURESYNAPSEANALYTICS = "azuresynapseanalytics"
    S3 = "s3"
    SNOWFLAKE = "snowflake"


class DistributionType:
    MPI = "mpi"
    PYTORCH = "pytorch"
    RAY = "ray"
    TENSORFLOW = "tensorflow"
