"""Words of data, of assets and of time."""

from __future__ import annotations

from enum import Enum


class AssetTypes:
    CUSTOM_MODEL = "custom_model"
    MLFLOW_MODEL = "mlflow_model"
    MLTABLE = "mltable"
    TRITON_MODEL = "triton_model"
    URI_FILE = "uri_file"
    URI_FOLDER = "uri_folder"


class InputTypes:
    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    STRING = "string"


class InputOutputModes:
    DIRECT = "direct"
    DOWNLOAD = "download"
    EVAL_DOWNLOAD = "eval_download"
    EVAL_MOUNT = "eval_mount"
    MOUNT = "mount"
    RO_MOUNT = "ro_mount"
    RW_MOUNT = "rw_mount"
    UPLOAD = "upload"


class ModelType:
    CUSTOM = "CustomModel"
    MLFLOW = "MLFlowModel"
    TRITON = "TritonModel"


class Scope:
    RESOURCE_GROUP = "resource_group"
    SUBSCRIPTION = "subscription"


class WorkspaceKind:
    DEFAULT = "default"
    FEATURE_STORE = "featurestore"
    HUB = "hub"
    PROJECT = "project"


class ListViewType(str, Enum):
    ACTIVE_ONLY = "ActiveOnly"
    ARCHIVED_ONLY = "ArchivedOnly"
    ALL = "All"


class LROConfigurations:
    MAX_WAIT_COUNT = 400
    POLLING_TIMEOUT = 720
    POLL_INTERVAL = 5
    SLEEP_TIME = 5
