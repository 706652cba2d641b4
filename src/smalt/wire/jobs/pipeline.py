"""Pipeline jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.entities.jobs.inputs import Output
from smalt.entities.jobs.pipeline import PipelineJob, PipelineJobSettings
from smalt.entities.schema.problems import Path
from smalt.entities.schema.reader import Reader
from smalt.wire.encoding.casing import fold_case
from smalt.wire.encoding.codec import Codec, Json, Rule, Writing, to_plain
from smalt.wire.encoding.envelope import Envelope
from smalt.wire.jobs.command import JOB, JOB_DEFAULTS
from smalt.wire.jobs.inputs import DEFAULT_TYPE, write_output
from smalt.wire.jobs.steps import COMPONENT, find_output_types, read_nodes, write_nodes


def write_settings(value: PipelineJobSettings, writing: Writing) -> Any:
    body: Any = to_plain(value) or None
    for key, resolve in (("default_compute", writing.refs.compute), ("default_datastore", writing.refs.datastore)):
        name = body.get(key) if isinstance(body, dict) else None
        if isinstance(name, str) and "${{" not in name:
            body[key] = resolve(name)
    return body


_SETTINGS = Codec(PipelineJobSettings)


class _Pipeline(Codec[PipelineJob]):
    """Steps are written as parts of their pipeline, whose outputs have their steps' types."""

    def write(self, noun: PipelineJob, writing: Writing) -> Json:
        body = super().write(noun, writing)
        jobs = vars(noun).get("jobs") or {}
        body["jobs"] = write_nodes(jobs, Writing(writing.refs, in_node=True, parent=noun))
        untyped = [name for name, output in noun.outputs.items() if isinstance(output, Output) and not output.type]
        types = find_output_types(jobs) if untyped else {}
        for name in untyped:
            body["outputs"][name] = write_output(noun.outputs[name], writing, types.get(name, DEFAULT_TYPE))
        return body

    def read(self, body: Any, path: Path, reader: Reader) -> PipelineJob | None:
        """A job that was made of a component has its steps besides: these are what ran."""
        key = (
            next((key for key in body if fold_case(str(key)) == "componentid"), None)
            if isinstance(body, Mapping)
            else None
        )
        if key is None or not body.get("jobs"):
            return super().read(body, path, reader)
        noun = super().read({name: value for name, value in body.items() if name != key}, path, reader)
        if noun is not None and isinstance(body[key], str):
            vars(noun).update(component=body[key], _ran_component=True)
        return noun


def _read_settings(value: Any, path: Path, reader: Reader) -> Any:
    return _SETTINGS.read(value, path, reader) if isinstance(value, Mapping) else value


PIPELINE = _Pipeline(
    PipelineJob,
    {
        **JOB,
        "component": COMPONENT,
        "settings": Rule("settings", write_settings, _read_settings),
        "jobs": Rule("jobs", lambda value, writing: None, read_nodes),
    },
    constants={"jobType": "Pipeline"},
    defaults={**JOB_DEFAULTS, "settings": {}},
)
RESOURCES = Envelope(PIPELINE)
