"""The hand-over: steps and folders that are prepared ahead of their turn, so that the next step starts at once.

The scheduler beside it (`queues.py`, `dispatch.py`) works without; docs/internals/handover.md has the rules.
"""
