"""Pipelines: a function with @dsl.pipeline that calls the steps, and the job that it returns."""

from __future__ import annotations

import ast
import keyword
from itertools import pairwise
from typing import Any

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.rules.steps import DONE, add_order
from smalt.v1.upgrade.texts import make_call, make_name, quote
from smalt.v1.upgrade.values import UNKNOWN, Value

ML = "azure.ai.ml"
_IMPORTED = ("automl", "command", "copy_data", "dsl", "mlflow", "mltable", "os", "spark")
"""Names that a pipeline's function may use, and so must not assign."""


@rule("StepSequence", takes="steps")
def _make_sequence(call: Call) -> Value:
    steps = call.require("steps")
    if steps.items is None:
        raise call.refuse("the text does not tell its steps", spreads=True)
    call.rewriter.consume(steps)
    groups = [item.items if item.items is not None else [item] for item in steps.items]
    for before, after in pairwise(groups):
        for earlier in before:
            for later in after:
                _check_step(call, earlier)
                _check_step(call, later)
                add_order(call, earlier, later)
    flat = [item for group in groups for item in group]
    return call.make(
        "",
        "StepSequence",
        steps=flat,
        dropped=True,
        differs="v2 has no order without data: an output of the earlier step orders them",
    )


def _check_step(call: Call, step: Value) -> None:
    if step.kind == "left":
        raise call.refuse(f"the step '{step.code}' is still SDK v1's", spreads=True)
    if step.kind != "Step" or not step.variable:
        raise call.refuse(
            "the text does not tell its steps: give each a variable of its own, and list them", spreads=True
        )
    if not call.rewriter.is_settled(step):
        raise call.refuse(f"which step '{step.variable}' is depends on a condition or a loop", spreads=True)


class PipelineWriter:
    """The function of a pipeline in the making."""

    def __init__(self, call: Call, steps: list[Value]) -> None:
        self.call = call
        self.steps: list[Value] = []
        """In an order in which each comes after those whose outputs it gets."""
        self._names: dict[int, str] = {}
        self.parameters: dict[str, Value] = {}
        for step in steps:
            self._add_step(step, [])

    def _add_step(self, step: Value, above: list[int]) -> None:
        _check_step(self.call, step)
        key = id(step.facts)
        if key in above:
            raise self.call.refuse("its steps form a cycle", spreads=True)
        if key in self._names:
            return
        for earlier in self._list_earlier(step):
            self._add_step(earlier, [*above, key])
        self.call.rewriter.consume(step)
        self._names[key] = self._choose_name(step)
        self.steps.append(step)

    def _list_earlier(self, step: Value) -> list[Value]:
        found = []
        for port in step.facts["ports"].values():
            if port.output is not None:
                found.append(self._find_variable(port.output.facts["step"]))
        return [*found, *step.facts["awaits"].values()]

    def _find_variable(self, step: Value) -> Value:
        """Return a step as the variable that holds it."""
        scope = self.call.rewriter.scope
        while scope is not None:
            for value in scope.values.values():
                if value.facts is step.facts:
                    return value
            if scope.parent is None:
                break
            scope = scope.parent
        raise self.call.refuse("a step has no variable of its own any longer", spreads=True)

    def _choose_name(self, step: Value) -> str:
        """Return the name of a step in the function: that of its variable, which it must not hide."""
        name = step.variable.split(".")[-1]
        for ending in ("_step", "Step"):
            if name.endswith(ending) and len(name) > len(ending):
                name = name[: -len(ending)]
        taken = {*self._names.values(), *self.call.rewriter.imports.defined, *_IMPORTED, *keyword.kwlist}
        return name if name not in taken and name != step.variable else f"{step.variable.split('.')[-1]}_node"

    def write_function(self, name: str, settings: list[str]) -> str:
        """Return the text of the function."""
        body = [line for step in self.steps for line in self._write_call(step)]
        returned = self._list_promoted()
        if returned:
            body.append("return {" + ", ".join(f"{quote(key)}: {code}" for key, code in returned.items()) + "}")
        indent = self.call.indent
        parameters = ", ".join(self._write_parameter(key, value) for key, value in self._order_parameters())
        decorator = f"@{self.call.use(ML, 'dsl')}.pipeline({', '.join(settings)})"
        lines = [decorator, f"def {name}({parameters}):", *(f"    {line}" for line in body)]
        return f"\n{indent}".join(lines)

    def _order_parameters(self) -> list[tuple[str, Value]]:
        return sorted(self.parameters.items(), key=lambda one: self.has_default(one[1]))

    def _write_parameter(self, name: str, value: Value) -> str:
        return f"{name}={self._write_default(value)}" if self.has_default(value) else name

    def _write_default(self, value: Value) -> str:
        return value.variable or value.code

    def has_default(self, value: Value) -> bool:
        """Return True for a parameter that is a literal; data is given where the function is called."""
        default: Value = value.facts["default"]
        return default.constant is not UNKNOWN and not default.kind and not isinstance(default.constant, list)

    def _write_call(self, step: Value) -> list[str]:
        arguments: list[str] = []
        for name, port in step.facts["ports"].items():
            if port.parameter is not None:
                parameter = port.parameter.facts["name"]
                self.parameters[make_name(parameter)] = port.parameter
                arguments.append(f"{name}={make_name(parameter)}")
            else:
                output = port.output
                node = self._names[id(output.facts["step"].facts)]
                arguments.append(f"{name}={node}.outputs.{output.facts['output']}")
        for name, earlier in step.facts["awaits"].items():
            written = earlier.facts.get("written") or [DONE]
            arguments.append(f"{name}={self._names[id(earlier.facts)]}.outputs.{written[0]}")
        name = self._names[id(step.facts)]
        if "write" in step.facts:
            inputs = dict(one.split("=", 1) for one in arguments)
            lines: list[str] = step.facts["write"](name, inputs)
            return lines
        return [f"{name} = {step.code}({', '.join(arguments)})"]

    def _list_promoted(self) -> dict[str, str]:
        found = {}
        for step in self.steps:
            for name, output in step.facts["outputs"].items():
                promoted = output.facts.get("promoted")
                if promoted is not None and promoted.is_text:
                    found[make_name(promoted.constant)] = f"{self._names[id(step.facts)]}.outputs.{name}"
        return found

    def write_arguments(self, given: dict[str, str]) -> str:
        """Return the arguments of a call of the function: what is given, and the data of the other parameters."""
        found = []
        for name, value in self._order_parameters():
            if value.facts["name"] in given:
                found.append(f"{name}={given[value.facts['name']]}")
            elif not self.has_default(value):
                found.append(f"{name}={self._write_default(value)}")
        return ", ".join(found)


