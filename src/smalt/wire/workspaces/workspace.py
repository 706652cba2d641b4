"""Workspaces."""

from __future__ import annotations

from smalt.entities.workspaces.workspace import Workspace
from smalt.wire.encoding.codec import Codec, Rule
from smalt.wire.encoding.envelope import RESOURCE, Envelope
from smalt.wire.jobs.settings import ACTS_AS

RESOURCES = Envelope(
    Codec(
        Workspace,
        {
            **RESOURCE,
            "identity": ACTS_AS,
            "display_name": Rule("friendlyName"),
            "mlflow_tracking_uri": Rule("mlFlowTrackingUri"),
        },
    ),
    outside=("location", "tags", "kind", "identity"),
)
