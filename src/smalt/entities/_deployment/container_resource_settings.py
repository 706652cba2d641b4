"""Where the official SDK keeps it; programs import it from here."""

from __future__ import annotations

from smalt.entities.online_deployment import ResourceSettings as ResourceSettings
