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


class JobStatus:
    NOT_STARTED = "NotStarted"
    STARTING = "Starting"
    PROVISIONING = "Provisioning"
    PREPARING = "Preparing"
    QUEUED = "Queued"
    RUNNING = "Running"
    FINALIZING = "Finalizing"
    CANCEL_REQUESTED = "CancelRequested"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELED = "Canceled"
    NOTRESPONDING = NOT_RESPONDING = "NotResponding"
    PAUSED = "Paused"


class RunHistoryConstants:
    IN_PROGRESS_STATUSES = ("NotStarted", "Queued", "Preparing", "Provisioning", "Starting", "Running")
    POST_PROCESSING_STATUSES = ("CancelRequested", "Finalizing")
    TERMINAL_STATUSES = ("Completed", "Failed", "Canceled", "NotResponding", "Paused")
