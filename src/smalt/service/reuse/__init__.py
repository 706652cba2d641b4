"""Decides whether a step of a pipeline can reuse the outputs of an identical earlier one, and explains why or why
not.

Acting on the verdict belongs to the engine, the queries to `smalt.service.records.reuse`.
"""

from smalt.service.reuse.keys import ReuseCandidate
from smalt.service.reuse.reuse import Reuse, ReuseVerdict, WorkKey

__all__ = ["Reuse", "ReuseCandidate", "ReuseVerdict", "WorkKey"]
