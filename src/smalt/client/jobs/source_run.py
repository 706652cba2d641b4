"""The earlier run of a pipeline whose outputs a part of it takes: the steps must be defined there as they are here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from smalt import wire
from smalt.entities.schema.problems import join_words
from smalt.entities.syntax.expression import find_expressions, parse_binding, resolve_port
from smalt.exceptions import NotFound
from smalt.wire.encoding.casing import fold

if TYPE_CHECKING:
    from smalt.client.session import ClientSession
    from smalt.entities.jobs.pipeline import PipelineJob

Json = dict[str, Any]

PART_OF = "smalt.part-of"
"""The property by which the server knows the earlier run: labels mean what they meant to that one."""
_LOOKED_AT = 500
"""Pipelines among which the earlier run is sought, the newest first."""
_PLACING = ("outputs", "compute", "compute_id", "resources", "limits", "identity", "queue_settings", "services")
_DESCRIBING = ("name", "display_name", "description", "tags", "properties", "comment", "experiment_name")
_NOT_CONTENT = {fold(key) for key in (*_PLACING, *_DESCRIBING, "is_deterministic")}
"""What a step may say otherwise and still make the same."""


class Run:
    """A pipeline that was submitted before."""

    def __init__(self, session: ClientSession, name: str, properties: Json) -> None:
        self._session = session
        self.name = name
        self.inputs: Json = properties.get("inputs") or {}
        self.steps: Json = properties.get("jobs") or {}
        self._part_of = (properties.get("properties") or {}).get(PART_OF)

    @classmethod
    def named(cls, session: ClientSession, name: str) -> Run:
        return cls(session, name, session.connection.get(f"{session.workspace_id}/jobs/{quote(name)}")["properties"])

    @cached_property
    def earlier(self) -> Run | None:
        """The run of which this one took up steps."""
        return Run.named(self._session, self._part_of) if self._part_of else None

    @cached_property
    def completed(self) -> dict[str, str]:
        """By step the names of its jobs, as far as they completed."""
        rows = self._session.connection.get(f"/smalt/v1{self._session.workspace_id}/jobs/{quote(self.name)}/tree")[
            "jobs"
        ]
        return {
            str(row["node"]): str(row["name"])
            for row in rows
            if row.get("parent") == self.name and row.get("node") and row["status"] == "Completed"
        }

    @cached_property
    def pins(self) -> dict[str, str]:
        """The versions that this run's references without one meant, by the reference as written."""
        path = f"/smalt/v1{self._session.workspace_id}/jobs/{quote(self.name)}/references"
        kinds: dict[str, dict[str, str]] = self._session.connection.get(path)["pins"]
        return {text: fixed for pins in kinds.values() for text, fixed in pins.items()}


class Definition:
    """The steps of a pipeline that is about to be submitted, as the service will have them."""

    def __init__(self, session: ClientSession, job: PipelineJob) -> None:
        from smalt.client.transfers.local_assets import Assets

        properties = wire.to_rest(job, Assets(session))["properties"]
        self._inputs: Json = properties.get("inputs") or {}
        self._steps: Json = properties.get("jobs") or {}

    def differences(self, step: str, run: Run) -> list[str]:
        """Say in what the step, or one that it reads from, is another one in `run`; nothing where it is the same."""
        return list(dict.fromkeys(self._differences(step, run, set())))

    def _differences(self, step: str, run: Run, seen: set[tuple[str, str]]) -> Iterator[str]:
        if (step, run.name) in seen:
            return
        seen.add((step, run.name))
        before = run.steps.get(step)
        if before is None:
            yield f"it has no step '{step}'"
            return
        now = self._steps[step]
        for key in dict.fromkeys([*now, *before]):
            if fold(key) in _NOT_CONTENT:
                continue
            if fold(key) == "inputs":
                yield from self._of_inputs(step, now.get(key) or {}, before.get(key) or {}, run, seen)
            elif _pinned(now.get(key), run.pins) != before.get(key):
                yield f"step '{step}' has another {_word(key, now.get(key))}"
            else:
                yield from self._of_bindings(step, now.get(key), run, seen)

    def _of_inputs(self, step: str, now: Json, before: Json, run: Run, seen: set[tuple[str, str]]) -> Iterator[str]:
        for name in dict.fromkeys([*now, *before]):
            text = _text(now.get(name))
            binding = parse_binding(text)
            if binding is not None and binding.job and binding.job not in run.steps and run.earlier is not None:
                yield from self._taken(step, name, binding.job, _text(before.get(name)), run.earlier, seen)
            elif _pinned(now.get(name), run.pins) != before.get(name):
                yield f"step '{step}' has another input '{name}'"
            else:
                yield from self._of_bindings(step, text, run, seen)

    def _taken(
        self, step: str, name: str, source: str, text: str | None, run: Run, seen: set[tuple[str, str]]
    ) -> Iterator[str]:
        """Compare an input that was itself taken from an earlier run."""
        made_by = run.completed.get(source)
        if made_by is None or ((text or "").startswith("azureml://") and not _is_output(text, made_by)):
            yield f"step '{step}' has another input '{name}'"
        else:
            yield from self._differences(source, run, seen)

    def _of_bindings(self, step: str, value: Any, run: Run, seen: set[tuple[str, str]]) -> Iterator[str]:
        """Compare what the expressions of a step stand for."""
        for text in _texts(value):
            for one in find_expressions(text):
                if one.job:
                    yield from self._differences(one.job, run, seen)
                elif one.kind == "parent.inputs":
                    now, before = _port(self._inputs, one.name), _port(run.inputs, one.name)
                    if _pinned(now, run.pins) != before:
                        yield f"step '{step}' reads another '{one.name}' of the pipeline's inputs"


