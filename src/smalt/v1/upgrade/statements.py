"""The statements of a v1 program: each is rewritten whole, or left as it is with a reason."""

from __future__ import annotations

import ast
import re

from smalt.v1.upgrade.calls import Call, name_in_v1
from smalt.v1.upgrade.findings import TODO, Finding
from smalt.v1.upgrade.rewriter import BOUND, DOUBLE, PASSED, Rewriter
from smalt.v1.upgrade.source import Edit
from smalt.v1.upgrade.values import UNKNOWN, NeedsPersonError, Scope, Value, list_targets

BUILT = BOUND | frozenset(
    (
        "ScriptRunConfig", "JobConfiguration", "Environment", "CondaDependencies", "AutoMLConfig",
        "ComputeConfiguration", "Distribution", "ForecastingParameters", "Dataset", "Consumption",
    )
)  # fmt: skip
"""Kinds that a program changes before it uses them: a change that cannot be rewritten keeps the object v1's."""
SHARED = frozenset(("Dataset", "RegisteredDataset", "Table", "ComputeTarget", "Environment", "Datastore"))
"""Kinds that lines for a person may use after they have become v2's."""


class StatementRewriter(Rewriter):
    """Goes over the statements in their order."""

    def rewrite_program(self) -> None:
        self.rewrite_body(self.source.tree.body)
        self._note_dropped()

    def rewrite_body(self, body: list[ast.stmt], is_inner: bool = False) -> None:
        outer, self.block = self.block, id(body)
        removed = [self.rewrite_statement(statement) for statement in body]
        self.block = outer
        if is_inner and body and all(removed):
            start, end = self.source.find_statement_lines(body[0])
            self.edits = [edit for edit in self.edits if not start <= edit.start < end or edit.text]
            self.edits.append(Edit(start, end, " " * body[0].col_offset + "pass\n"))

    def rewrite_statement(self, statement: ast.stmt) -> bool:
        """Rewrite a statement; return True if nothing is left of it."""
        marks = len(self.edits), len(self.uses), len(self.findings)
        self.statement, self.indent = statement, " " * statement.col_offset
        self.before, self.after, self.target = [], [], ""
        try:
            is_gone = self._rewrite_statement(statement)
            self._insert_around(statement)
            return is_gone
        except NeedsPersonError as problem:
            del self.edits[marks[0] :], self.uses[marks[1] :], self.findings[marks[2] :]
            self._leave_statement(statement, problem)
            return False

    def _rewrite_statement(self, statement: ast.stmt) -> bool:
        match statement:
            case ast.Import() | ast.ImportFrom():
                return False
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._rewrite_function(statement)
            case ast.ClassDef():
                self._open_scope(statement.name, statement.body, is_class=True)
            case ast.Assign(targets=[ast.Name() | ast.Attribute() as target]):
                return self._rewrite_assignment(statement, target, statement.value)
            case ast.AnnAssign(target=ast.Name() as target) if statement.value is not None:
                return self._rewrite_assignment(statement, target, statement.value)
            case ast.Assign(targets=[ast.Tuple() as target]):
                self._rewrite_unpacking(statement, target)
            case ast.Assign(targets=[ast.Subscript() as target]) | ast.AugAssign(target=ast.Subscript() as target):
                self._edit_expression(target.value, self.read_settled(target.value))
                self._rewrite_parts(statement)
            case ast.Expr():
                return self._rewrite_expression(statement)
            case ast.If() | ast.While() | ast.For() | ast.AsyncFor() | ast.With() | ast.AsyncWith() | ast.Try():
                self._rewrite_compound(statement)
            case ast.Return() if statement.value is not None:
                value = self.read_settled(statement.value)
                self._check_returned(value)
                self.scope.returned.append(value)
                self._edit_expression(statement.value, value)
            case _:
                self._rewrite_parts(statement)
        return False

    # What each statement becomes

    def _rewrite_assignment(self, statement: ast.stmt, target: ast.expr, node: ast.expr) -> bool:
        name = ast.unparse(target)
        if isinstance(target, ast.Attribute):
            base = self.read(target.value)
            if base.kind and base.kind not in ("v1", "left"):
                return self._apply_setter(statement, f"{base.kind}.{target.attr}=", base, node)
            _check_has_counterpart(base, target, node)
        self._check_may_change(name, node)
        self.target, self.assigned = name, node
        value = self.read_settled(node)
        self.target, self.assigned = "", None
        bound = value.facts.get("bound", name) if value.changed or value.kind else name
        self._remember_facts(node, value)
        kept = (self.scope.name, name) in self.memory.kept
        self._bind_name(name, value, bound)
        if value.facts.get("dropped") or (name in self.memory.dropped and _is_droppable(value)):
            if kept:
                self.keep_names(statement)
                return False
            return self._replace_statement(statement, None)
        if not value.changed and not self.before and not self.after:
            return False
        if value.is_spliced and bound == name and not kept:
            return self._edit_within(statement, node, value)
        text = f"{bound} = {_close_lines(value.code)}"
        if kept:
            text += f"\n{self.indent}{self.source.get_text(statement)}"
            self.keep_names(statement)
        return self._replace_statement(statement, text)

    def _check_may_change(self, name: str, node: ast.expr) -> None:
        """Raise NeedsPersonError if an earlier pass left the name as it is."""
        reason = self.memory.left.get((self.scope.name, name))
        if reason is not None:
            text = f"it stays as it is because of what uses it: {reason}"
            follows = (self.scope.name, name) not in self.memory.told
            raise NeedsPersonError(text, self._name_call(node), node, spreads=True, follows=follows)

    def _bind_name(self, name: str, value: Value, bound: str) -> None:
        if value.changed:
            value.facts.setdefault("block", self.block)
        stored = Value(bound, value.kind, value.facts, value.constant, value.items, name, bound != name, value.node)
        self.scope.bind(name, stored)
        self.scope.blocks[name] = self.block

    def _remember_facts(self, node: ast.expr, value: Value) -> None:
        """Keep the facts of what an expression made for the next pass, in which they are known from the start."""
        self.memory.found[id(value.node or node)] = value.facts

    def _apply_setter(self, statement: ast.stmt, name: str, base: Value, node: ast.expr) -> bool:
        rule = self.rules.get(name)
        if rule is None:
            raise NeedsPersonError(
                f"v2 has no '{name.rstrip('=')}'", name.rstrip("="), node, spreads=base.kind in BOUND
            )
        if base.variable and (self.scope.name, base.variable) in self.memory.left:
            raise NeedsPersonError("it is still SDK v1's", name.rstrip("="), node, spreads=True, follows=True)
        value = self.read_settled(node)
        call = Call(name.rstrip("="), node, self, base, {"value": value})
        return self._replace_statement(statement, rule(call).code or None)

    def _rewrite_unpacking(self, statement: ast.Assign, target: ast.Tuple) -> None:
        value = self.read_settled(statement.value)
        kinds = value.facts.get("parts", [""] * len(target.elts))
        for one, kind in zip(target.elts, kinds, strict=False):
            self.scope.bind(ast.unparse(one), Value(ast.unparse(one), kind))
        self._edit_expression(statement.value, value)

    def _rewrite_expression(self, statement: ast.Expr) -> bool:
        if isinstance(statement.value, ast.Constant):
            return False
        if self._extend_list(statement.value):
            extended = ast.unparse(statement.value.func.value)  # type: ignore[attr-defined]
            return extended in self.memory.dropped and self._replace_statement(statement, None)
        value = self.read_settled(statement.value)
        self._remember_facts(statement.value, value)
        if value.changed and value.facts.get("dropped"):
            return self._replace_statement(statement, None)
        if value.is_spliced:
            return self._edit_within(statement, statement.value, value)
        if value.changed or self.before or self.after:
            return self._replace_statement(statement, _close_lines(value.code))
        return False

    def _extend_list(self, node: ast.expr) -> bool:
        """Follow `steps.append(step)`; return True if it is one, of a list that the text tells."""
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[one]):
                held = self.scope.values.get(name)
                if held is None or held.items is None or not self.scope.is_settled(name):
                    return False
                if self.scope.blocks.get(name) != self.block or name in self.memory.mutated:
                    held.items, held.constant = None, UNKNOWN
                    return False
                value = self.read_settled(one)
                if not value.kind or value.changed:
                    held.items = None if held.items is None or value.changed else [*held.items, value]
                    return False
                held.items = [*held.items, value]
                held.constant = UNKNOWN
                self.consumed.add(id(node.func.value))  # type: ignore[attr-defined]
                self.consume(value)
                return True
        return False

    def _rewrite_compound(self, statement: ast.stmt) -> None:
        for name in ("test", "iter"):
            node = getattr(statement, name, None)
            if node is not None:
                self._edit_header(statement, node)
        for item in getattr(statement, "items", []):
            value = self._edit_header(statement, item.context_expr)
            if value is not None and value.kind and isinstance(item.optional_vars, ast.Name):
                self._bind_name(item.optional_vars.id, value, item.optional_vars.id)
        if isinstance(statement, ast.For | ast.AsyncFor):
            kind = self.read(statement.iter).facts.get("element", "")
            for one in ast.walk(statement.target):
                if isinstance(one, ast.Name):
                    self.scope.bind(one.id, Value(one.id, kind if one is statement.target else "", {"in loop": True}))
        is_loop = isinstance(statement, ast.For | ast.AsyncFor | ast.While)
        self.loops += [statement] if is_loop else []
        self.rewrite_body(statement.body, True)  # type: ignore[attr-defined]
        if is_loop:
            self.loops.pop()
        for handler in getattr(statement, "handlers", []):
            if handler.type is not None and not self._holds_left(statement):
                self.statement = statement
                self._edit_header(statement, handler.type)
            elif handler.type is not None:
                self.keep_names(handler.type)
            self.rewrite_body(handler.body, True)
        for name in ("orelse", "finalbody"):
            self.rewrite_body(getattr(statement, name, []), not _is_elif(statement, name))

    def _holds_left(self, statement: ast.stmt) -> bool:
        """Return True if a block of the statement makes something that stays v1."""
        names = {one.id for one in ast.walk(statement) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
        return any((self.scope.name, name) in self.memory.left for name in names)

    def _edit_header(self, statement: ast.stmt, node: ast.expr) -> Value | None:
        """Rewrite the expression of a block's first line; a problem there leaves that expression, not the block."""
        self.statement = statement
        marks = len(self.edits), len(self.uses), len(self.findings)
        try:
            self.before, self.after = [], []
            value = self.read_settled(node)
            self._edit_expression(node, value)
            self._insert_around(statement)
            return value
        except NeedsPersonError as problem:
            del self.edits[marks[0] :], self.uses[marks[1] :], self.findings[marks[2] :]
            self._note_person(node, problem)
            self.keep_names(node)
            self._add_comment(statement, problem)
            return None

    def _rewrite_function(self, statement: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        parameters: dict[str, Value] = {}
        kinds = self.memory.parameters.get(statement.name, {}) if statement in self.source.tree.body else {}
        for one in (*statement.args.posonlyargs, *statement.args.args, *statement.args.kwonlyargs):
            kind = kinds.get(one.arg, "")
            if one.annotation is not None:
                kind = self.imports.resolve(ast.unparse(one.annotation)) or kind
                self._edit_header(statement, one.annotation)
            held = kind if kind in PASSED else ""
            parameters[one.arg] = Value(one.arg, held, {"opaque": True} if held else {}, variable=one.arg)
        if statement.returns is not None:
            self._edit_header(statement, statement.returns)
        for default in (*statement.args.defaults, *(one for one in statement.args.kw_defaults if one is not None)):
            self._edit_header(statement, default)
        scope = self._open_scope(statement.name, statement.body, parameters)
        kinds_back = {value.kind for value in scope.returned}
        if len(kinds_back) == 1 and statement in self.source.tree.body:
            self.memory.returned[statement.name] = kinds_back.pop()

    def _check_returned(self, value: Value) -> None:
        """Raise NeedsPersonError for a part of a pipeline that leaves its function."""
        for one in (value, *(value.items or ())):
            if one.kind in BOUND and one.kind not in PASSED:
                text = "a function returns this part of a pipeline; write the pipeline in one place"
                raise NeedsPersonError(text, name_in_v1(one.kind), one.node, spreads=True)

    def _open_scope(
        self, name: str, body: list[ast.stmt], values: dict[str, Value] | None = None, is_class: bool = False
    ) -> Scope:
        outer = self.scope
        self.scope = scope = Scope(f"{outer.name}.{name}" if outer.name else name, outer, body)
        scope.is_class = is_class
        scope.values.update(values or {})
        self.rewrite_body(body, True)
        self.scope = outer
        return scope

    def _rewrite_parts(self, statement: ast.stmt) -> None:
        """Rewrite the expressions of any other statement."""
        for child in ast.iter_child_nodes(statement):
            if isinstance(child, ast.expr) and not isinstance(getattr(child, "ctx", None), ast.Store | ast.Del):
                self._edit_expression(child, self.read_settled(child))

    # Edits

    def read_settled(self, node: ast.expr) -> Value:
        """Return the value of an expression; raises NeedsPersonError if it is a v1 name that no rule knows."""
        value = self.read(node)
        self.check(value)
        return value

    def _edit_within(self, statement: ast.stmt, node: ast.expr, value: Value) -> bool:
        """Change parts of a statement, with what must stand before and after it."""
        self._edit_expression(node, value)
        self._insert_around(statement)
        return False

    def _insert_around(self, statement: ast.stmt) -> None:
        """Insert the lines that must stand before and after a statement."""
        start, end = self.source.find_statement_lines(statement)
        first = self.source.text[start : self.source.get_span(statement)[0]]
        if (self.before or self.after) and (first.strip() or self._is_elif(statement)):
            raise NeedsPersonError("lines must stand before it, and here is no place for them")
        for offset, lines in ((start, self.before), (end, self.after)):
            if lines:
                text = "".join(f"{self.indent}{line}\n" if line else "\n" for line in lines)
                self.edits.append(Edit(offset, offset, text))
        self.before, self.after = [], []

    def _is_elif(self, statement: ast.stmt) -> bool:
        start = self.source.get_span(statement)[0]
        return self.source.text[start : start + 4] == "elif"

    def _edit_expression(self, node: ast.expr, value: Value) -> None:
        if value.changed:
            self.edits.append(Edit(*self.source.get_span(node), value.code))

    def _replace_statement(self, statement: ast.stmt, text: str | None) -> bool:
        """Replace a statement with what must stand before and after it; return True if nothing is left of it."""
        start, end = self.source.find_statement_lines(statement)
        whole = self.source.text[start:end].endswith("\n") or start == self.source.get_line_start(statement.lineno)
        if text is None and not self.before and not self.after:
            shared = re.match(r"[ \t]*;[ \t]*(?=[^\s;#])", self.source.text[end:])
            if shared is not None:  # another statement follows on the line
                end += shared.end()
            elif whole:
                start = self._find_own_comment(statement, start)
                end = self._find_end_of_gap(start, end)
            self.edits.append(Edit(start, end, ""))
            return True
        lines = [*self.before, *([] if text is None else [text]), *self.after]
        self.before, self.after = [], []
        new = "\n".join(self.indent + line if line else "" for line in lines)
        lost = [comment for comment in self.source.list_comments_within(statement) if comment.strip("# ") not in new]
        new = "".join(f"{self.indent}{comment}\n" for comment in lost) + new
        behind = self.source.comments.get(statement.end_lineno or 0)
        if whole and behind and behind not in new:
            new += f"  {behind}"
        if not whole:
            new = new.strip() if "\n" not in new else new
        self.edits.append(Edit(start, end, new + ("\n" if self.source.text[start:end].endswith("\n") else "")))
        return False

    def _find_end_of_gap(self, start: int, end: int) -> int:
        """Return where a removed piece ends, with the blank line below it if there is one above it as well."""
        text = self.source.text
        above = text[:start].endswith("\n\n") or start == 0
        return end + 1 if above and text[end : end + 1] == "\n" else end

    def _find_own_comment(self, statement: ast.stmt, start: int) -> int:
        """Return where the comment begins that is about this statement only: a blank line is below."""
        after = self.source.get_line((statement.end_lineno or statement.lineno) + 1)
        if after.strip():
            return start
        line = statement.lineno - 1
        while self.source.get_line(line).strip().startswith("#") and not self.source.get_line(line).startswith(
            "# %%smalt"
        ):
            line -= 1
        return self.source.get_line_start(line + 1)

    # What stays as it is

    def _leave_statement(self, statement: ast.stmt, problem: NeedsPersonError) -> None:
        """Leave a statement for a person, and with it what its objects are made of, if they must be v1's."""
        problem.remark = self._describe_changed(statement)
        problem.spreads = problem.spreads or self._is_bound(statement)
        self._note_person(statement, problem)
        self.keep_names(statement)
        self.consumed.difference_update(id(node) for node in ast.walk(statement))
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            for name in list_targets(statement):
                self.scope.bind(name, Value(name, "left", {"why": problem.sentence}, variable=name))
                if problem.spreads and self._is_bound(statement):
                    self.memory.left.setdefault((self.scope.name, name), problem.root)
        self._keep_changed(statement, problem)
        for node in ast.walk(statement):
            found = self.scope.find(node.id) if isinstance(node, ast.Name) else None
            if found is None or isinstance(node.ctx, ast.Store):  # type: ignore[attr-defined]
                continue
            is_gone = found.kind not in DOUBLE and (found.facts.get("dropped") or found.facts.get("droppable"))
            if is_gone or (problem.spreads and found.kind in BOUND):
                key = self.find_scope_name(found.variable), found.variable
                self.memory.left.setdefault(key, problem.root)
        self._add_comment(statement, problem)

    def _add_comment(self, statement: ast.stmt, problem: NeedsPersonError) -> None:
        """Say above a statement why it stays, unless it only follows from another."""
        if problem.follows or self._is_elif(statement):
            return
        start, line = self.source.get_line_start(statement.lineno), self.source.get_line(statement.lineno)
        indent = line[: len(line) - len(line.lstrip())]
        nodes = (one for one in ast.walk(self.source.tree) if isinstance(one, ast.stmt))
        if any((one.lineno, one.col_offset) == (statement.lineno, len(indent)) for one in nodes):
            self.edits.append(Edit(start, start, f"{indent}# {TODO}: {problem.text}\n"))

    def _describe_changed(self, statement: ast.stmt) -> str:
        """Return the end of a sentence: the objects of a left statement that are v2's by now."""
        names = []
        for node in ast.walk(statement):
            found = self.scope.find(node.id) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) else None
            if found is not None and found.kind in SHARED and found.variable not in names:
                names.append(found.variable)
        if not names:
            return ""
        return f"; {' and '.join(repr(name) for name in names)} {'are' if len(names) > 1 else 'is'} v2's by now"

    def _keep_changed(self, statement: ast.stmt, problem: NeedsPersonError) -> None:
        """Keep the object of a change that stays SDK v1's: one without that change would not be the same."""
        changed: ast.expr | None = None
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Attribute | ast.Subscript):
            changed = statement.targets[0]
        elif isinstance(statement, ast.AugAssign):
            changed = statement.target
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            changed = statement.value.func if isinstance(statement.value.func, ast.Attribute) else None
        while isinstance(changed, ast.Attribute | ast.Subscript | ast.Call):
            changed = changed.func if isinstance(changed, ast.Call) else changed.value
        found = self.scope.find(changed.id) if isinstance(changed, ast.Name) else None
        if found is not None and found.kind in BUILT and found.variable:
            key = self.find_scope_name(found.variable), found.variable
            self.memory.left.setdefault(key, problem.root)
            self.memory.told.add(key)

    def _is_bound(self, statement: ast.stmt) -> bool:
        """Return True if a statement makes a part of a pipeline."""
        value = getattr(statement, "value", None)
        name = self._name_call(value) if value is not None else ""
        return name in BOUND | {"OutputFileDatasetConfig", "PipelineData"} or name.endswith("Step")

    def _note_person(self, node: ast.stmt | ast.expr, problem: NeedsPersonError) -> None:
        place = problem.node if problem.node is not None else node
        name = problem.name or (ast.unparse(place) if isinstance(place, ast.expr) else "")
        self.findings.append(
            Finding(place.lineno, place.col_offset + 1, name.split("\n")[0][:60], "person", problem.text)
        )

    def _name_call(self, node: ast.expr) -> str:
        return (
            (self.imports.resolve(ast.unparse(node.func)) or ast.unparse(node.func))
            if isinstance(node, ast.Call)
            else ""
        )

    def _note_dropped(self) -> None:
        """Find the variables that nothing uses any longer: all their uses are in what was rewritten without them."""
        loads: dict[str, list[bool]] = {}
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                loads.setdefault(node.id, []).append(id(node) in self.consumed)
        self.memory.dropped = {name for name, gone in loads.items() if all(gone)}


def _close_lines(code: str) -> str:
    """Return code in parentheses if it goes over several lines that nothing holds together."""
    if "\n" not in code:
        return code
    try:
        ast.parse(code)
    except SyntaxError:
        return f"({code})"
    return code


def _is_droppable(value: Value) -> bool:
    if isinstance(value.node, ast.Dict) and not value.kind:
        return all(isinstance(one, ast.Name | ast.Constant | ast.Call) for one in value.node.values)
    return bool(value.facts.get("droppable")) or (value.items is not None and any(item.kind for item in value.items))


def _is_elif(statement: ast.stmt, block: str) -> bool:
    return (
        block == "orelse"
        and isinstance(statement, ast.If)
        and len(statement.orelse) == 1
        and isinstance(statement.orelse[0], ast.If)
    )


def _check_has_counterpart(base: Value, target: ast.Attribute, node: ast.expr) -> None:
    """Raise NeedsPersonError if an attribute of SDK v1's objects is set that v2 has not."""
    if base.kind in ("v1", "left"):
        is_left = base.kind == "left"
        why = "is still SDK v1's" if is_left else "has no counterpart in v2"
        raise NeedsPersonError(f"'{ast.unparse(target.value)}' {why}", ast.unparse(target), node, follows=is_left)
