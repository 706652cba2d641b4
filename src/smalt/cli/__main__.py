"""`python -m smalt.cli`, the same as `smalt`."""

from __future__ import annotations

from smalt.cli import main

main()
