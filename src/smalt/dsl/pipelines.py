"""`@pipeline`: a function whose calls of components are the steps of a pipeline."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from copy import copy
from functools import wraps
from types import FrameType
from typing import Any

from smalt.dsl import groups, parameters, text_paths
from smalt.dsl.builders import check_arguments
from smalt.dsl.names import name_steps
from smalt.dsl.resolving import resolve_step
from smalt.entities.jobs.inputs import Input, Output
from smalt.entities.jobs.pipeline import PipelineComponent, PipelineJob, PipelineJobSettings
from smalt.entities.rules.bindings import PipelineNames
from smalt.entities.rules.bound_types import check_bound_types
from smalt.entities.schema.attributes import Attributes
from smalt.entities.schema.problems import format_value
from smalt.entities.schema.reader import Reader
from smalt.entities.steps.bindings import PipelineInput, StepOutput, StepOutputs, find_component, find_declared_type
from smalt.entities.steps.calls import call_component, check_complete
from smalt.entities.steps.collector import current_collector
from smalt.entities.steps.nodes import Node
from smalt.exceptions import ParamValueNotExistsError, UserErrorException
from smalt.machine.source_lines import find_caller, format_path

_DEEPEST = 100
_SETTINGS = ("default_datastore", "continue_on_step_failure", "force_rerun", "on_init", "on_finalize")

_ARGUMENTS = (
    *("name", "version", "display_name", "description", "experiment_name", "tags", "compute", "default_compute"),
    *("default_compute_target", "non_pipeline_inputs", "non_pipeline_parameters", *_SETTINGS),
)


def pipeline(
    func: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    version: str | None = None,
    display_name: str | None = None,
    description: str | None = None,
    experiment_name: str | None = None,
    tags: Mapping[str, str] | None = None,
    **settings: Any,
) -> Any:
    """Makes of a function one that builds a pipeline: a job, or inside another pipeline a step.

    `settings` are `compute`, `default_compute`, `default_datastore`, `continue_on_step_failure`, `force_rerun`,
    `on_init`, `on_finalize`, and `non_pipeline_inputs`: parameters that the function gets as they are.
    """

    check_arguments("pipeline", settings, _ARGUMENTS)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        if not callable(function):
            raise UserErrorException(f"@pipeline is for functions, not for {type(function).__name__}", find_caller())
        told = {
            "name": name or function.__name__,
            "version": version,
            "display_name": display_name or name or function.__name__,
            "description": description or function.__doc__,
            "tags": dict(tags) if tags else None,
        }
        return _Maker(function, told, experiment_name, settings).wrapped()

    return decorate if func is None else decorate(func)


class _Maker:
    """A decorated function."""

    def __init__(
        self,
        function: Callable[..., Any],
        told: dict[str, Any],
        experiment_name: str | None,
        settings: dict[str, Any],
    ) -> None:
        self.function, self.experiment_name = function, experiment_name
        self.told = {key: value for key, value in told.items() if value is not None}
        self.compute = settings.get("compute")
        self.plain_names = settings.get("non_pipeline_inputs") or settings.get("non_pipeline_parameters") or []
        self.settings = {key: settings[key] for key in _SETTINGS if settings.get(key) is not None}
        default_compute = settings.get("default_compute") or settings.get("default_compute_target")
        if default_compute is not None:
            self.settings["default_compute"] = default_compute
        self.signature = parameters.Signature(function, self.plain_names)
        unknown = [each for each in self.plain_names if each not in self.signature.parameters]
        if unknown:
            words = f"{function.__name__} has no parameter '{unknown[0]}', which non_pipeline_inputs names"
            raise ParamValueNotExistsError(words, find_caller())

    def wrapped(self) -> Callable[..., Any]:
        @wraps(self.function)
        def make(*args: Any, **kwargs: Any) -> Any:
            return self.make(args, kwargs)

        make._is_dsl_func = True  # type: ignore[attr-defined]
        make._as_component = self.component  # type: ignore[attr-defined]
        make._pipeline_builder = ComponentBuilder(self)  # type: ignore[attr-defined]
        return make

    def component(self, given: Mapping[str, Any] | None = None, plain: Mapping[str, Any] | None = None) -> Any:
        """Return the pipeline as a component, by one call of the function."""
        return Building(self).build(dict(given or {}), dict(plain or {}))

    def make(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        where = find_caller()
        given = self.signature.bind(args, kwargs, where)
        plain = {key: given.pop(key) for key in self.plain_names if key in given}
        given = groups.flatten_groups(given)
        building = Building(self)
        component = building.build(given, plain)
        if current_collector.get() is not None:
            return self._make_step(component, given, building)
        job = self._make_job(component, given, building)
        is_whole = not vars(job)["inputs"]._waiting
        vars(job)["_build_component"] = (lambda: component) if is_whole else lambda: self.component({}, plain)
        return job

    def _make_step(self, component: PipelineComponent, given: dict[str, Any], building: Building) -> Node:
        if "on_init" in building.settings or "on_finalize" in building.settings:
            raise UserErrorException("on_init and on_finalize are for the outermost pipeline only", find_caller())
        node = call_component(component, (), {key: value for key, value in given.items() if value is not None})
        if "tags" in self.told:
            node.tags = dict(self.told["tags"])
        return node

    def _make_job(self, component: PipelineComponent, given: dict[str, Any], building: Building) -> PipelineJob:
        job = PipelineJob.__new__(PipelineJob)
        told = {key: value for key, value in self.told.items() if key in ("display_name", "description", "tags")}
        job.__dict__.update(told)
        defaults = {key: found.default for key, found in component.inputs.items() if found.default is not None}
        inputs = {**defaults, **{key: value for key, value in given.items() if value is not None}}
        inputs = {name: text_paths.convert_text(name, value, component.inputs) for name, value in inputs.items()}
        job.jobs = component.jobs
        job.__dict__["inputs"] = _JobInputs(inputs, _remove_optional(component, inputs), component.inputs)
        job.outputs = _JobOutputs(building.job_outputs)
        job.settings = PipelineJobSettings(**building.settings)
        if self.experiment_name is not None:
            job.experiment_name = self.experiment_name
        if self.compute is not None:
            job.compute = self.compute
        job.__dict__["_line"] = find_caller()
        job.__dict__["_declared"] = component.inputs
        return job


class ComponentBuilder:
    """The builder that the official SDK has as `_pipeline_builder` of a pipeline function; public notebooks use it."""

    def __init__(self, maker: _Maker) -> None:
        self._maker = maker

    def build(
        self,
        user_provided_kwargs: Mapping[str, Any] | None = None,
        *,
        non_pipeline_inputs_dict: Mapping[str, Any] | None = None,
        **_: Any,
    ) -> PipelineComponent:
        """Return the pipeline component."""
        built: PipelineComponent = self._maker.component(user_provided_kwargs, non_pipeline_inputs_dict)
        return built


class _JobInputs(Attributes):
    """Inputs of a pipeline job; an optional input that is unset stays out of the steps until it is set."""

    __slots__ = ("_declared", "_waiting")
    word = "input of the pipeline"

    def __init__(
        self,
        given: Mapping[str, Any],
        waiting: Mapping[str, list[tuple[Node, str, Any]]],
        declared: Mapping[str, Any],
    ) -> None:
        object.__setattr__(self, "_declared", declared)
        object.__setattr__(self, "_waiting", {})
        super().__init__(given)
        object.__setattr__(self, "_waiting", waiting)

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, text_paths.convert_text(name, value, self._declared))
        for node, port, binding in self._waiting.get(name, ()):
            dict.__setitem__(node.inputs, port, binding)


def _remove_optional(component: PipelineComponent, given: Mapping[str, Any]) -> dict[str, list[tuple[Node, str, Any]]]:
    """The optional inputs that are not given, and what steps would have of them, which is taken from the steps."""
    texts = {f"${{{{parent.inputs.{name}}}}}": name for name in component.inputs if name not in given}
    found: dict[str, list[tuple[Node, str, Any]]] = {}
    for node in component.jobs.values() if texts else ():
        for port, value in list((vars(node).get("inputs") or {}).items()):
            text = value.path if isinstance(value, Input) else value
            name = texts.get(text) if isinstance(text, str) else None
            if name is not None and component.inputs[name].optional:
                found.setdefault(name, []).append((node, port, value))
                dict.pop(node.inputs, port)
    return found


class _JobOutputs(Attributes):
    """Outputs of a pipeline job; each is an Output."""

    __slots__ = ()
    word = "output of the pipeline"

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, Output(**value) if isinstance(value, Mapping) else value)


class Building:
    """A call of the function, which gathers its steps and what it returns."""

    def __init__(self, maker: _Maker) -> None:
        self.maker = maker
        self.nodes: list[Any] = []
        self.frame: FrameType | None = None
        self.job_outputs: dict[str, Output] = {}
        self.on_init: Any = None
        self.on_finalize: Any = None
        self.settings = dict(maker.settings)
        self.depth = 1
        self.ended = maker.signature.where
        """The line that returned."""

    def add(self, node: Any) -> None:
        if self.frame is None:
            self.frame = _find_frame(self.maker.signature.code)
        self.nodes.append(node)

    def remove(self, node: Any) -> None:
        self.nodes = [each for each in self.nodes if each is not node]

    def build(self, given: dict[str, Any], plain: dict[str, Any]) -> PipelineComponent:
        declared, arguments = self.maker.signature.inputs(given)
        outer: Any = current_collector.get()
        self.depth = 1 + (outer.depth if outer is not None else 0)
        if self.depth > _DEEPEST:
            raise UserErrorException(f"the pipelines are nested more than {_DEEPEST} deep", find_caller())
        token = current_collector.set(self)
        try:
            returned = self.maker.function(**arguments, **plain)
        finally:
            current_collector.reset(token)
        variables = self.frame.f_locals if self.frame is not None else {}
        if self.frame is not None:
            self.ended = format_path(self.frame.f_code.co_filename), self.frame.f_lineno
        self.frame = None
        component = PipelineComponent(**self.maker.told, inputs=declared)
        vars(component)["_pipeline"] = self.maker.function
        component.jobs = Attributes(name_steps(self.maker.told["name"], self.nodes, variables))
        component.outputs = self._bind_outputs(returned)
        steps = {id(node) for node in self.nodes}
        for node in self.nodes:
            _check_given(node)
            resolve_step(node, f"the step '{node._step}'", steps)
        text_paths.declare_paths(component, self.maker.signature, given)
        for node in self.nodes:
            _check_types(node, component, given)
        self._set_end_jobs(component.jobs)
        return component

    def _bind_outputs(self, returned: Any) -> Any:
        """The outputs of the pipeline, and to each step what is bound to them."""
        outputs: dict[str, Output] = {}
        for name, value in _read_returned(returned, self.maker.function.__name__, self.ended).items():
            node = self._find_owner(name, value)
            said = node.outputs.get(value._port)
            kind = value.type or find_declared_type(node, value._port) or "uri_folder"
            found = _find_declared_output(node, value._port)
            mode = found.mode if found is not None else None
            description = found.description if found is not None else None
            outputs[name] = _make_output(type=kind, mode=mode, description=description)
            kept = vars(said) if isinstance(said, Output) else {}
            self.job_outputs[name] = Output(**{**vars(outputs[name]), **kept, "type": kept.get("type") or kind})
            binding = f"${{{{parent.outputs.{name}}}}}"
            moded = kept.get("mode")
            bound = Output(path=binding, mode=moded) if moded else binding
            node.outputs._handles.pop(value._port, None)
            dict.__setitem__(node.outputs, value._port, bound)
        return Attributes(outputs)

    def _find_owner(self, name: str, value: Any) -> Any:
        function = self.maker.function.__name__
        if isinstance(value, Node):
            names = value.outputs.list_names() if isinstance(value.outputs, StepOutputs) else []
            which = " or ".join(f".outputs.{each}" for each in names[:4]) or ".outputs.NAME"
            words = f"{function} returns a step as '{name}'; return one of its outputs: {which}"
            raise UserErrorException(words, self.ended)
        if not isinstance(value, StepOutput):
            words = (
                f"{function} returns '{name}', which is not an output of a step; return {{'{name}': STEP.outputs.NAME}}"
            )
            raise UserErrorException(words, self.ended)
        if not any(value._node is node for node in self.nodes):
            words = f"{function} returns '{name}', an output of a step that is not in this pipeline"
            raise UserErrorException(words, self.ended)
        return value._node

    def _set_end_jobs(self, jobs: Mapping[str, Any]) -> None:
        for key in ("on_init", "on_finalize"):
            step = getattr(self, key)
            if isinstance(step, str):
                self.settings[key] = step
            elif step is not None:
                if not any(step is node for node in jobs.values()):
                    raise UserErrorException(f"{key} is a step that is not in this pipeline", self.ended)
                self.settings[key] = step._step


def set_pipeline_settings(*, on_init: Any = None, on_finalize: Any = None) -> None:
    """Set the steps that run before and after all others, or their names; called in the pipeline's function.

    A second call changes what it is given.
    """
    building: Any = current_collector.get()
    if building is None:
        raise UserErrorException("set_pipeline_settings is called inside a function with @pipeline", find_caller())
    for key, step in (("on_init", on_init), ("on_finalize", on_finalize)):
        if step is None:
            continue
        if not isinstance(step, (str, Node)):
            words = f"{key} of set_pipeline_settings must be a step or the name of one, not {format_value(step)}"
            raise UserErrorException(words, find_caller())
        setattr(building, key, step)


def _read_returned(value: Any, function: str, where: tuple[str, int]) -> Mapping[str, Any]:
    if value is None:
        return {}
    if isinstance(value, StepOutputs):
        return dict(value.list_outputs())
    if groups.is_group(value):
        return {key: item for key, item in vars(value).items() if item is not None}
    if isinstance(value, Mapping):
        return value
    if isinstance(value, Node):
        raise UserErrorException(f"{function} returns a step; return its outputs, as 'return STEP.outputs'", where)
    words = f"{function} must return a mapping of names to outputs of steps, such as {{'model': train.outputs.model}}"
    raise UserErrorException(f"{words}, not {type(value).__name__}", where)


def _check_given(node: Any) -> None:
    """Raise if a step lacks an input that it needs; a loop gives some itself."""
    component = find_component(node)
    if component is None or "_loop" in vars(node) or "_collects" in vars(node):
        return
    varied = getattr(node, "search_space", None) or ()
    check_complete(component, {*node.inputs, *varied}, vars(node).get("_line") or find_caller())


def _check_types(node: Any, pipeline: PipelineComponent, given: Mapping[str, Any]) -> None:
    """Raise if a step is given data that cannot be of its input's type; `given` has what this call gives the pipeline.

    The steps inherit the mode of that.
    """
    reader = Reader()
    raw: dict[str, dict[str, Any]] = {"inputs": {}, "outputs": {}, "jobs": {}}
    inputs = {name: _add_mode(declared, given.get(name)) for name, declared in pipeline.inputs.items()}
    names = PipelineNames(inputs, pipeline.outputs, pipeline.jobs, raw)
    check_bound_types(node, vars(node).get("inputs") or {}, names, (), reader)
    if reader.problems:
        raise UserErrorException(reader.problems[0].message, vars(node).get("_line") or find_caller())


def _add_mode(declared: Any, given: Any) -> Any:
    value = given.result() if isinstance(given, PipelineInput) else given
    mode = value.mode if isinstance(value, Input) else None
    if mode is None or not isinstance(declared, Input):
        return declared
    moded = copy(declared)
    moded.mode = mode
    return moded


def _find_declared_output(node: Any, port: str) -> Output | None:
    component = find_component(node)
    found = component.outputs.get(port) if component is not None else None
    return found if isinstance(found, Output) else None


def _make_output(**values: Any) -> Output:
    return Output(**{key: value for key, value in values.items() if value is not None})


def _find_frame(code: Any) -> FrameType | None:
    """The running call of the function; its variables are there also when it has returned."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code is not code:
        frame = frame.f_back
    return frame
