from __future__ import annotations

from tests.engine.conftest import host_known as host_known
