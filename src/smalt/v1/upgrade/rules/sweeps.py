"""HyperDrive: sweeps of a command."""

from __future__ import annotations

import ast
from typing import Any

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.rules.commands import build_command, count_assignments
from smalt.v1.upgrade.texts import make_call, make_name, quote
from smalt.v1.upgrade.values import UNKNOWN, Value

SWEEP = "azure.ai.ml.sweep"
_EXPRESSIONS = {
    "uniform": ("Uniform", ("min_value", "max_value")),
    "loguniform": ("LogUniform", ("min_value", "max_value")),
    "quniform": ("QUniform", ("min_value", "max_value", "q")),
    "qloguniform": ("QLogUniform", ("min_value", "max_value", "q")),
    "normal": ("Normal", ("mu", "sigma")),
    "lognormal": ("LogNormal", ("mu", "sigma")),
    "qnormal": ("QNormal", ("mu", "sigma", "q")),
    "qlognormal": ("QLogNormal", ("mu", "sigma", "q")),
    "randint": ("Randint", ("upper",)),
}


@rule("choice", takes="*")
def _make_choice(call: Call) -> Value:
    values = list(call.arguments.values())
    single = values[0] if len(values) == 1 else None
    if single is not None and isinstance(single.node, ast.List | ast.Tuple):
        code = single.code if single.code.startswith("[") else f"list({single.code})"
    elif single is not None and single.constant is UNKNOWN:
        code = f"list({single.code})"
    else:
        code = "[" + ", ".join(value.code for value in values) + "]"
    first = (
        single.items[0].code
        if single is not None and single.items
        else (f"{code}[0]" if single is not None else values[0].code)
    )
    return call.make(f"{call.use(SWEEP, 'Choice')}(values={code})", "Expression", first=first)


@rule(*_EXPRESSIONS, takes="* **")
def _make_expression(call: Call) -> Value:
    name, parameters = _EXPRESSIONS[call.name]
    values = list(call.arguments.values())
    if len(values) != len(parameters):
        raise call.refuse(f"it takes {len(parameters)} values", spreads=True)
    arguments = [(key, value.code) for key, value in zip(parameters, values, strict=True)]
    return call.make(make_call(call.use(SWEEP, name), arguments), "Expression", first=values[0].code)


@rule(
    "RandomParameterSampling", "GridParameterSampling", "BayesianParameterSampling", takes="parameter_space properties"
)
def _make_sampling(call: Call) -> Value:
    space = call.require("parameter_space")
    node = space.node
    if isinstance(node, ast.Name):
        node = call.rewriter.memory.nodes.get(node.id)
    if not isinstance(node, ast.Dict) or not all(
        isinstance(key, ast.Constant) and isinstance(key.value, str) for key in node.keys
    ):
        raise call.refuse("the text does not tell its parameters", spreads=True)
    entries = {str(key.value): call.rewriter.read(value) for key, value in zip(node.keys, node.values, strict=True)}  # type: ignore[union-attr]
    call.rewriter.consume(space)
    algorithm = call.name.removesuffix("ParameterSampling").lower()
    return call.make("", "Sampling", entries=entries, algorithm=algorithm, dropped=True)


@rule("BanditPolicy", "MedianStoppingPolicy", "TruncationSelectionPolicy", "NoTerminationPolicy", takes="**")
def _make_policy(call: Call) -> Value:
    if any(name.startswith("*") for name in call.arguments):
        raise call.refuse("give its arguments by name", spreads=True)
    if call.name == "NoTerminationPolicy":
        return call.make("None", "Policy")
    return call.build(
        call.use(SWEEP, call.name), [(key, value.code) for key, value in call.arguments.items()], "Policy"
    )


@rule("PrimaryMetricGoal.MAXIMIZE", "PrimaryMetricGoal.MINIMIZE")
def _name_goal(call: Call) -> Value:
    return call.make('"Maximize"' if call.name.endswith("MAXIMIZE") else '"Minimize"')


def _repeat_command(call: Call, trial: Value, flags: dict[str, str], defaults: dict[str, str]) -> str:
    """Write the command once more, with the inputs that the sweep varies: the other one is submitted by itself."""
    node = trial.facts.get("node")
    if not isinstance(node, ast.Call):
        text = f"'{trial.code}' is also submitted by itself, without {', '.join(flags)}; make the sweep its own command"
        raise call.refuse(text, spreads=True)
    again = Call("ScriptRunConfig", node, call.rewriter, target=f"{trial.code}_sweep")
    again.arguments = call.rewriter.bind_arguments(node, again)
    if count_assignments(call, node) != trial.facts["counts"]:
        raise call.refuse(f"what '{trial.code}' is made of has changed since", spreads=True)
    code = build_command(again, flags, defaults).code
    call.rewriter.before.append(f"{again.target} = {code}")
    return again.target


