"""`ml_client.data`"""

from __future__ import annotations

from smalt.client.versioned import Versioned


class DataOperations(Versioned):
    kind = "data"
    segment = "data"
    type_key = "dataType"
