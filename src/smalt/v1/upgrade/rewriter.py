"""One pass over a v1 program: reads what its expressions stand for, and notes the edits that make it v2."""

from __future__ import annotations

import ast
import builtins
from typing import Any

from smalt.v1.upgrade.calls import Call, name_in_v1
from smalt.v1.upgrade.findings import Finding
from smalt.v1.upgrade.imports import ImportTable
from smalt.v1.upgrade.memory import Memory
from smalt.v1.upgrade.methods import check_method
from smalt.v1.upgrade.rules import PARAMETERS, load_rules
from smalt.v1.upgrade.source import Edit, Source
from smalt.v1.upgrade.values import UNKNOWN, NeedsPersonError, Scope, Value

CLASSES = {
    "Workspace": ("azure.ai.ml", "MLClient"),
    "ComputeTargetException": ("azure.core.exceptions", "ResourceNotFoundError"),
    "ComputeTarget": ("azure.ai.ml.entities", "Compute"),
    "Run": ("azure.ai.ml.entities", "Job"),
    "Experiment": ("", "str"),
    **{
        name: ("azure.ai.ml.entities", name)
        for name in ("AmlCompute", "ComputeInstance", "Environment", "Datastore", "Model")
    },
}
"""v1 classes that a program names without calling them: in annotations, `except` and `isinstance`."""
DOUBLE = frozenset({"Workspace", "Experiment"})
"""Kinds whose v1 object may stand beside the v2 one, under its own name."""
_RUNS = ("PipelineRun", "AutoMLRun", "HyperDriveRun", "StepRun")
BOUND = frozenset(
    (
        "Step", "OutputData", "OutputLink", "PipelineParameter", "Pipeline", "StepSequence",
        "ParallelRunConfig", "RunConfiguration", "Sampling", "Sweep", "DataPathComputeBinding",
        "Module", "ModuleVersion", "NotebookRunConfig", "TrainingOutput",
    )
)  # fmt: skip
"""Kinds that mean nothing without each other: if one of a pipeline's parts stays v1, all of them do."""
PASSED = frozenset(
    (
        "Workspace", "Experiment", "ComputeTarget", "Environment", "Datastore", "Run", "PipelineRun",
        "HyperDriveRun", "AutoMLRun", "Model", "RegisteredDataset", "Credential", "ScriptRunConfig",
        "Pipeline", "AutoMLConfig", "Sweep",
    )
)  # fmt: skip
"""Kinds that a function of the program may get or return: the object itself is all that is needed of them."""
_HARMLESS = frozenset(dir(builtins))
_COLLECTING = frozenset(("append", "format", "add", "insert"))
"""Methods that only keep or print what they get."""
MAPPING = "**mapping"
"""Among the parameters of a call that may get arguments of which the text does not tell the names."""
LITERALS = (str, int, float, bool, type(None))


