"""Homes of the tests of sweeps."""

from __future__ import annotations

from tests.cli.conftest import call as call
from tests.cli.conftest import home as home
from tests.cli.conftest import started as started
