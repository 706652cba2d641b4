"""A call, attribute or assignment of a v1 program, as the rules see it."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from smalt.v1.upgrade.texts import make_call
from smalt.v1.upgrade.values import UNKNOWN, NeedsPersonError, Value

if TYPE_CHECKING:
    from smalt.v1.upgrade.rewriter import Rewriter


_KINDS = {
    "Children": "Run.get_children",
    "ComputeConfiguration": "AmlCompute",
    "ComputeDict": "Workspace.compute_targets",
    "ComputeStatus": "ComputeTarget.get_status",
    "Consumption": "DatasetConsumptionConfig",
    "ContextRun": "Run",
    "ContextExperiment": "Run.experiment",
    "DataDict": "Workspace.datasets",
    "DatastoreDict": "Workspace.datastores",
    "EnvironmentDict": "Workspace.environments",
    "ModelDict": "Workspace.models",
    "Models": "Model.list",
    "ScriptInput": "Run.input_datasets",
    "ScriptInputs": "Run.input_datasets",
    "JobConfiguration": "ScriptRunConfig.run_config",
    "MlflowEntity": "Run.get_details",
    "MlflowRun": "Run",
    "Credential": "InteractiveLoginAuthentication",
    "EndpointDict": "Workspace.webservices",
    "EnvironmentBuild": "Environment.build",
    "ExperimentDict": "Workspace.experiments",
    "Frame": "Diabetes",
    "JobEntity": "Run.get_details",
    "JobOutput": "StepRun.get_output_data",
    "PipelineEndpoints": "PipelineEndpoint.list",
    "PipelineVersion": "PipelineEndpoint.list_versions",
    "PublishedPipelines": "PublishedPipeline.list",
    "Recurrence": "ScheduleRecurrence",
    "ReferenceText": "DataReference",
    "OutputData": "OutputFileDatasetConfig",
    "OutputLink": "OutputFileDatasetConfig",
    "RegisteredDataset": "Dataset",
    "Table": "TabularDataset",
}


def name_in_v1(name: str) -> str:
    """Return a name as SDK v1 has it; some kinds of values here have no class of their own there."""
    kind, _, rest = name.replace("[]", ".get").partition(".")
    return ".".join(filter(None, (_KINDS.get(kind, kind), rest)))


@dataclass(eq=False)
class Call:
    """One use of a v1 name: its arguments as values, the object in `base`, and the rewriter that it is a part of."""

    name: str
    node: ast.expr
    rewriter: Rewriter
    base: Value | None = None
    arguments: dict[str, Value] = field(default_factory=dict)
    target: str = ""
    """The variable that the result is assigned to."""

    def get(self, name: str) -> Value | None:
        """Return an argument; None if it is not given, or given as None."""
        found = self.arguments.get(name)
        return None if found is None or found.constant is None else found

    def require(self, name: str) -> Value:
        found = self.arguments.get(name)
        if found is None:
            raise self.refuse(f"{self.name} is called without '{name}'")
        return found

    @property
    def object(self) -> Value:
        assert self.base is not None
        return self.base

    @property
    def indent(self) -> str:
        return self.rewriter.indent

    @property
    def prefix(self) -> int:
        """The length of what stands before the call on its line."""
        return len(self.target) + 3 if self.target else 0

    def use(self, module: str, name: str) -> str:
        """Return what a name of v2 is called in the program, and have it imported."""
        return self.rewriter.use(module, name)

    def entity(self, name: str) -> str:
        return self.use("azure.ai.ml.entities", name)

    @property
    def client(self) -> str:
        return self.rewriter.find_client(self)

    def note(self, differs: str = "") -> None:
        """Record that this use is changed, and what is not quite the same then."""
        self.rewriter.note(self.node, name_in_v1(self.name), differs)

    def refuse(self, sentence: str, *, spreads: bool = False) -> NeedsPersonError:
        return NeedsPersonError(sentence, name_in_v1(self.name), self.node, spreads)

    def make(self, code: str, kind: str = "", /, *, differs: str = "", **facts: Any) -> Value:
        """Return the result, with the facts that later uses need, and record the change."""
        self.note(differs)
        return Value(code, kind, facts, changed=True, node=self.node)

    def build(
        self, function: str, arguments: list[tuple[str, str]], kind: str, /, *, differs: str = "", **facts: Any
    ) -> Value:
        """Return the result of a call with these arguments."""
        return self.make(make_call(function, arguments, self.indent, self.prefix), kind, differs=differs, **facts)

    def recall(self) -> dict[str, Any]:
        """Return the facts that the program's later lines added to this object, as the last pass found them."""
        return self.rewriter.recall(self.node)

    def check_no_others(self, *known: str, why: str = "has no counterpart in v2") -> None:
        """Refuse arguments beyond the known ones; None, False and empty ones say nothing."""
        for name, value in self.arguments.items():
            if name not in known and (value.constant is UNKNOWN or value.constant) and not name.startswith("_"):
                raise self.refuse(f"its argument '{name}' {why}", spreads=True)
