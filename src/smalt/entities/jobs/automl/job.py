"""AutoML jobs, steps and components of every task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from smalt.entities.assets.component import COMPONENT, Component
from smalt.entities.jobs.automl.parameters import SEARCH_SPACES, TRAINING_PARAMETERS
from smalt.entities.jobs.automl.setter_base import AutoMLSetters
from smalt.entities.jobs.automl.settings import (
    AUTO,
    AutoMLLimits,
    AutoMLSweep,
    Featurization,
    ForecastingSettings,
    StackEnsembleSettings,
    Training,
)
from smalt.entities.jobs.command import VARIABLES
from smalt.entities.jobs.inputs import JOB_OUTPUTS, DataPath, Input
from smalt.entities.jobs.job import Job
from smalt.entities.jobs.resources import JobResourceConfiguration, QueueSettings
from smalt.entities.rules import places
from smalt.entities.rules.expressions import check_own
from smalt.entities.schema.effects import ACTED, NONE, REFUSED
from smalt.entities.schema.entity import Entity, constant, mapping, optional, required
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.problems import Path, did_you_mean, format_value, join_words
from smalt.entities.schema.shapes import Enum, Integer, List, Number, Text
from smalt.entities.schema.travel import Travel
from smalt.entities.steps.nodes import Node
from smalt.entities.syntax.expression import has_expression

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader


class Task(NamedTuple):
    """The keys, metrics and algorithms that one AutoML task allows beyond those of all tasks."""

    keys: tuple[str, ...]
    metrics: tuple[str, ...]
    algorithms: tuple[str, ...] = ()
    needs_target: bool = True


_TABLE = (
    *("featurization", "training", "cv_split_column_names", "n_cross_validations", "weight_column_name"),
    *("test_data", "test_data_size", "validation_data_size"),
)
_IMAGE = ("sweep", "training_parameters", "search_space", "test_data", "test_data_size", "validation_data_size")
_NLP = ("sweep", "training_parameters", "search_space", "featurization")
_CLASSIFY = (
    *("auc_weighted", "accuracy", "norm_macro_recall"),
    *("average_precision_score_weighted", "precision_score_weighted"),
)
_REGRESS = (
    *("spearman_correlation", "normalized_root_mean_squared_error"),
    *("r2_score", "normalized_mean_absolute_error"),
)
_TREES = (
    *("elastic_net", "gradient_boosting", "decision_tree", "knn", "lasso_lars", "sgd"),
    *("random_forest", "extreme_random_trees", "light_gbm", "xg_boost_regressor"),
)
_CLASSIFIERS = (
    *("logistic_regression", "sgd", "multinomial_naive_bayes", "bernoulli_naive_bayes", "svm", "linear_svm", "knn"),
    *(
        "decision_tree",
        "random_forest",
        "extreme_random_trees",
        "light_gbm",
        "gradient_boosting",
        "xg_boost_classifier",
    ),
)
_FORECASTERS = (
    *("auto_arima", "prophet", "naive", "seasonal_naive", "average", "seasonal_average"),
    *("exponential_smoothing", "arimax", "tcn_forecaster"),
)
TASKS = {
    "classification": Task((*_TABLE, "positive_label"), _CLASSIFY, _CLASSIFIERS),
    "regression": Task(_TABLE, _REGRESS, _TREES),
    "forecasting": Task((*_TABLE, "forecasting"), _REGRESS, (*_FORECASTERS, *_TREES)),
    "image_classification": Task(_IMAGE, _CLASSIFY),
    "image_classification_multilabel": Task(_IMAGE, (*_CLASSIFY, "iou")),
    "image_object_detection": Task(_IMAGE, ("mean_average_precision",)),
    "image_instance_segmentation": Task(_IMAGE, ("mean_average_precision",)),
    "text_classification": Task(_NLP, _CLASSIFY),
    "text_classification_multilabel": Task(_NLP, ("accuracy",)),
    "text_ner": Task(_NLP, ("accuracy",), needs_target=False),
}

DATA = ("training_data", "validation_data", "test_data")
"""The keys with the tables that a job reads."""
OUTPUTS = {"best_model": "mlflow_model"}
"""The outputs of a job, each with its type."""
_TASK_KEYS = frozenset(key for task in TASKS.values() for key in task.keys)
_DATA = DataPath() | Nested(Input)


class AutoML(AutoMLSetters, Entity):
    """The fields that AutoML jobs and steps share; `TASKS` lists the keys that each task allows."""

    noun = "an AutoML job"
    _effect = ACTED

    task = required(Enum(*TASKS), "The task to learn.")
    primary_metric = optional(Text(), "The metric that is sought.")
    target_column_name = optional(Text(), "The column that is to be known.")
    training_data = optional(_DATA, "The training data.")
    validation_data = optional(_DATA, "The validation data.")
    validation_data_size = optional(Number(), "The part of the training data that is kept for that.")
    test_data = optional(_DATA, "The data that the best model is tested on.")
    test_data_size = optional(Number(), "The part of the training data that is kept for that.")
    cv_split_column_names = optional(List(Text()), "Columns that say which fold a row is in.")
    n_cross_validations = optional(Integer() | AUTO, "The number of folds.")
    weight_column_name = optional(Text(), "The column with the weights.")
    positive_label = optional(Text(), "The label that counts as positive.")
    featurization = optional(Nested(Featurization), "The settings of featurization.")
    training = optional(Nested(Training), "The settings of training.")
    forecasting = optional(Nested(ForecastingSettings), "The settings of the forecast.")
    training_parameters = optional(TRAINING_PARAMETERS, "Parameters that all trials share.", effect=REFUSED)
    search_space = optional(SEARCH_SPACES, "The search spaces.", effect=REFUSED)
    sweep = optional(Nested(AutoMLSweep), "The settings of the search.", effect=REFUSED)
    limits = optional(Nested(AutoMLLimits), "The limits on trials and time.")
    log_verbosity = optional(Enum("not_set", "debug", "info", "warning", "error", "critical"), "The level of logging.")
    environment_id = optional(Text(), "The environment that it runs in.")
    environment_variables = mapping(VARIABLES, "Environment variables.")
    resources = optional(Nested(JobResourceConfiguration), "The machines that it asks for.")
    queue_settings = optional(Nested(QueueSettings), "The tier and place in the queue.", effect=NONE)

    @property
    def task_type(self) -> str:
        """Return the task, under its name in the official SDK."""
        return str(self.task)

    @property
    def forecasting_settings(self) -> ForecastingSettings | None:
        return self.forecasting

    @property
    def is_tabular(self) -> bool:
        """True for the tasks that smalt runs."""
        task = TASKS.get(str(self.task))
        return task is not None and bool(task.algorithms)

    def make_settings(self) -> dict[str, Any]:
        """Return what is set of the settings of the search, as in YAML, with the type of each table."""
        plain = self.to_dict()
        settings = {name: plain[name] for name in _SEARCHED if plain.get(name) is not None}
        for name in DATA:
            given = getattr(self, name)
            if given is not None:
                settings[name] = {"type": (given.type if isinstance(given, Input) else None) or "mltable"}
        return settings

    def explain_ineffective_keys(self) -> dict[str, str | None]:
        """Return why a setting has no effect here, by its dotted key; None for one of which nothing need be said."""
        if not self.is_tabular:
            return {}
        from smalt.automl_program.checks import find_ignored

        silent = dict.fromkeys(f"{part}.{key}" for part, noun in _PARTS.items() for key in noun._fields)
        told: dict[str, list[str]] = {}
        for remark in find_ignored(_remove_bindings(self.make_settings())):
            told.setdefault(".".join(map(str, remark.path)), []).append(remark.text)
        return {**silent, **{key: "; ".join(texts) for key, texts in told.items()}}

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        name = self.__dict__.get("task")
        task = TASKS.get(name) if isinstance(name, str) else None
        if task is None:
            return
        for key in self.__dict__:
            if key in _TASK_KEYS and key not in task.keys:
                reader.add_problem((*path, key), f"'{key}' has no meaning for the task {name}", at_key=True)
        if task.needs_target and self.target_column_name is None and data.get("target_column_name") is None:
            reader.add_problem(path, f"{self.noun} with 'task: {name}' needs 'target_column_name'", at_key=True)
        if data.get("training_data") is None:
            reader.add_problem(path, f"{self.noun} needs 'training_data'", at_key=True)
        if task.algorithms:
            self._check_settings(path, reader)
        elif self.primary_metric is not None:
            _check_metric(self.primary_metric, str(name), task, path, reader)
        for output in vars(self).get("outputs") or ():
            if output not in OUTPUTS:
                words = f"an AutoML job has no output '{output}'; its output is 'best_model'"
                reader.add_problem((*path, "outputs", output), words, at_key=True)

    def _check_settings(self, path: Path, reader: Reader) -> None:
        """Check what the program that searches can tell without the data."""
        from smalt.automl_program.checks import find_problems

        for remark in find_problems(_remove_bindings(self.make_settings())):
            reader.add_problem((*path, *remark.path), remark.text)


def _check_metric(word: str, name: str, task: Task, path: Path, reader: Reader) -> None:
    if reader.is_binding(word) or _fold_word(word) in map(_fold_word, task.metrics):
        return
    hint = did_you_mean(word, task.metrics) or f"; it may be {join_words(task.metrics)}"
    reader.add_problem((*path, "primary_metric"), f"{format_value(word)} is not for the task {name}{hint}")


def _fold_word(word: str) -> str:
    return word.replace("_", "").lower()


def _remove_bindings(value: Any) -> Any:
    """Return settings without the texts whose values are known only when the job runs."""
    if isinstance(value, Mapping):
        return {key: _remove_bindings(item) for key, item in value.items() if not has_expression(item)}
    return [_remove_bindings(item) for item in value if not has_expression(item)] if isinstance(value, list) else value


_SEARCHED = (
    *("task", "primary_metric", "target_column_name", "validation_data_size", "test_data_size"),
    *("n_cross_validations", "cv_split_column_names", "weight_column_name", "positive_label"),
    *("featurization", "training", "limits", "forecasting", "log_verbosity"),
)
SETTINGS = (*_SEARCHED, *DATA, "environment_id", "environment_variables", "resources")
"""The keys of a job that a component has for its steps."""
_PARTS: dict[str, type[Entity]] = {
    "limits": AutoMLLimits,
    "training": Training,
    "training.stack_ensemble_settings": StackEnsembleSettings,
    "featurization": Featurization,
}


class AutoMLJob(AutoML, Job):
    noun = "an AutoML job"

    type = constant("automl", "The type of job.")
    outputs = mapping(JOB_OUTPUTS, "The outputs, by name.")

    @classmethod
    def _resolve_class(cls, data: Mapping[str, Any]) -> Any:
        from smalt.entities.jobs.automl.tasks import JOBS

        return JOBS.get(str(data.get("task")), cls) if cls is AutoMLJob else cls

    @property
    def inputs(self) -> dict[str, Any]:
        """Return no inputs: an AutoML job reads its `training_data` and the like."""
        return {}


class AutoMLNode(AutoML, Node):
    noun = "an AutoML step"

    type = constant("automl", "The type of step.")

    component = optional(COMPONENT, "The component, in place of the settings.", travels=Travel.NOWHERE)

    _data_keys = DATA
    _own_outputs: ClassVar[Mapping[str, str]] = OUTPUTS

    @classmethod
    def _check_required(cls, given: set[str], path: Path, reader: Reader) -> None:
        super()._check_required(given | {"task"} if "component" in given else given, path, reader)

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        component = vars(self).get("component")
        if component is None:
            super()._check_rules(path, reader, data)
            if self.inputs:
                words = f"an AutoML step has no inputs but its tables: {join_words(DATA, 'and')}"
                reader.add_problem((*path, "inputs"), words, at_key=True)
            return
        if isinstance(component, Component) and component.type != self.type:
            words = f"the step's type is {self.type}, but its component is {component.noun}"
            reader.add_problem((*path, "component"), words)
        for key in SETTINGS:
            if key in data and key != "task":
                words = f"'{key}' is the component's to say; make it an input of the component"
                reader.add_problem((*path, key), words, at_key=True)

    @classmethod
    def _resolve_class(cls, data: Mapping[str, Any]) -> Any:
        from smalt.entities.jobs.automl.tasks import NODES

        return NODES.get(str(data.get("task")), cls) if cls is AutoMLNode else cls


class AutoMLComponent(AutoML, Component):
    noun = "an AutoML component"

    type = constant("automl", "The type of component.")
    task = required(Enum(*TASKS), "The task to learn.", travels=Travel.CALL)

    @classmethod
    def _read_data(cls, data: Any, path: Path, reader: Reader) -> Any:
        outside, reader.in_step = reader.in_step, True  # numbers may be named as inputs, as in a step
        try:
            return super()._read_data(data, path, reader)
        finally:
            reader.in_step = outside

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        Component._check_rules(self, path, reader, data)
        check_own(self, "this component", places.OF_AUTOML, path, reader)
        if not any(key in data for key in SETTINGS if key != "task"):
            return  # as Azure's client writes one for a step with its settings in place
        super()._check_rules(path, reader, data)
        for key in DATA:
            given = getattr(self, key)
            text = given.path if isinstance(given, Input) else given
            if text and not has_expression(text):
                words = "a table of a component is one of its inputs: write '${{inputs.NAME}}'"
                reader.add_problem((*path, key), words)
