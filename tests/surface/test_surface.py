"""The public surface of the official SDK is here, at the same places and with the same parameters."""

from __future__ import annotations

import enum
import inspect
from typing import Any

import pytest

from smalt.entities.schema.entity import Entity
from tests.surface.comparison import SURFACE, Difference, differences, found, method_differences

REFUSED = {
    "exceptions.KeywordError": "raised by smalt alone, which says the file and line of the program",
    "exceptions.MissingPositionalArgsError": "raised by smalt alone, which says the file and line of the program",
    "exceptions.MultipleValueError": "raised by smalt alone, which says the file and line of the program",
    "exceptions.ParamValueNotExistsError": "raised by smalt alone, which says the file and line of the program",
    "exceptions.TooManyPositionalArgsError": "raised by smalt alone, which says the file and line of the program",
    "exceptions.UnexpectedAttributeError": "raised by smalt alone, which says the file and line of the program",
    "exceptions.UnexpectedKeywordError": "raised by smalt alone, which says the file and line of the program",
    "exceptions.UnsupportedParameterKindError": "raised by smalt alone, which says the file and line of the program",
    "exceptions.UserErrorException": "raised by smalt alone, which says the file and line of the program",
    "automl.NlpFeaturizationSettings": "the same class as TabularFeaturizationSettings, as in YAML",
    "automl.NlpLimitSettings": "the same class as TabularLimitSettings, whose limits have no defaults",
    "load_capability_host": "raises a sentence: smalt has no capability hosts",
    "load_deployment_template": "raises a sentence: smalt has no deployment templates",
}
"""Names that are there, and called in another way, with the reason; constructors of `operations` are private."""

NAMES = 513
SAME = 500
"""How many are there, and how many of them are called in the same way: to be raised as more are."""


def _all_differences() -> list[Difference]:
    return [difference for name in SURFACE for difference in differences(name)]


def test_every_name_is_there() -> None:
    """At the place where programs import it from."""
    missing = []
    for name in SURFACE:
        try:
            found(name)
        except (ImportError, AttributeError):
            missing.append(name)
    assert not missing
    assert len(SURFACE) == NAMES


def test_they_are_called_in_the_same_way() -> None:
    """Order, names, defaults, and what is by name only; also the values of constants. Prints the share."""
    other = {difference.name: difference for difference in _all_differences()}
    uses = {name: official.get("uses", 0) for name, official in SURFACE.items()}
    same = len(SURFACE) - len(other)
    weighted = 1 - sum(uses[name] for name in other) / sum(uses.values())
    unexplained = [str(difference) for name, difference in other.items() if name not in REFUSED]
    print(f"\n{len(SURFACE)} names; {same} as in the official SDK ({same / len(SURFACE):.1%}; by use {weighted:.1%})")
    print("\n".join(f"  {difference[:300]}" for difference in unexplained))
    assert same >= SAME
    assert weighted >= 0.97
    assert set(REFUSED) <= set(other), "some are no longer called in another way"


def test_methods() -> None:
    """Those of the official classes: all; another is printed."""
    total = sum(len(official.get("methods", {})) for official in SURFACE.values())
    other = [difference for name in SURFACE for difference in method_differences(name)]
    print(f"\n{total} methods; {total - len(other)} as in the official SDK")
    print("\n".join(f"  {str(difference)[:200]}" for difference in other))
    assert total - len(other) >= METHODS


METHODS = 583


def test_attributes() -> None:
    """What programs read of a noun, whether or not it can be given; the few that smalt has not are these."""
    official = {name: each["properties"] for name, each in SURFACE.items() if "properties" in each}
    nouns = {name: found(name) for name in official}
    nouns = {name: noun for name, noun in nouns.items() if isinstance(noun, type) and issubclass(noun, Entity)}
    total = sum(len(official[name]) for name in nouns)
    missing = {
        name: {each for each in official[name] if not hasattr(noun.__new__(noun), each)} for name, noun in nouns.items()
    }
    print(f"\n{total} attributes of {len(nouns)} classes; {total - sum(map(len, missing.values()))} are there")
    assert {name: each for name, each in missing.items() if each} == WITHOUT