@rule(
    "HyperDriveConfig",
    takes="hyperparameter_sampling primary_metric_name primary_metric_goal max_total_runs "
    "max_concurrent_runs max_duration_minutes policy estimator run_config resume_from "
    "resume_child_runs pipeline debug_flag custom_run_id",
)
def _make_sweep(call: Call) -> Value:
    call.check_no_others(
        "hyperparameter_sampling", "primary_metric_name", "primary_metric_goal", "max_total_runs",
        "max_concurrent_runs", "max_duration_minutes", "policy", "estimator", "run_config", "resume_from",
        "resume_child_runs",
    )  # fmt: skip
    trial, sampling = _find_parts(call)
    if call.get("resume_from") is not None or call.get("resume_child_runs") is not None:
        call.note("v2 has no warm start: this sweep begins without the earlier trials")
    entries: dict[str, Value] = sampling.facts["entries"]
    names = {flag: make_name(flag.lstrip("-").replace("-", "_")) for flag in entries}
    flags = {flag if flag.startswith("-") else f"--{flag}": name for flag, name in names.items()}
    later = call.rewriter.recall(trial.facts["node"]) if "node" in trial.facts else {}
    missing = [flag for flag in flags if flag not in trial.facts.get("flags", ())]
    defaults = {
        flag if flag.startswith("-") else f"--{flag}": value.facts.get("first", value.code)
        for flag, value in entries.items()
    }
    space = [(names[flag], value.code) for flag, value in entries.items()]
    facts: dict[str, Any] = {"trial": trial, "flags": flags, "defaults": defaults, "space": space}
    for one in (sampling, trial):
        call.rewriter.consume(one)
    if call.recall().get("in step"):
        return call.make("", "Sweep", settings=_write_settings(call, sampling), dropped=True, **facts)
    command = trial.code
    if missing and (later.get("submitted") or trial.facts.get("submitted")):
        command = _repeat_command(call, trial, flags, defaults)
    else:
        trial.facts["search"] = {**trial.facts.get("search", {}), **flags}
        trial.facts["defaults"] = defaults
    searched = make_call(command, space, call.indent, 20)
    held = "trial" if "trial" not in call.rewriter.imports.defined else f"{call.target}_trial"
    call.rewriter.before.append(f"{held} = {searched}")
    settings = _write_settings(call, sampling)
    return call.build(f"{held}.sweep", settings, "Sweep", settings=settings, **facts)


def _find_parts(call: Call) -> tuple[Value, Value]:
    """Return the script run that is tried and the sampling; refuse those that the text does not settle."""
    trial, sampling = call.get("run_config") or call.require("estimator"), call.require("hyperparameter_sampling")
    if trial.kind != "ScriptRunConfig" or not trial.variable or sampling.kind != "Sampling":
        raise call.refuse("the text does not tell its run_config or its sampling", spreads=True)
    if trial.facts.get("opaque"):
        raise call.refuse("its run_config is made in a function; write both in one place", spreads=True)
    if not call.rewriter.is_settled(trial) or not call.rewriter.is_settled(sampling):
        raise call.refuse("its run_config or its sampling depends on a condition", spreads=True)
    return trial, sampling


def _write_settings(call: Call, sampling: Value) -> list[tuple[str, str]]:
    """Return the arguments of a sweep."""
    call.rewriter.consume(sampling)
    arguments = [("sampling_algorithm", quote(sampling.facts["algorithm"]))]
    arguments += [
        ("primary_metric", call.require("primary_metric_name").code),
        ("goal", call.require("primary_metric_goal").code),
    ]
    for old, new in (("max_total_runs", "max_total_trials"), ("max_concurrent_runs", "max_concurrent_trials")):
        if call.get(old) is not None:
            arguments.append((new, call.arguments[old].code))
    minutes, policy = call.get("max_duration_minutes"), call.get("policy")
    if minutes is not None:
        arguments.append(
            ("timeout", str(minutes.constant * 60) if isinstance(minutes.constant, int) else f"({minutes.code}) * 60")
        )
    if policy is not None:
        arguments.append(("early_termination_policy", policy.code))
    return arguments
