"""MLTable for jobs: the names of Azure's package `mltable` 1.7, on polars.

This folder is a package of its own, which knows nothing of the rest of smalt and runs on Python 3.8 and later: where an
environment asks for `mltable` it is installed under that name. What it does otherwise than Azure's: docs/mltable.md.
"""

from __future__ import annotations

from .mltable import (
    DataType,
    MLTable,
    MLTableFileEncoding,
    MLTableHeaders,
    from_delimited_files,
    from_delta_lake,
    from_json_lines_files,
    from_parquet_files,
    from_paths,
    load,
)

__all__ = [
    "DataType",
    "MLTable",
    "MLTableFileEncoding",
    "MLTableHeaders",
    "from_delimited_files",
    "from_delta_lake",
    "from_json_lines_files",
    "from_parquet_files",
    "from_paths",
    "load",
]

__version__ = "1.7.0"
