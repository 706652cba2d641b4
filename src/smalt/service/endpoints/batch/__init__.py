"""Batch endpoints: an invocation becomes a pipeline job, of a registered component or with one parallel step."""

from __future__ import annotations

from smalt.service.endpoints.batch.invocations import BatchTarget, InvokedJob, find_target, invoke_endpoint

__all__ = ["BatchTarget", "InvokedJob", "find_target", "invoke_endpoint"]
