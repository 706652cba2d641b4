"""The earlier run whose outputs selected steps read; the other steps must be defined there as they are here."""

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
from smalt.wire.encoding.casing import fold_case

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
_NOT_CONTENT = {fold_case(key) for key in (*_PLACING, *_DESCRIBING, "is_deterministic")}
"""Fields that do not change what a step produces."""


class SourceRun:
    """A pipeline job that was submitted before."""

    def __init__(self, session: ClientSession, name: str, properties: Json) -> None:
        self._session = session
        self.name = name
        self.inputs: Json = properties.get("inputs") or {}
        self.steps: Json = properties.get("jobs") or {}
        self._part_of = (properties.get("properties") or {}).get(PART_OF)

    @classmethod
    def load(cls, session: ClientSession, name: str) -> SourceRun:
        return cls(session, name, session.connection.get(f"{session.workspace_id}/jobs/{quote(name)}")["properties"])

    @cached_property
    def previous(self) -> SourceRun | None:
        """The run whose outputs this one read, if it ran selected steps only."""
        return SourceRun.load(self._session, self._part_of) if self._part_of else None

    @cached_property
    def completed_steps(self) -> dict[str, str]:
        """The names of the completed jobs, by step."""
        rows = self._session.connection.get(f"/smalt/v1{self._session.workspace_id}/jobs/{quote(self.name)}/tree")[
            "jobs"
        ]
        return {
            str(row["node"]): str(row["name"])
            for row in rows
            if row.get("parent") == self.name and row.get("node") and row["status"] == "Completed"
        }

    @cached_property
    def pinned_versions(self) -> dict[str, str]:
        """The versions that this run's references without one resolved to, by the reference as written."""
        path = f"/smalt/v1{self._session.workspace_id}/jobs/{quote(self.name)}/references"
        kinds: dict[str, dict[str, str]] = self._session.connection.get(path)["pins"]
        return {text: fixed for pins in kinds.values() for text, fixed in pins.items()}


class PipelineDefinition:
    """The steps of a pipeline that is about to be submitted, in REST form."""

    def __init__(self, session: ClientSession, job: PipelineJob) -> None:
        from smalt.client.transfers.local_assets import LocalAssets

        properties = wire.to_rest(job, LocalAssets(session))["properties"]
        self._inputs: Json = properties.get("inputs") or {}
        self._steps: Json = properties.get("jobs") or {}

    def find_differences(self, step: str, run: SourceRun) -> list[str]:
        """Return how the step, or a step that it reads from, differs from its definition in `run`.

        Empty if identical.
        """
        return list(dict.fromkeys(self._compare_step(step, run, set())))

    def _compare_step(self, step: str, run: SourceRun, seen: set[tuple[str, str]]) -> Iterator[str]:
        if (step, run.name) in seen:
            return
        seen.add((step, run.name))
        before = run.steps.get(step)
        if before is None:
            yield f"it has no step '{step}'"
            return
        now = self._steps[step]
        for key in dict.fromkeys([*now, *before]):
            if fold_case(key) in _NOT_CONTENT:
                continue
            if fold_case(key) == "inputs":
                yield from self._compare_inputs(step, now.get(key) or {}, before.get(key) or {}, run, seen)
            elif _apply_pins(now.get(key), run.pinned_versions) != before.get(key):
                yield f"step '{step}' has a different {_describe_key(key, now.get(key))}"
            else:
                yield from self._compare_bindings(step, now.get(key), run, seen)

    def _compare_inputs(
        self, step: str, now: Json, before: Json, run: SourceRun, seen: set[tuple[str, str]]
    ) -> Iterator[str]:
        for name in dict.fromkeys([*now, *before]):
            text = _get_input_text(now.get(name))
            binding = parse_binding(text)
            if binding is not None and binding.job and binding.job not in run.steps and run.previous is not None:
                yield from self._compare_source(
                    step, name, binding.job, _get_input_text(before.get(name)), run.previous, seen
                )
            elif _apply_pins(now.get(name), run.pinned_versions) != before.get(name):
                yield f"step '{step}' has a different input '{name}'"
            else:
                yield from self._compare_bindings(step, text, run, seen)

    def _compare_source(
        self, step: str, name: str, source: str, text: str | None, run: SourceRun, seen: set[tuple[str, str]]
    ) -> Iterator[str]:
        """Compare an input that was itself read from an earlier run."""
        made_by = run.completed_steps.get(source)
        if made_by is None or ((text or "").startswith("azureml://") and not _is_output(text, made_by)):
            yield f"step '{step}' has a different input '{name}'"
        else:
            yield from self._compare_step(source, run, seen)

    def _compare_bindings(self, step: str, value: Any, run: SourceRun, seen: set[tuple[str, str]]) -> Iterator[str]:
        """Compare the values that the expressions of a step stand for."""
        for text in _find_texts(value):
            for one in find_expressions(text):
                if one.job:
                    yield from self._compare_step(one.job, run, seen)
                elif one.kind == "parent.inputs":
                    now, before = _get_port(self._inputs, one.name), _get_port(run.inputs, one.name)
                    if _apply_pins(now, run.pinned_versions) != before:
                        yield f"step '{step}' reads another '{one.name}' of the pipeline's inputs"


