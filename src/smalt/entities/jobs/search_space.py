"""Search spaces, sampling algorithms, objectives and early termination of sweeps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from smalt.entities.jobs.inputs import LiteralValue
from smalt.entities.schema.effects import ACTED
from smalt.entities.schema.entity import Entity, constant, optional, required
from smalt.entities.schema.nested import Nested, TaggedNoun
from smalt.entities.schema.problems import Path, did_you_mean, format_value, join_words
from smalt.entities.schema.reader import describe_path
from smalt.entities.schema.shapes import Anything, Boolean, Enum, Integer, List, Map, Number, Shape, Text
from smalt.entities.schema.travel import SETTING, Travel

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader


class SweepDistribution(Entity):
    """A distribution of an input. Arguments may be positional: `Uniform(0.1, 0.9)`, `Choice([1, 2])`."""

    noun = "a distribution of values"
    _effect = ACTED
    _order: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *arguments: Any, **values: Any) -> None:
        if len(arguments) > len(self._order):
            raise TypeError(
                f"{type(self).__name__} takes {join_words(self._order, 'and')}, not {len(arguments)} values"
            )
        given = dict(zip(self._order, arguments, strict=False))
        super().__init__(**given, **{key: value for key, value in values.items() if key != "type"})


class ChoiceValue(Anything):
    """A value of a choice: a literal, a distribution, or a list or mapping of such, which a trial gets as JSON."""

    words = "text, a number, true or false, or a list or mapping of such"

    def read_value(self, value: Any, path: Path, reader: Reader) -> Any:
        if isinstance(value, SweepDistribution) or _is_distribution(value):
            return DISTRIBUTION.read_value(value, path, reader)
        if isinstance(value, Mapping):
            return {str(name): self.read_value(item, (*path, name), reader) for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.read_value(item, (*path, index), reader) for index, item in enumerate(value)]
        if isinstance(value, float) and not math.isfinite(value):
            words = "must be a finite number; put it in quotes if its text is meant"
            reader.add_problem(path, f"{describe_path(path)} {words}")
            return None
        return value if isinstance(value, (str, int, float)) else self.report_mismatch(value, path, reader)


def _is_distribution(value: Any) -> bool:
    """Return True for a mapping that is a distribution, or means to be one; any other may have a key `type`, too."""
    if not isinstance(value, Mapping) or not isinstance(value.get("type"), str):
        return False
    names = DISTRIBUTION.table
    return value["type"].lower() in names or (did_you_mean(value["type"], names) != "" and not _KEYS.isdisjoint(value))


_KEYS = frozenset({"values", "min_value", "max_value", "mu", "sigma", "q", "upper"})


class Choice(SweepDistribution):
    noun = "a choice"
    _order = ("values",)

    type = constant("choice", "The distribution.")
    values = required(List(ChoiceValue()), "The values; a mapping among them may hold further distributions.")

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        if self.__dict__.get("values") == [] and not data["values"]:
            reader.add_problem((*path, "values"), "a choice needs a value: add one to 'values'", at_key=True)


class Range(SweepDistribution):
    """A distribution between two bounds."""

    _order: ClassVar[tuple[str, ...]] = ("min_value", "max_value")

    min_value = required(Number(), "The smallest value.")
    max_value = required(Number(), "The largest value.")

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        low, high = self.__dict__.get("min_value"), self.__dict__.get("max_value")
        if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low > high:
            reader.add_problem((*path, "max_value"), f"'max_value' must not be below 'min_value', which is {low}")
        elif isinstance(low, (int, float)) and isinstance(high, (int, float)) and math.isinf(float(high) - float(low)):
            reader.add_problem((*path, "max_value"), "'max_value' is too far from 'min_value'; choose a narrower range")


class ExponentRange(Range):
    """A distribution whose bounds are the natural logarithms of the values."""

    min_value = required(Number(), "The natural logarithm of the smallest value: the value is exp(min_value).")
    max_value = required(Number(), "The natural logarithm of the largest value.")


class Uniform(Range):
    noun = "a uniform distribution"

    type = constant("uniform", "The distribution.")


class LogUniform(ExponentRange):
    noun = "a log-uniform distribution"

    type = constant("loguniform", "The distribution.")


_MOST_STEPS = 2.0**53
"""Steps that a float can count."""


class HasStep(Entity):
    """A distribution whose values are rounded."""

    q = required(Number(), "The step that values are rounded to.")

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        super()._check_rules(path, reader, data)
        check_positive(self, "q", path, reader)
        q, ends = vars(self).get("q"), [vars(self).get(key) for key in ("min_value", "max_value", "mu", "sigma")]
        sizes = [abs(float(end)) for end in ends if isinstance(end, (int, float))]
        if isinstance(q, (int, float)) and q > 0 and any(size > q * _MOST_STEPS for size in sizes):
            words = f"'q' is too small: {max(sizes):g} is more than {_MOST_STEPS:g} steps from 0"
            reader.add_problem((*path, "q"), words)


class QUniform(HasStep, Range):
    _order = ("min_value", "max_value", "q")
    noun = "a rounded uniform distribution"

    type = constant("quniform", "The distribution.")


class QLogUniform(HasStep, ExponentRange):
    _order = ("min_value", "max_value", "q")
    noun = "a rounded log-uniform distribution"

    type = constant("qloguniform", "The distribution.")


class Bell(SweepDistribution):
    """A distribution around a mean."""

    _order: ClassVar[tuple[str, ...]] = ("mu", "sigma")

    mu = required(Number(), "The mean.")
    sigma = required(Number(), "The standard deviation.")

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        super()._check_rules(path, reader, data)
        check_positive(self, "sigma", path, reader)


class Normal(Bell):
    noun = "a normal distribution"

    type = constant("normal", "The distribution.")


class LogNormal(Bell):
    noun = "a log-normal distribution"

    type = constant("lognormal", "The distribution.")


class QBell(HasStep, Bell):
    _order = ("mu", "sigma", "q")


class QNormal(QBell):
    noun = "a rounded normal distribution"

    type = constant("qnormal", "The distribution.")


class QLogNormal(QBell):
    noun = "a rounded log-normal distribution"

    type = constant("qlognormal", "The distribution.")


class Randint(SweepDistribution):
    noun = "a random integer"
    _order = ("upper",)

    type = constant("randint", "The distribution.")
    upper = required(
        Integer(at_least=1, at_most=2**53), "The bound, which is not reached: the values are 0 to upper - 1."
    )


def check_positive(distribution: Entity, key: str, path: Path, reader: Reader) -> None:
    """Report a value that is not above zero."""
    value = vars(distribution).get(key)
    if isinstance(value, (int, float)) and value <= 0:
        reader.add_problem((*path, key), f"'{key}' must be greater than 0, not {format_value(value)}")


DISTRIBUTION: TaggedNoun[SweepDistribution] = TaggedNoun(
    SweepDistribution,
    "type",
    {
        "choice": "jobs.search_space:Choice",
        "uniform": "jobs.search_space:Uniform",
        "loguniform": "jobs.search_space:LogUniform",
        "quniform": "jobs.search_space:QUniform",
        "qloguniform": "jobs.search_space:QLogUniform",
        "normal": "jobs.search_space:Normal",
        "lognormal": "jobs.search_space:LogNormal",
        "qnormal": "jobs.search_space:QNormal",
        "qlognormal": "jobs.search_space:QLogNormal",
        "randint": "jobs.search_space:Randint",
    },
)
SEARCH_SPACE = Map(DISTRIBUTION, "distributions of values")


class SamplingAlgorithm(Entity):
    noun = "a sampling algorithm"
    _effect = ACTED


class RandomSamplingAlgorithm(SamplingAlgorithm):
    noun = "random sampling"

    type = constant("random", "The algorithm.")
    seed = optional(Integer(), "Makes the sequence the same each time.")
    rule = optional(Enum("random", "sobol"), "The rule by which points are drawn.")
    logbase = optional(LiteralValue(), "The base of logarithmic distributions: a number or `e`.")

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        base = self.__dict__.get("logbase")
        if base is None or base == "e" or reader.is_binding(base):
            return
        try:
            is_base = 0 < float(base) < math.inf and float(base) != 1 and not isinstance(base, bool)
        except (ValueError, OverflowError):
            is_base = False
        if not is_base:
            words = "'logbase' must be 'e' or a number greater than 0 other than 1"
            reader.add_problem((*path, "logbase"), f"{words}, not {format_value(base)}")


class GridSamplingAlgorithm(SamplingAlgorithm):
    noun = "grid sampling"

    type = constant("grid", "The algorithm.")

    @classmethod
    def _handle_unknown_keys(cls, keys: list[Any], data: Any, entity: Entity, path: Path, reader: Reader) -> set[str]:
        """Say of settings of random sampling why grid sampling has none."""
        for key in keys:
            if key in RandomSamplingAlgorithm._fields:
                words = f"grid sampling tries each point once, in order, so '{key}' has no meaning; remove it"
                reader.add_problem((*path, key), words, at_key=True)
        rest = [key for key in keys if key not in RandomSamplingAlgorithm._fields]
        return super()._handle_unknown_keys(rest, data, entity, path, reader)


class LearningSamplingAlgorithm(SamplingAlgorithm):
    """An algorithm that chooses each point by the trials that have ended."""

    seed = optional(Integer(), "Makes the sequence the same each time; not in Azure ML.")


class BayesianSamplingAlgorithm(LearningSamplingAlgorithm):
    noun = "Bayesian sampling"

    type = constant("bayesian", "The algorithm.")


class GpSamplingAlgorithm(LearningSamplingAlgorithm):
    """Sampling by a Gaussian process; not in Azure ML."""

    noun = "Gaussian process sampling"

    type = constant("gp", "The algorithm.")


class CmaesSamplingAlgorithm(LearningSamplingAlgorithm):
    """Sampling by an evolution strategy; not in Azure ML."""

    noun = "CMA-ES sampling"

    type = constant("cmaes", "The algorithm.")


class HyperbandSamplingAlgorithm(LearningSamplingAlgorithm):
    """Bayesian sampling that ends trials early, by successive halving; not in Azure ML."""

    noun = "Hyperband sampling"

    type = constant("hyperband", "The algorithm.")


SAMPLING_NOUNS: TaggedNoun[SamplingAlgorithm] = TaggedNoun(
    SamplingAlgorithm,
    "type",
    {
        "random": "jobs.search_space:RandomSamplingAlgorithm",
        "grid": "jobs.search_space:GridSamplingAlgorithm",
        "bayesian": "jobs.search_space:BayesianSamplingAlgorithm",
        "gp": "jobs.search_space:GpSamplingAlgorithm",
        "cmaes": "jobs.search_space:CmaesSamplingAlgorithm",
        "hyperband": "jobs.search_space:HyperbandSamplingAlgorithm",
    },
)
SAMPLING: Shape[str | SamplingAlgorithm] = Enum(*SAMPLING_NOUNS.table) | SAMPLING_NOUNS


def get_sampling_type(algorithm: str | SamplingAlgorithm | None) -> str:
    """Return the name of a sampling algorithm; `random` if there is none."""
    if algorithm is None:
        return "random"
    return algorithm if isinstance(algorithm, str) else str(getattr(algorithm, "type", None))


class Objective(Entity):
    noun = "an objective"
    _effect = ACTED

    goal = required(Enum("minimize", "maximize"), "Whether low or high values are sought.")
    primary_metric = required(Text(), "The metric that the trials log.")

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        metric = self.__dict__.get("primary_metric")
        if isinstance(metric, str) and (not metric or metric != metric.strip()):
            words = f"'primary_metric' must be the name of a metric, without blanks around it, not '{metric}'"
            reader.add_problem((*path, "primary_metric"), words)


class EarlyTerminationPolicy(Entity):
    noun = "an early termination policy"
    _effect = ACTED

    evaluation_interval = optional(Integer(at_least=0), "The number of metrics between two evaluations.")
    delay_evaluation = optional(Integer(at_least=0), "The number of evaluations to skip at first.")


class BanditPolicy(EarlyTerminationPolicy):
    noun = "a bandit policy"

    type = constant("bandit", "The policy.")
    slack_factor = optional(Number(at_least=0), "The allowed distance from the best trial, as a ratio.")
    slack_amount = optional(Number(at_least=0), "The same as an amount.")

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        slacks = [data.get("slack_factor"), data.get("slack_amount")]
        if slacks == [None, None]:
            words = "a bandit policy needs 'slack_factor' or 'slack_amount': how far behind the best a trial may be"
            reader.add_problem(path, words, at_key=True)
        elif all(slacks):
            words = "a bandit policy has either 'slack_factor' or 'slack_amount'; remove one of them"
            reader.add_problem((*path, "slack_amount"), words, at_key=True)


class MedianStoppingPolicy(EarlyTerminationPolicy):
    noun = "a median stopping policy"

    type = constant("median_stopping", "The policy.")


class TruncationSelectionPolicy(EarlyTerminationPolicy):
    noun = "a truncation selection policy"

    type = constant("truncation_selection", "The policy.")
    truncation_percentage = required(
        Integer(at_least=1, at_most=99), "The percentage of trials that each evaluation ends."
    )
    exclude_finished_jobs = optional(Boolean(), "Whether finished trials do not count.")


EARLY_TERMINATION: TaggedNoun[EarlyTerminationPolicy] = TaggedNoun(
    EarlyTerminationPolicy,
    "type",
    {
        "bandit": "jobs.search_space:BanditPolicy",
        "median_stopping": "jobs.search_space:MedianStoppingPolicy",
        "truncation_selection": "jobs.search_space:TruncationSelectionPolicy",
    },
)


class SweepJobLimits(Entity):
    noun = "limits of a sweep"
    _effect = ACTED

    max_total_trials = required(Integer(at_least=1, at_most=1000), "Trials in all.")
    max_concurrent_trials = optional(Integer(at_least=1, at_most=100), "Trials at a time; all, at most 100, if unset.")
    timeout = optional(Integer(at_least=0), "Seconds after which the sweep is ended; never if 0 or unset.")
    trial_timeout = optional(Integer(at_least=0), "Seconds after which a trial is ended; never if 0 or unset.")

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        total, at_once = vars(self).get("max_total_trials"), vars(self).get("max_concurrent_trials")
        if isinstance(total, int) and isinstance(at_once, int) and at_once > total:
            words = f"'max_concurrent_trials' must not be more than 'max_total_trials', which is {total}"
            reader.add_problem((*path, "max_concurrent_trials"), words)


class Sweep(Entity):
    """The fields that sweep jobs and steps share."""

    noun = "a sweep"
    _effect = ACTED

    search_space = optional(SEARCH_SPACE, "The search space, by name of input.", travels=SETTING | Travel.JOINED)
    sampling_algorithm = optional(SAMPLING, "The sampling algorithm.")
    objective = required(Nested(Objective), "The objective.")
    early_termination = optional(EARLY_TERMINATION, "The policy of early termination.")
    limits = required(Nested(SweepJobLimits), "The limits on trials and time.")