_TEMPLATE = "liveness_probe_initial_delay liveness_probe_period liveness_probe_timeout readiness_probe_initial_delay"
WITHOUT = {
    # only their special classes have a type
    **{f"entities.{name}": {"type"} for name in ("Job", "Deployment", "OnlineDeployment")},
    # their type is their class
    **{f"entities.{name}Schedule": {"type"} for name in ("", "Job", "ImportData", "Monitor")},
    # refused
    "entities.DeploymentTemplate": {
        *_TEMPLATE.split(), "readiness_probe_period", "readiness_probe_timeout", "request_timeout",
    },
    # of machines that smalt does not make
    "entities.VirtualMachineCompute": {"public_key_data"},
    "entities.ComputeStartStopSchedule": {"provisioning_state", "schedule_id"},
    "entities.AmlComputeNodeInfo": {"current_job_name"},
    "entities.ModelPackage": {"creation_context", "id"},
    # said in another place: `resources`, `task`, `specification`, `inputs`
    "entities.ModelBatchDeployment": {"instance_count"},
    "entities.PipelineComponentBatchDeployment": {"instance_count"},
    "entities.ParallelComponent": {"environment"},
    "entities.FeatureSet": {"path"},
    "entities.Command": {"parameters"},
    "entities.CustomModelFineTuningJob": {"inputs"},
}  # fmt: skip

TAKEN_FOR_NOTHING = {
    "entities.Component": {"yaml_str", "_schema"},  # of the official SDK's inside
}


@pytest.mark.parametrize("name", [name for name in SURFACE if name.rpartition(".")[0] in ("", "entities", "sweep")])
def test_what_a_noun_is_given_is_what_it_has(name: str) -> None:
    """Every parameter arrives, and reads back by its name."""
    noun = found(name)
    if not (isinstance(noun, type) and issubclass(noun, Entity)) or noun.__name__ == "EndpointAadToken":
        return
    official = inspect.signature(noun).parameters.values()
    named = [each for each in official if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)]
    needed = {each.name: _value(each) for each in named if each.default is each.empty}
    lost = []
    for each in named:
        made = noun(**{**needed, each.name: _value(each)})
        if getattr(made, each.name, None) != _value(each):
            lost.append(each.name)
    assert set(lost) == TAKEN_FOR_NOTHING.get(name, set())


def _value(parameter: inspect.Parameter) -> Any:
    return parameter.default if isinstance(parameter.default, (str, int)) and parameter.default else "value"


def test_positional_arguments() -> None:
    """Where the official constructor takes them; and a sentence where it does not."""
    from smalt.entities import CodeConfiguration, Environment, OnlineRequestSettings

    assert CodeConfiguration("src", "score.py").scoring_script == "score.py"
    assert OnlineRequestSettings(1, 2).request_timeout_ms == 2
    with pytest.raises(TypeError, match="Environment takes no arguments without a name, not 1"):
        Environment("name")
    with pytest.raises(TypeError, match="CodeConfiguration is given 'code' twice"):
        CodeConfiguration("src", code="src")


def test_defaults_are_set() -> None:
    """A program reads them from what it made; an enum's member is its word."""
    from smalt.constants import TimeZone
    from smalt.entities import AmlCompute, BatchEndpoint, CronTrigger, ManagedOnlineEndpoint

    assert AmlCompute(name="c").max_instances == 4
    assert (ManagedOnlineEndpoint(name="e").auth_mode, BatchEndpoint(name="e").auth_mode) == ("key", "aad_token")
    trigger = CronTrigger(expression="* * * * *", time_zone=TimeZone.UTC)
    assert trigger.to_dict()["time_zone"] == "UTC"
    assert not isinstance(trigger.time_zone, enum.Enum)
