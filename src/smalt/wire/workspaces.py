"""Workspaces."""

from __future__ import annotations

from smalt.entities.workspaces.workspace import Workspace
from smalt.wire.codec import Codec, Rule
from smalt.wire.envelope import HIDDEN, RESOURCE, Envelope
from smalt.wire.parts import ACTS_AS

RESOURCES = Envelope(
    Codec(
        Workspace,
        {
            **RESOURCE,
            "resource_group": HIDDEN,
            "identity": ACTS_AS,
            "display_name": Rule("friendlyName"),
            "mlflow_tracking_uri": Rule("mlFlowTrackingUri"),
        },
    ),
    outside=("location", "tags", "kind", "identity"),
)
