"""Where the official SDK keeps it; programs import it from here."""

from __future__ import annotations

from smalt.entities.automl import ForecastingSettings as ForecastingSettings