def earlier_run(
    session: ClientSession, job: PipelineJob, needed: set[str], of: str | None, how: str
) -> tuple[str, dict[str, str], list[str]]:
    """Return the run that has the outputs of the `needed` steps, by step the names of its jobs, and what to be told."""
    if of is not None:
        return _chosen(session, job, needed, of, how)
    if not needed:
        return "", {}, []
    definition, nearest = Definition(session, job), ""
    path = f"{session.workspace_id}/jobs"
    for body in islice(session.connection.pages(path, jobType="Pipeline", listViewType="ActiveOnly"), _LOOKED_AT):
        run = Run(session, str(body["name"]), body["properties"])
        if not needed <= run.steps.keys():
            continue
        different = [line for step in sorted(needed) for line in definition.differences(step, run)]
        if not different and needed <= run.completed.keys():
            return run.name, run.completed, []
        nearest = nearest or (f" ({run.name} is not one: {different[0]})" if different else "")
    words = join_words(sorted(needed), "and")
    raise NotFound(
        f"no earlier run has completed {words} as this file defines it{nearest}; run it whole, or name a run with {how}"
    )


def _chosen(
    session: ClientSession, job: PipelineJob, needed: set[str], of: str, how: str
) -> tuple[str, dict[str, str], list[str]]:
    """The run that the user names is taken, though its steps be others; that is told."""
    run = Run.named(session, of)
    missing = sorted(needed - run.completed.keys())
    if missing:
        raise NotFound(f"job {of} has no completed step {join_words(missing, 'and')}; name another run with {how}")
    if not needed:
        return of, run.completed, []
    definition = Definition(session, job)
    different = [line for step in sorted(needed) for line in definition.differences(step, run)]
    told = [f"job {of} is not as this file says: {'; '.join(dict.fromkeys(different))}"] if different else []
    return of, run.completed, told


def _word(key: str, value: Any) -> str:
    if fold(key) == fold("component_id"):
        return "command, code or environment" if "azureml_anonymous" in str(value) else "component"
    return f"'{key}'"


def _text(value: Any) -> str | None:
    """The text of an input, as REST has it."""
    found = value.get("uri", value.get("value")) if isinstance(value, Mapping) else value
    return found if isinstance(found, str) else None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _port(ports: Json, name: str) -> Any:
    return ports.get(resolve_port(name, ports) or "")


def _pinned(value: Any, pins: Mapping[str, str]) -> Any:
    """Return the value with the versions that its references meant to a run."""
    if isinstance(value, str):
        return pins.get(value, value)
    if isinstance(value, Mapping):
        return {key: _pinned(one, pins) for key, one in value.items()}
    return [_pinned(one, pins) for one in value] if isinstance(value, list) else value


def _is_output(uri: str | None, job: str) -> bool:
    return str(uri).startswith(f"azureml://jobs/{job}/outputs/")