def find_source_run(
    session: ClientSession, job: PipelineJob, needed: set[str], of: str | None, how: str
) -> tuple[str, dict[str, str], list[str]]:
    """Return the run with the outputs of the `needed` steps, its jobs' names by step, and notices for the user."""
    if of is not None:
        return _check_named_run(session, job, needed, of, how)
    if not needed:
        return "", {}, []
    definition, nearest = PipelineDefinition(session, job), ""
    path = f"{session.workspace_id}/jobs"
    for body in islice(session.connection.list_items(path, jobType="Pipeline", listViewType="ActiveOnly"), _LOOKED_AT):
        run = SourceRun(session, str(body["name"]), body["properties"])
        if not needed <= run.steps.keys():
            continue
        different = [line for step in sorted(needed) for line in definition.find_differences(step, run)]
        if not different and needed <= run.completed_steps.keys():
            return run.name, run.completed_steps, []
        nearest = nearest or (f" ({run.name} is not one: {different[0]})" if different else "")
    words = join_words(sorted(needed), "and")
    raise NotFound(
        f"no earlier run has completed {words} as defined in this file{nearest}; run the whole pipeline, or name a run "
        f"with {how}"
    )


def _check_named_run(
    session: ClientSession, job: PipelineJob, needed: set[str], of: str, how: str
) -> tuple[str, dict[str, str], list[str]]:
    """Return the run that the user names, with a notice if its steps are defined differently."""
    run = SourceRun.load(session, of)
    missing = sorted(needed - run.completed_steps.keys())
    if missing:
        raise NotFound(f"job {of} has no completed step {join_words(missing, 'and')}; name another run with {how}")
    if not needed:
        return of, run.completed_steps, []
    definition = PipelineDefinition(session, job)
    different = [line for step in sorted(needed) for line in definition.find_differences(step, run)]
    told = [f"job {of} differs from this file: {'; '.join(dict.fromkeys(different))}"] if different else []
    return of, run.completed_steps, told


def _describe_key(key: str, value: Any) -> str:
    if fold_case(key) == fold_case("component_id"):
        return "command, code or environment" if "azureml_anonymous" in str(value) else "component"
    return f"'{key}'"


def _get_input_text(value: Any) -> str | None:
    """Return the text of an input in REST form; None if it has none."""
    found = value.get("uri", value.get("value")) if isinstance(value, Mapping) else value
    return found if isinstance(found, str) else None


def _find_texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _find_texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _find_texts(one)


def _get_port(ports: Json, name: str) -> Any:
    return ports.get(resolve_port(name, ports) or "")


def _apply_pins(value: Any, pins: Mapping[str, str]) -> Any:
    """Return the value with its references replaced by the versions that they meant to a run."""
    if isinstance(value, str):
        return pins.get(value, value)
    if isinstance(value, Mapping):
        return {key: _apply_pins(one, pins) for key, one in value.items()}
    return [_apply_pins(one, pins) for one in value] if isinstance(value, list) else value


def _is_output(uri: str | None, job: str) -> bool:
    return str(uri).startswith(f"azureml://jobs/{job}/outputs/")