class Rewriter:
    """Reads expressions; `memory` has what the last pass knew of the program's later lines."""

    def __init__(self, source: Source, imports: ImportTable, memory: Memory) -> None:
        self.source = source
        self.imports = imports
        self.memory = memory
        self.rules = load_rules()
        self.scope = Scope("", None, source.tree.body)
        self.edits: list[Edit] = []
        self.findings: list[Finding] = []
        self.uses: list[tuple[int, str, str]] = []
        """Names of v2 that are used: the offset of the use, the module, the name."""
        self.before: list[str] = []
        self.after: list[str] = []
        self.indent = ""
        self.statement: ast.stmt | None = None
        self.consumed: set[int] = set()
        """Variables' uses that are no longer in the program, by their node."""
        self.target = ""
        self.assigned: ast.expr | None = None
        """The expression that the statement assigns to `target`."""
        self.loops: list[ast.stmt] = []
        self.kept: set[tuple[str, str]] = set()
        self.kept_names: set[str] = set()
        self.block = 0
        """The block of statements that this one is in."""

    # What the rules call

    def use(self, module: str, name: str) -> str:
        assert self.statement is not None
        if not name and module in self.imports.defined:
            text = f"the program has a '{module}' of its own; give that another name first"
            raise NeedsPersonError(text, module)
        self.uses.append((self.source.get_span(self.statement)[0], module, name))
        return self.imports.choose_local_name(module, name, self.memory.kept_names)

    def note(self, node: ast.expr, name: str, differs: str = "") -> None:
        state = "differs" if differs else "changed"
        self.findings.append(Finding(node.lineno, node.col_offset + 1, name, state, differs))  # type: ignore[arg-type]

    def find_client(self, call: Call) -> str:
        """Return the program's MLClient; the only one, where the v1 code named none."""
        named = call.get("workspace") or call.base
        if named is not None and named.kind == "Workspace":
            return named.code
        scope: Scope | None = self.scope
        while scope is not None:
            for value in reversed(scope.values.values()):
                if value.kind == "Workspace":
                    if named is not None and named.kind != "Workspace" and call.get("workspace") is not None:
                        text = f"'{named.code}' is not a workspace that this program makes; '{value.code}' is used"
                        self.note(call.node, call.name, text)
                    return value.code
            scope = scope.parent
        raise call.refuse("the program does not say here which workspace it is in", spreads=True)

    def recall(self, node: ast.expr) -> dict[str, Any]:
        return self.memory.facts.get(id(node), {})

    def is_settled(self, value: Value) -> bool:
        return not value.variable or self.scope.is_settled(value.variable)

    def is_straight(self, value: Value) -> bool:
        """Return True if this statement is in the block that made the object, so that it happens whenever that does."""
        return value.facts.get("block") == self.block and self.is_settled(value)

    def count_uses(self, value: Value) -> int:
        """Return how often the program reads the variable of a value."""
        nodes = (one for one in ast.walk(self.source.tree) if isinstance(one, ast.Name | ast.Attribute))
        return sum(1 for one in nodes if isinstance(one.ctx, ast.Load) and ast.unparse(one) == value.variable)

    def is_whole(self, node: ast.expr) -> bool:
        """Return True if an expression is a statement of its own."""
        return isinstance(self.statement, ast.Expr) and self.statement.value is node

    def find_counter(self) -> str:
        """Return the variable that counts the innermost loop; empty outside of loops that count."""
        match self.loops[-1] if self.loops else None:
            case ast.For(target=ast.Name(id=name), iter=ast.Call(func=ast.Name(id="range"))):
                return name
            case ast.For(target=ast.Tuple(elts=[ast.Name(id=name), *_]), iter=ast.Call(func=ast.Name(id="enumerate"))):
                return name
        return ""

    def keep_names(self, node: ast.AST) -> None:
        """Keep the imports and the v1 objects that a piece of v1 code uses."""
        for one in ast.walk(node):
            if not isinstance(one, ast.Name):
                continue
            if self.imports.is_imported(one.id) and self.scope.find(one.id) is None:
                self.kept_names.add(one.id)
            found = self.scope.find(one.id)
            if found is not None and found.kind in DOUBLE and isinstance(one.ctx, ast.Load):
                self.kept.add((self.find_scope_name(one.id), one.id))

    def find_scope_name(self, variable: str) -> str:
        scope: Scope | None = self.scope
        while scope is not None and variable not in scope.values:
            scope = scope.parent
        return scope.name if scope is not None else ""

    def set_tracking_uri(self, call: Call) -> None:
        """Lead MLflow to the workspace, before its first use in this function or program."""
        if self.scope.find("mlflow tracking uri") is None and "mlflow.set_tracking_uri" not in self.source.text:
            client = self.find_client(call)
            uri = f"{client}.workspaces.get({client}.workspace_name).mlflow_tracking_uri"
            self.before.append(f"mlflow.set_tracking_uri({uri})")
            self.scope.bind("mlflow tracking uri", Value(uri))

    def consume(self, value: Value | None) -> None:
        """Note that the variable in this place is not written in the v2 program."""
        if value is not None and value.node is not None:
            for inner in ast.walk(value.node):
                self.consumed.add(id(inner))

    def check(self, value: Value) -> None:
        """Raise NeedsPersonError if a value is a v1 name that no rule knows, or a class where no class is expected."""
        if value.kind != "v1":
            return
        name = value.facts["name"]
        if name in CLASSES:
            module, local = CLASSES[name]
            value.code, value.kind, value.changed = self.use(module, local) if module else local, "", True
            return
        raise NeedsPersonError(_describe_unknown(name), name, value.node)

    # Reading expressions

    def read(self, node: ast.expr) -> Value:
        """Return the value of an expression."""
        match node:
            case ast.Constant() if isinstance(node.value, LITERALS):
                return Value(self.source.get_text(node), constant=node.value, node=node)
            case ast.Name() | ast.Attribute():
                return self._read_name(node)
            case ast.Call():
                return self._read_call(node)
            case ast.Subscript():
                return self._read_subscript(node)
            case ast.List() | ast.Tuple():
                return self._read_list(node)
            case ast.JoinedStr():
                return self._read_joined(node)
            case ast.BinOp(op=ast.Add()):
                return self._read_sum(node)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return Value(self.source.get_text(node), constant=-number, node=node)
        return self._read_others(node)

    def _read_joined(self, node: ast.JoinedStr) -> Value:
        """Return an f-string with the changes in its expressions, whose quotes must not end the text."""
        edits: list[Edit] = []
        for part in ast.walk(node):
            if not isinstance(part, ast.FormattedValue):
                continue
            value = self.read(part.value)
            self.check(value)
            if not value.changed:
                continue
            if not self._is_exact(part.value):
                raise NeedsPersonError("it is in an f-string; give it a variable of its own before", node=node)
            edits.append(Edit(*self.source.get_span(part.value), self._quote_within(node, value.code)))
        return self._splice_edits(node, edits)

    def _is_exact(self, node: ast.expr) -> bool:
        """Return True if the tree tells where an expression in an f-string is; before Python 3.12 it may not."""
        try:
            found = ast.parse(self.source.get_text(node).strip(), mode="eval").body
        except SyntaxError:
            return False
        return ast.dump(found) == ast.dump(node)

    def _quote_within(self, node: ast.JoinedStr, code: str) -> str:
        """Return code for an f-string, in which Python before 3.12 allows neither its own quotes nor a backslash."""
        text = self.source.get_text(node).lstrip("rRfFbBuU")
        quote = text[:1]
        if quote in code:
            other = "'" if quote == '"' else '"'
            if other in code:
                raise NeedsPersonError("it is in an f-string; give it a variable of its own before", node=node)
            code = code.replace(quote, other)
        if "\n" in code or "\\" in code:
            raise NeedsPersonError("it is in an f-string; give it a variable of its own before", node=node)
        return code

    def _read_others(self, node: ast.expr) -> Value:
        """Return any other expression, with the changes in its parts."""
        edits: list[Edit] = []
        self._collect_edits(node, edits)
        return self._splice_edits(node, edits)

    def _collect_edits(self, node: ast.AST, edits: list[Edit]) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                value = self.read(child)
                self.check(value)
                if value.changed and not value.code:
                    text = value.facts.get("why") or "v2 has no object for it"
                    raise NeedsPersonError(text, name_in_v1(value.kind), child)
                if value.changed:
                    edits.append(Edit(*self.source.get_span(child), value.code))
            else:
                self._collect_edits(child, edits)

    def _splice_edits(self, node: ast.expr, edits: list[Edit], **rest: Any) -> Value:
        start, end = self.source.get_span(node)
        text, position = "", start
        for edit in sorted(edits):
            text += self.source.text[position : edit.start] + edit.text
            position = edit.end
        return Value(text + self.source.text[position:end], changed=bool(edits), node=node, is_spliced=True, **rest)

    def _read_list(self, node: ast.List | ast.Tuple) -> Value:
        items = [self.read(one) for one in node.elts]
        for item in items:
            self.check(item)
        edits = [
            Edit(*self.source.get_span(one), value.code)
            for one, value in zip(node.elts, items, strict=True)
            if value.changed
        ]
        known = all(item.constant is not UNKNOWN for item in items) and not any(
            isinstance(one, ast.Starred) for one in node.elts
        )
        whole: Any = [item.constant for item in items] if known else UNKNOWN
        listed = None if any(isinstance(one, ast.Starred) for one in node.elts) else items
        return self._splice_edits(node, edits, items=listed, constant=whole)

    def _read_sum(self, node: ast.BinOp) -> Value:
        left, right = self.read(node.left), self.read(node.right)
        edits = [
            Edit(*self.source.get_span(one), value.code)
            for one, value in ((node.left, left), (node.right, right))
            if value.changed
        ]
        if left.items is not None and right.items is not None:
            return self._splice_edits(node, edits, items=[*left.items, *right.items])
        if left.is_text and right.is_text:
            return self._splice_edits(node, edits, constant=left.constant + right.constant)
        return self._splice_edits(node, edits)

    def _read_name(self, node: ast.Name | ast.Attribute) -> Value:
        text = ast.unparse(node)
        found = self.scope.find(text)
        if found is not None:
            settled = self.scope.is_settled(text) and text not in self.memory.mutated
            return Value(
                found.code, found.kind, found.facts, found.constant if settled else UNKNOWN,
                found.items if settled else None, text, found.code != text, node,
            )  # fmt: skip
        name = self.imports.resolve(text)
        if name is not None:
            rule = self.rules.get(name)
            if rule is not None and name not in PARAMETERS:
                return rule(Call(name, node, self))
            return Value(text, "v1", {"name": name}, node=node)
        if isinstance(node, ast.Attribute):
            return self._read_attribute(node)
        return Value(text, node=node)

    def _read_attribute(self, node: ast.Attribute) -> Value:
        base = self.read(node.value)
        if base.kind == "v1":
            return Value(self.source.get_text(node), "v1", {"name": f"{base.facts['name']}.{node.attr}"}, node=node)
        if base.kind == "left":
            return Value(self.source.get_text(node), "left", base.facts, node=node)
        if base.kind:
            name = f"{base.kind}.{node.attr}"
            rule = self.rules.get(name)
            if rule is not None and name not in PARAMETERS:
                return rule(Call(name, node, self, base, target=self._get_target(node)))
            return Value(self.source.get_text(node), "v1", {"name": name, "base": base}, node=node)
        edits = [Edit(*self.source.get_span(node.value), base.code)] if base.changed else []
        return self._splice_edits(node, edits)

    def _read_subscript(self, node: ast.Subscript) -> Value:
        base = self.read(node.value)
        rule = self.rules.get(f"{base.kind}[]") if base.kind else None
        if rule is not None:
            return rule(Call(f"{base.kind}[]", node, self, base, {"key": self.read(node.slice)}))
        found = self._read_others(node)
        if base.items is not None and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
            place = node.slice.value
            if -len(base.items) <= place < len(base.items):
                found.constant = base.items[place].constant
        return found

    def _read_call(self, node: ast.Call) -> Value:
        function = self._read_function(node.func)
        if function.kind == "v1":
            return self._apply_rule(node, function)
        if function.kind == "left":
            raise NeedsPersonError(
                f"'{ast.unparse(node.func).split('.')[0]}' is still SDK v1's", node=node, follows=True
            )
        if isinstance(node.func, ast.Name) and node.func.id in self.memory.functions:
            return self._read_own_call(node)
        if isinstance(node.func, ast.Name) and node.func.id == "str" and len(node.args) == 1:
            return self._read_text_of(node)
        if isinstance(node.func, ast.Attribute):
            given = [self.scope.find(one.id) for one in node.args if isinstance(one, ast.Name)]
            check_method(node, node.func, {one.kind for one in given if one is not None})
        self._note_passed(node)
        return self._read_others(node)

    def _read_text_of(self, node: ast.Call) -> Value:
        """Return `str(…)`; of data that an argument names, it is the data itself."""
        value, inner = self._read_others(node), self.read(node.args[0])
        if inner.kind in ("DataReference", "Dataset"):
            value.kind, value.facts = "ReferenceText", {"data": inner}
        return value

    def _note_passed(self, node: ast.Call) -> None:
        """Say that a function of another file gets an object that is v2's by now."""
        name = ast.unparse(node.func)
        if name in _HARMLESS or not name.replace(".", "").isidentifier() or name.rpartition(".")[2] in _COLLECTING:
            return
        given = [
            one for one in (*node.args, *(keyword.value for keyword in node.keywords)) if isinstance(one, ast.Name)
        ]
        found = [one.id for one in given if getattr(self.scope.find(one.id), "kind", "") in PASSED]
        if found:
            words = " and ".join(f"'{one}'" for one in found)
            self.note(node, name[:60], f"it gets {words}, of v2 by now; look whether it is written for that")

    def _read_function(self, node: ast.expr) -> Value:
        """Return what is called; a method that has a rule is a name, not the value of an attribute."""
        if isinstance(node, ast.Attribute) and self.scope.find(ast.unparse(node)) is None:
            if self.imports.resolve(ast.unparse(node)) is not None:
                return Value("", "v1", {"name": self.imports.resolve(ast.unparse(node))}, node=node)
            base = self.read(node.value)
            if base.kind == "v1":
                return Value("", "v1", {"name": f"{base.facts['name']}.{node.attr}"}, node=node)
            if base.kind == "left":
                return Value("", "left", base.facts, node=node)
            if base.kind:
                return Value("", "v1", {"name": f"{base.kind}.{node.attr}", "base": base}, node=node)
            return Value("", node=node)
        return self.read(node)

    def _get_target(self, node: ast.expr) -> str:
        """Return the variable that an expression is assigned to, whole."""
        return self.target if node is self.assigned else ""

    def _apply_rule(self, node: ast.Call, function: Value) -> Value:
        name = function.facts["name"]
        rule = self.rules.get(name)
        call = Call(name, node, self, function.facts.get("base"), target=self._get_target(node))
        if rule is None:
            for one in (*node.args, *(keyword.value for keyword in node.keywords)):
                self.read(one)
            raise call.refuse(_describe_unknown(name), spreads=name[:1].isupper() and "." not in name)
        call.arguments = self.bind_arguments(node, call)
        return rule(call)

    def bind_arguments(self, node: ast.Call, call: Call) -> dict[str, Value]:
        parameters = PARAMETERS.get(call.name, ())
        if any(isinstance(one, ast.Starred) for one in node.args):
            raise call.refuse(
                "its arguments are given by * or **, so the text does not say which they are", spreads=True
            )
        if len(node.args) > len(parameters) and "*" not in parameters:
            raise call.refuse(f"it takes {len(parameters)} arguments, and {len(node.args)} are given", spreads=True)
        found: dict[str, Value] = {}
        for index, one in enumerate(node.args):
            found[parameters[index] if index < len(parameters) and parameters[index] != "*" else f"*{index}"] = (
                self.read(one)
            )
        for keyword in node.keywords:
            if keyword.arg is None and MAPPING in parameters:
                found[MAPPING] = self.read(keyword.value)
                continue
            if keyword.arg is None:
                found.update(self._expand_dictionary(keyword.value, call))
                continue
            if keyword.arg not in parameters and "**" not in parameters:
                raise call.refuse(f"it has no argument '{keyword.arg}'", spreads=True)
            found[keyword.arg] = self.read(keyword.value)
        for value in found.values():
            self.check(value)
        left = next((value for value in found.values() if value.kind == "left"), None)
        if left is not None:
            raise call.refuse(f"it uses '{left.code}', which is still SDK v1's", spreads=True)
        return found

    def _expand_dictionary(self, node: ast.expr, call: Call) -> dict[str, Value]:
        """Return the arguments that `**settings` stands for, where the text tells the keys of the dictionary."""
        written = self.memory.nodes.get(node.id) if isinstance(node, ast.Name) else node
        if not isinstance(written, ast.Dict) or not all(isinstance(key, ast.Constant) for key in written.keys):
            raise call.refuse("the text does not tell the arguments that it gets by **", spreads=True)
        found = {}
        for key, value in zip(written.keys, written.values, strict=True):
            name = str(key.value)  # type: ignore[union-attr]
            read = self.read(value)
            if isinstance(node, ast.Name) and not isinstance(value, ast.Constant):
                read.code = f'{node.id}["{name}"]'
            found[name] = read
        return found

    def _read_own_call(self, node: ast.Call) -> Value:
        """Return a call of a function of the program, or of any other library."""
        value = self._read_others(node)
        name = ast.unparse(node.func)
        own = self.memory.functions.get(name)
        if own is None:
            return value
        given = {
            own.args.args[index].arg: self.read(one)
            for index, one in enumerate(node.args)
            if index < len(own.args.args)
        }
        given |= {one.arg: self.read(one.value) for one in node.keywords if one.arg is not None}
        self.memory.note_call(name, given)
        part = next((one for one in given.values() if one.kind in BOUND and one.kind != "Pipeline"), None)
        if part is not None:
            text = f"the function '{name}' gets '{part.code}', a part of a pipeline; write the pipeline in one place"
            raise NeedsPersonError(text, name, node, spreads=True)
        returned = self.memory.returned.get(name)
        if returned in PASSED:
            value.kind, value.facts = str(returned), {"opaque": True}
        return value


def _describe_unknown(name: str) -> str:
    """Return why a v1 name stays: what the mapping says of it."""
    from smalt.v1.mapping import find_nearest_row, find_row

    name = name_in_v1(name)
    kind, _, member = name.partition(".")
    row = find_row(name) or (find_row(f"Run.{member}") if kind in _RUNS else None)
    if row is not None:
        return row.differs or f"write {row.v2}"
    nearest = find_nearest_row(name)
    if nearest is not None and nearest.v2 not in ("", "none"):
        return f"v2 has no '{name}'; in v2 '{nearest.name}' is {nearest.v2}"
    return nearest.differs if nearest is not None and nearest.differs else "v2 has nothing for it"
