"""Forecasts of one series by itself: naive ones, exponential smoothing, ARIMA, Prophet."""

from __future__ import annotations

import importlib.util
import warnings
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

_LONGEST = 600  # values: what lies further back costs time and tells little


def forecast_series(
    name: str, values: Any, steps: int, season: int, future: Any = None, past: Any = None, times: Any = None
) -> Any:
    """Return the next values of a series; `past` and `future` are features of known and of coming steps (arimax)."""
    values = np.asarray(values, dtype=float)
    if not len(values):
        return np.zeros(steps)
    with warnings.catch_warnings(), threadpool_limits(1):  # series are short: threads would only wait
        warnings.simplefilter("ignore")
        forecast = _FORECASTS[name](values, steps, season, future, past, times)
    forecast = np.asarray(forecast, dtype=float)
    return np.where(np.isfinite(forecast), forecast, values[-1])


def is_installed(name: str) -> bool:
    """Return False for Prophet where its package is missing."""
    return name != "prophet" or importlib.util.find_spec("prophet") is not None


def _repeat_last(values: Any, steps: int, *_: Any) -> Any:
    return np.repeat(values[-1], steps)


def _repeat_season(values: Any, steps: int, season: int, *_: Any) -> Any:
    last = values[-min(season, len(values)) :]
    return np.resize(last, steps)


def _forecast_average(values: Any, steps: int, season: int, *_: Any) -> Any:
    return np.repeat(values.mean(), steps)


def _average_season(values: Any, steps: int, season: int, *_: Any) -> Any:
    season = min(season, len(values))
    whole = values[len(values) % season :].reshape(-1, season)
    return np.resize(whole[-10:].mean(axis=0), steps)


def _forecast_smoothed(values: Any, steps: int, season: int, *_: Any) -> Any:
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    values = values[-max(_LONGEST, 3 * season if season < 500 else 0) :]
    has_season = season > 1 and len(values) >= 2 * season + 2
    model = ExponentialSmoothing(
        values,
        trend="add" if len(values) > 4 else None,
        damped_trend=len(values) > 4,
        seasonal="add" if has_season else None,
        seasonal_periods=season if has_season else None,
        initialization_method="estimated",
    )
    return model.fit().forecast(steps)


def _fit_arima(values: Any, steps: int, season: int, future: Any, past: Any, *_: Any) -> Any:
    """Forecast by the ARIMA of the least AICc among a few orders."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    values = values[-max(120, 4 * season) :] if season <= 24 else values[-150:]
    past = None if past is None else past[-len(values) :]
    has_season = 1 < season <= 24 and len(values) >= 3 * season
    best: Any = None
    for order in ((0, 1, 1), (1, 1, 1), (2, 0, 0)):
        seasonal = (1, 0, 0, season) if has_season else (0, 0, 0, 0)
        try:
            trend = None if order[1] else "c"
            model = SARIMAX(values, past, order=order, seasonal_order=seasonal, trend=trend, concentrate_scale=True)
            fitted = model.fit(disp=False, maxiter=25)
        except Exception:
            continue
        if best is None or fitted.aicc < best.aicc:
            best = fitted
    return _repeat_last(values, steps) if best is None else best.forecast(steps, exog=future)


def _fit_auto_arima(values: Any, steps: int, season: int, *_: Any) -> Any:
    return _fit_arima(values, steps, season, None, None)


def _fit_arimax(values: Any, steps: int, season: int, future: Any, past: Any, *_: Any) -> Any:
    if past is None or not past.shape[1]:
        return _fit_arima(values, steps, season, None, None)
    past = past[-len(values) :]
    varying = past.std(axis=0) > 1e-9
    if not varying.any():
        return _fit_arima(values, steps, season, None, None)
    mean, spread = past[:, varying].mean(axis=0), past[:, varying].std(axis=0)
    return _fit_arima(values, steps, season, (future[:, varying] - mean) / spread, (past[:, varying] - mean) / spread)


def _fit_prophet(values: Any, steps: int, season: int, future: Any, past: Any, times: Any) -> Any:
    import logging

    from prophet import Prophet

    logging.getLogger("cmdstanpy").setLevel(logging.ERROR)
    model = Prophet().fit(pd.DataFrame({"ds": times[: len(values)], "y": values}))
    return model.predict(pd.DataFrame({"ds": times[len(values) :]}))["yhat"].to_numpy()


_FORECASTS = {
    "naive": _repeat_last,
    "seasonal_naive": _repeat_season,
    "average": _forecast_average,
    "seasonal_average": _average_season,
    "exponential_smoothing": _forecast_smoothed,
    "auto_arima": _fit_auto_arima,
    "arimax": _fit_arimax,
    "prophet": _fit_prophet,
}
SERIES_LEARNERS = tuple(_FORECASTS)
