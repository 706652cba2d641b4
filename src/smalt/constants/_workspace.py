"""Words of workspaces."""

from __future__ import annotations

from enum import Enum

from smalt.entities.enums import CapabilityHostKind as CapabilityHostKind
from smalt.entities.enums import IsolationMode as IsolationMode


class ManagedServiceIdentityType(str, Enum):
    NONE = "None"
    SYSTEM_ASSIGNED = "SystemAssigned"
    USER_ASSIGNED = "UserAssigned"
    SYSTEM_ASSIGNED_USER_ASSIGNED = "SystemAssigned,UserAssigned"
