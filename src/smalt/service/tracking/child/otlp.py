"""`POST /v1/traces`: spans of MLflow 3 in OpenTelemetry's protocol, which MLflow itself serves only with FastAPI."""

from __future__ import annotations

from typing import Any

from mlflow.entities.span import Span
from mlflow.exceptions import MlflowException
from mlflow.tracing.utils.otlp import decompress_otlp_body
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from .stores import WorkspaceStores


def log_spans(workspace: WorkspaceStores, environ: dict[str, Any]) -> bytes:
    """Store the spans of a request; all of them or, with the reason, none."""
    experiment = environ.get("HTTP_X_MLFLOW_EXPERIMENT_ID", "")
    kind = environ.get("CONTENT_TYPE", "").split(";")[0].strip()
    if not experiment or kind != "application/x-protobuf":
        raise MlflowException.invalid_parameter_value(
            "spans are sent as application/x-protobuf with the header x-mlflow-experiment-id"
        )
    body = environ["wsgi.input"].read()
    try:
        if environ.get("HTTP_CONTENT_ENCODING"):
            body = decompress_otlp_body(body, environ["HTTP_CONTENT_ENCODING"].lower())
        sent = ExportTraceServiceRequest.FromString(body)
        spans = [
            Span.from_otel_proto(span, resource=of_resource.resource)
            for of_resource in sent.resource_spans
            for of_scope in of_resource.scope_spans
            for span in of_scope.spans
        ]
    except Exception:  # whatever a stranger's bytes make of the parser
        raise MlflowException.invalid_parameter_value("the spans are not in OpenTelemetry's format") from None
    if spans:
        workspace.tracking.log_spans(experiment, spans)
    run = environ.get("HTTP_X_MLFLOW_RUN_ID")
    finished = {span.trace_id for span in spans if span.parent_id is None}
    if run and finished:
        workspace.tracking.link_traces_to_run(sorted(finished), run)
    return bytes(ExportTraceServiceResponse().SerializeToString())