@rule(
    "Pipeline",
    takes="workspace steps description default_datastore default_source_directory resolve_closure "
    "_workflow_provider _service_endpoint **",
)
def _make_pipeline(call: Call) -> Value:
    call.check_no_others("workspace", "steps", "description", "default_datastore", "resolve_closure")
    steps = call.require("steps")
    call.rewriter.consume(call.get("workspace"))
    if not call.target or "." in call.target:
        raise call.refuse("give the pipeline a variable of its own", spreads=True)
    writer = PipelineWriter(call, _list_steps(call, steps))
    settings = []
    if call.get("description") is not None:
        settings.append(f"description={call.arguments['description'].code}")
    datastore = call.get("default_datastore")
    if datastore is not None:
        settings.append(
            f"default_datastore={datastore.code + '.name' if datastore.kind == 'Datastore' else datastore.code}"
        )
    name = _choose_function(call)
    text = writer.write_function(name, settings)
    before = call.rewriter.before
    if _needs_blank_line(call):
        before += [""] if call.indent else ["", ""]
    before += [text, "", ""] if not call.indent else [text, ""]
    code = f"{name}({writer.write_arguments({})})"
    return call.make(code, "Pipeline", function=name, writer=writer)


def _needs_blank_line(call: Call) -> bool:
    statement = call.rewriter.statement
    assert statement is not None
    above = call.rewriter.source.get_line(statement.lineno - 1).strip()
    return bool(above) and not above.startswith("#") and not above.startswith("# %%smalt")


def _list_steps(call: Call, steps: Value) -> list[Value]:
    if steps.kind == "StepSequence":
        call.rewriter.consume(steps)
        return list(steps.facts["steps"])
    if steps.kind == "Step":
        return [steps]
    if steps.items is None or not call.rewriter.is_settled(steps):
        raise call.refuse("the text does not tell its steps: they are made in a loop or elsewhere", spreads=True)
    call.rewriter.consume(steps)
    found: list[Value] = []
    for item in steps.items:
        found += _list_steps(call, item) if item.items is not None or item.kind == "StepSequence" else [item]
    return found


