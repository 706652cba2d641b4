"""Enumerations that the official SDK offers beside the nouns."""

from __future__ import annotations

from enum import Enum


class CreatedByType(str, Enum):
    USER = "User"
    APPLICATION = "Application"
    MANAGED_IDENTITY = "ManagedIdentity"
    KEY = "Key"


class UsageUnit(str, Enum):
    COUNT = "Count"


class ComputePowerAction(str, Enum):
    START = "Start"
    STOP = "Stop"


class ScheduleState(str, Enum):
    ENABLED = "Enabled"
    DISABLED = "Disabled"


class DataColumnType(str, Enum):
    STRING = "string"
    INTEGER = "integer"
    LONG = "long"
    FLOAT = "float"
    DOUBLE = "double"
    BINARY = "binary"
    DATETIME = "datetime"
    BOOLEAN = "boolean"


class MaterializationType(str, Enum):
    RECURRENT_MATERIALIZATION = "1"
    BACKFILL_MATERIALIZATION = "2"


class DataAvailabilityStatus(str, Enum):
    NONE = "None"
    PENDING = "Pending"
    INCOMPLETE = "Incomplete"
    COMPLETE = "Complete"


class CapabilityHostKind(str, Enum):
    AGENTS = "Agents"


class DefaultActionType:
    ALLOW = "Allow"
    DENY = "Deny"


class IsolationMode:
    ALLOW_INTERNET_OUTBOUND = "AllowInternetOutbound"
    ALLOW_ONLY_APPROVED_OUTBOUND = "AllowOnlyApprovedOutbound"
    DISABLED = "Disabled"


class SparkJobEntryType:
    SPARK_JOB_CLASS_ENTRY = "SparkJobScalaEntry"
    SPARK_JOB_FILE_ENTRY = "SparkJobPythonEntry"
