"""Search spaces, sampling algorithms, objectives and early termination of sweeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from smalt.entities.jobs.inputs import LiteralValue
from smalt.entities.schema.effects import KEPT
from smalt.entities.schema.entity import Entity, constant, optional, required
from smalt.entities.schema.nested import Nested, TaggedNoun
from smalt.entities.schema.problems import Path, join_words
from smalt.entities.schema.shapes import Anything, Enum, Integer, List, Map, Number, Shape, Text

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader


class SweepDistribution(Entity):
    """A distribution of an input. Arguments may be positional: `Uniform(0.1, 0.9)`, `Choice([1, 2])`."""

    noun = "a distribution of values"
    _effect = KEPT
    _order: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *arguments: Any, **values: Any) -> None:
        if len(arguments) > len(self._order):
            raise TypeError(
                f"{type(self).__name__} takes {join_words(self._order, 'and')}, not {len(arguments)} values"
            )
        given = dict(zip(self._order, arguments, strict=False))
        super().__init__(**given, **{key: value for key, value in values.items() if key != "type"})


class Choice(SweepDistribution):
    noun = "a choice"
    _order = ("values",)

    type = constant("choice", "The distribution.")
    values = required(List(Anything()), "The values; a mapping among them may hold further distributions.")


class Range(SweepDistribution):
    """A distribution between two bounds."""

    _order: ClassVar[tuple[str, ...]] = ("min_value", "max_value")

    min_value = required(Number(), "The smallest value.")
    max_value = required(Number(), "The largest value.")

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        low, high = self.__dict__.get("min_value"), self.__dict__.get("max_value")
        if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low > high:
            reader.add_problem((*path, "max_value"), f"'max_value' must not be below 'min_value', which is {low}")


class Uniform(Range):
    noun = "a uniform distribution"

    type = constant("uniform", "The distribution.")


class LogUniform(Range):
    noun = "a log-uniform distribution"

    type = constant("loguniform", "The distribution.")


class QRange(Range):
    _order = ("min_value", "max_value", "q")

    q = required(Number(), "The step that values are rounded to.")


class QUniform(QRange):
    noun = "a rounded uniform distribution"

    type = constant("quniform", "The distribution.")


class QLogUniform(QRange):
    noun = "a rounded log-uniform distribution"

    type = constant("qloguniform", "The distribution.")


class Bell(SweepDistribution):
    """A distribution around a mean."""

    _order: ClassVar[tuple[str, ...]] = ("mu", "sigma")

    mu = required(Number(), "The mean.")
    sigma = required(Number(), "The standard deviation.")


class Normal(Bell):
    noun = "a normal distribution"

    type = constant("normal", "The distribution.")


class LogNormal(Bell):
    noun = "a log-normal distribution"

    type = constant("lognormal", "The distribution.")


class QBell(Bell):
    _order = ("mu", "sigma", "q")

    q = required(Number(), "The step that values are rounded to.")


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
    upper = required(Integer(), "The bound, which is not reached.")


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
    _effect = KEPT


class RandomSamplingAlgorithm(SamplingAlgorithm):
    noun = "random sampling"

    type = constant("random", "The algorithm.")
    seed = optional(Integer(), "Makes the sequence the same each time.")
    rule = optional(Enum("random", "sobol"), "The rule by which points are drawn.")
    logbase = optional(LiteralValue(), "The base of logarithmic distributions: a number or `e`.")


class GridSamplingAlgorithm(SamplingAlgorithm):
    noun = "grid sampling"

    type = constant("grid", "The algorithm.")


class BayesianSamplingAlgorithm(SamplingAlgorithm):
    noun = "Bayesian sampling"

    type = constant("bayesian", "The algorithm.")


SAMPLING: Shape[str | SamplingAlgorithm] = Enum("random", "grid", "bayesian") | TaggedNoun(
    SamplingAlgorithm,
    "type",
    {
        "random": "jobs.search_space:RandomSamplingAlgorithm",
        "grid": "jobs.search_space:GridSamplingAlgorithm",
        "bayesian": "jobs.search_space:BayesianSamplingAlgorithm",
    },
)


class Objective(Entity):
    noun = "an objective"
    _effect = KEPT

    goal = required(Enum("minimize", "maximize"), "Whether low or high values are sought.")
    primary_metric = required(Text(), "The metric that the trials log.")


class EarlyTerminationPolicy(Entity):
    noun = "an early termination policy"
    _effect = KEPT

    evaluation_interval = optional(Integer(at_least=0), "The number of metrics between two evaluations.")
    delay_evaluation = optional(Integer(at_least=0), "The number of evaluations to skip at first.")


class BanditPolicy(EarlyTerminationPolicy):
    noun = "a bandit policy"

    type = constant("bandit", "The policy.")
    slack_factor = optional(Number(), "The allowed distance from the best trial, as a ratio.")
    slack_amount = optional(Number(), "The same as an amount.")


class MedianStoppingPolicy(EarlyTerminationPolicy):
    noun = "a median stopping policy"

    type = constant("median_stopping", "The policy.")


class TruncationSelectionPolicy(EarlyTerminationPolicy):
    noun = "a truncation selection policy"

    type = constant("truncation_selection", "The policy.")
    truncation_percentage = required(
        Integer(at_least=1, at_most=99), "The percentage of trials that each evaluation ends."
    )
    exclude_finished_jobs = optional(Anything(), "Whether finished trials do not count.")


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
    _effect = KEPT

    max_total_trials = required(Integer(at_least=1), "Trials in all.")
    max_concurrent_trials = optional(Integer(at_least=1), "Trials at a time.")
    timeout = optional(Integer(at_least=0), "Seconds after which the sweep is ended.")
    trial_timeout = optional(Integer(at_least=0), "Seconds after which a trial is ended.")


class Sweep(Entity):
    """The fields that sweep jobs and steps share."""

    noun = "a sweep"
    _effect = KEPT

    search_space = optional(SEARCH_SPACE, "The search space, by name of input.")
    sampling_algorithm = optional(SAMPLING, "The sampling algorithm.")
    objective = required(Nested(Objective), "The objective.")
    early_termination = optional(EARLY_TERMINATION, "The policy of early termination.")
    limits = required(Nested(SweepJobLimits), "The limits on trials and time.")