def _choose_function(call: Call) -> str:
    """Return the name of the pipeline's function: that of the experiment, if the text tells it, else the variable's."""
    later = call.recall()
    wanted = later.get("experiment")
    taken = {*call.rewriter.imports.defined, *call.rewriter.memory.list_pipeline_names(call.node), "pipeline", "dsl"}
    if isinstance(wanted, str):
        name = make_name(wanted.lower().replace("-", "_"))
        name = name if "pipeline" in name else f"{name}_pipeline"
        if name not in taken:
            call.rewriter.memory.name_pipeline(call.node, name)
            return name
    name = f"{call.target}_function"
    call.rewriter.memory.name_pipeline(call.node, name)
    return name


@rule("Pipeline.validate", takes="")
def _validate_pipeline(call: Call) -> Value:
    return call.make(
        f"print({call.client}.jobs.validate({call.object.code}))", differs="v2 returns what is wrong and raises nothing"
    )


@rule(
    "Pipeline.submit",
    takes="experiment_name pipeline_parameters continue_on_step_failure regenerate_outputs "
    "parent_run_id credential_passthrough **",
)
def _submit_by_pipeline(call: Call) -> Value:
    call.check_no_others("experiment_name", "pipeline_parameters", "continue_on_step_failure", "regenerate_outputs")
    name = call.require("experiment_name")
    if name.is_text:
        call.object.facts.setdefault("experiment", name.constant)
    return submit_pipeline(call, call.object, name.code)


def submit_pipeline(call: Call, pipeline: Value, experiment: str, extra: list[tuple[str, str]] | None = None) -> Value:
    """Return the submission of a pipeline, with its settings in statements before it."""
    job = pipeline.code
    given = call.get("pipeline_parameters")
    if given is not None:
        job = write_parameters(call, pipeline, given)
    settings = []
    for old, new in (("regenerate_outputs", "force_rerun"), ("continue_on_step_failure", "continue_on_step_failure")):
        value = call.get(old)
        if value is not None and value.constant is not False:
            settings.append(f"settings.{new} = {value.code}")
    writer = pipeline.facts.get("writer")
    if settings and writer is not None and call.rewriter.count_uses(pipeline) > 1:  # they are of this submission only
        made = job if job != pipeline.code else f"{pipeline.facts['function']}({writer.write_arguments({})})"
        job = f"{pipeline.code.rpartition('.')[2]}_job"
        call.rewriter.before.append(f"{job} = {made}")
    elif settings and job != pipeline.code:
        call.rewriter.before.append(f"{pipeline.code} = {job}")
        job = pipeline.code
    call.rewriter.before.extend(f"{job}.{one}" for one in settings)
    arguments = [("", job), ("experiment_name", experiment), *(extra or [])]
    return call.make(
        make_call(f"{call.client}.jobs.create_or_update", arguments, call.indent, call.prefix),
        "PipelineRun",
        pipeline=pipeline,
    )


def write_parameters(call: Call, pipeline: Value, given: Value) -> str:
    """Return the call of a pipeline's function with other values of its parameters."""
    if not isinstance(given.node, ast.Dict) or not all(isinstance(key, ast.Constant) for key in given.node.keys):
        raise call.refuse("the text does not tell its pipeline_parameters")
    values: dict[str, str] = {}
    if "writer" not in pipeline.facts:
        raise call.refuse("the pipeline is made in a function; give that function its parameters")
    writer: Any = pipeline.facts["writer"]
    known = {value.facts["name"] for value in writer.parameters.values()}
    for key, node in zip(given.node.keys, given.node.values, strict=True):
        name = str(key.value)  # type: ignore[union-attr]
        if name not in known:
            raise call.refuse(f"the pipeline has no parameter '{name}'; it has: {', '.join(sorted(known)) or 'none'}")
        value = call.rewriter.read(node)
        values[name] = value.code
    return f"{pipeline.facts['function']}({writer.write_arguments(values)})"


@rule(
    "PipelineDraft.create",
    takes="workspace pipeline name description experiment_name pipeline_parameters "
    "continue_on_step_failure tags properties **",
)
def _make_draft(call: Call) -> Value:
    raise call.refuse("v2 has no drafts: keep the pipeline's YAML, or a component")
