"""Conversion of a polars frame to pandas, in the types that Azure's mltable gives."""

from __future__ import annotations

import datetime
from typing import Any

from .conversions import import_polars
from .streams import StreamInfo


def to_pandas(table: Any, streams: set[str]) -> Any:
    """Convert a frame to pandas; `streams` are the columns whose texts are URIs of files to be opened."""
    import pandas

    if not table.height:
        return pandas.DataFrame()
    # copy=False: each column keeps the memory that polars made for it.
    made = {name: _convert_column(table[name], name in streams) for name in table.columns}
    return pandas.DataFrame(made, copy=False)


def _convert_column(series: Any, is_stream: bool) -> Any:
    p = import_polars()
    type = series.dtype
    if is_stream:
        return _make_objects([None if value is None else StreamInfo(value) for value in series])
    if type == p.Boolean:
        return _make_objects(series.to_list()) if series.null_count() else series.to_numpy()
    if type == p.Datetime:
        return _convert_datetimes(series)
    if type.is_integer() or type.is_float():
        return series.to_numpy()
    if type == p.String:
        return _convert_texts(series)
    if type == p.Duration:
        return series.to_numpy()
    if type in (p.Categorical, p.Enum):
        return series.cast(p.String).to_numpy()
    if type in (p.List, p.Array):
        return _make_objects([None if value is None else value.to_numpy() for value in series])
    return _make_objects(series.to_list())


def _convert_texts(series: Any) -> Any:
    """By pyarrow, where it is: that makes one object of texts that are the same. Of a frame, as the pieces that polars
    read stay pieces then."""
    try:
        return series.to_frame().to_arrow().column(0).to_pandas()
    except ImportError:
        return series.to_numpy()


def _convert_datetimes(series: Any) -> Any:
    import pandas

    zone = series.dtype.time_zone
    plain = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if zone else series
    made = pandas.Series(plain.to_numpy())
    return made.dt.tz_localize(datetime.timezone.utc).dt.tz_convert(zone) if zone else made


def _make_objects(values: list[Any]) -> Any:
    import numpy

    made: Any = numpy.empty(len(values), dtype=object)
    for index, value in enumerate(values):
        made[index] = value
    return made
