"""The words for the effect of a field on this machine; docs/fields.md lists them for every field."""

from __future__ import annotations

ACTED = "acted on"
"""Something runs, is looked up, placed or checked otherwise for it."""

KEPT = "kept"
"""Stored and answered back, for people and clients."""

NONE = "no effect"
"""Read and kept; a job that says it is told that it does nothing here."""

REFUSED = "refused"
"""Part of something that this smalt does not run or register."""

SERVICE = "from the service"
"""Filled in by the service; a document that was written from an answer may have it."""
