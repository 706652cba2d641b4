"""Where the official SDK keeps it; programs import it from here."""

from __future__ import annotations

from smalt.entities.automl import AutoMLLimits, Featurization
from smalt.entities.automl import ForecastingSettings as ForecastingSettings
from smalt.entities.automl import StackEnsembleSettings as StackEnsembleSettings

TabularLimitSettings = AutoMLLimits
TabularFeaturizationSettings = Featurization
