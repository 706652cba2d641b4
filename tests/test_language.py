"""The language of the code: CONTRIBUTING.md, "Plain English". This file keeps what a machine can keep of it."""

from __future__ import annotations

import ast
import gc
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

INTERNAL_PAGES = [ROOT / "docs/design.md", *sorted((ROOT / "docs/internals").glob("*.md"))]
MODULE = re.compile(r"`([a-z][a-z0-9_]*(?:/[a-z0-9_]+)+(?:\.py)?)/?`")
MEMBER = re.compile(r"`([A-Z]\w+)\.(\w+)(?:\(\))?`")

Function = ast.FunctionDef | ast.AsyncFunctionDef

VERBS = frozenset(
    """
    get set make build run start stop create read write load save find add remove delete list check parse render
    send open close put take give register resolve convert format validate is has wait submit cancel fetch copy
    move keep show dump apply call handle update record prepare finish compile import export join split encode
    decode process execute init ensure log wrap to from as on do
    """.split()  # noqa: SIM905  # a list of words reads better as text
)
"""The first words that count as a verb; a stranger's measurement of four codebases used the same list."""

BARE = frozenset(
    """
    about after ahead aimed anew apart asked at away back before behind below beside between beyond by called
    changed chosen come coming done elsewhere ended expected followed for found from given gone had held in inside
    into kept known later left let like looked looking lost made meant missing moved named near needed of off on
    once out over owed own said seen sent shown since so such taken than that then there those through told took
    tried under until upon used wanted was were what where whether which who whose with within without
    """.split()  # noqa: SIM905
)
"""Participles, prepositions and pronouns: alone, none of them says what a function does or what a module holds."""

FURNITURE = frozenset("attic board cellar desk drawer family house kitchen line office rooms shelf slips".split())  # noqa: SIM905

OPENINGS = frozenset("What Whether Of That Where How Those It Its Which Who Whom Whose".split())  # noqa: SIM905

WORDS = re.compile(
    r"\b(lest|anew|albeit|whence|thence|hither|heretofore|for want of|of whom|but for the|wherever it was|"
    r"for lack of|is no more than|in the same way as ever|what was asked)\b"
)

SHARED_CLASSES = frozenset(
    {
        *(
            "Input",
            "Output",
        ),  # azure-ai-ml's, and mldesigner's for components from functions, twice: outside and inside jobs
        *("Model", "Datastore", "Workspace"),  # azure-ai-ml's and azureml-core's, for two generations of programs
        *("UserErrorException", "CredentialUnavailableError"),  # each official package raises one of that name
        "Code",  # azure-ai-ml's asset, and IPython's form of source text
        *("Job", "Database"),  # azure-ai-ml's entities, and the database's rows and connection
    }
)
"""Class names that stand in two rooms, with the reason."""

EXCEPTIONS: dict[str, str] = {
    "src/smalt/inside/__init__.py": "the room of what runs inside jobs; paths in the homes of users name it",
    "client/collections/pollers.py::LROPoller.done": "azure-core's own method",
}
"""Names and docstrings that break a rule with a reason: `path::qualified.name` to the reason. It only shrinks."""


@cache
def sources() -> dict[Path, ast.Module]:
    """Return the tree of each module, read once and only where these tests run: each worker collects them."""
    gc.disable()  # the collector would look through all trees again and again: three times as long
    try:
        return {path: ast.parse(path.read_text()) for path in sorted((ROOT / "src").rglob("*.py"))}
    finally:
        gc.enable()


def qualified(tree: ast.AST, before: str = "") -> Iterator[tuple[str, ast.ClassDef | Function]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef | Function):
            yield f"{before}{node.name}", node
            yield from qualified(node, f"{before}{node.name}.")
        else:
            yield from qualified(node, before)


@cache
def nodes() -> list[tuple[str, ast.ClassDef | Function]]:
    """Return each class and function of the source with where it stands."""
    found: list[tuple[str, ast.ClassDef | Function]] = []
    for path, tree in sources().items():
        where = path.relative_to(ROOT / "src/smalt")
        found += ((f"{where}::{name}", node) for name, node in qualified(tree))
    return found


def functions() -> Iterator[tuple[str, Function]]:
    for where, node in nodes():
        if isinstance(node, Function) and not node.name.startswith("__"):
            yield where, node


def attributes(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield each assigned name that has a docstring, a string below its assignment, with it."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for assigned, text in pairwise(body if isinstance(body, list) else ()):
            if isinstance(assigned, ast.Assign | ast.AnnAssign) and isinstance(text, ast.Expr):
                value = text.value
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield ast.unparse(assigned).partition("=")[0].partition(":")[0].strip(), value.value


@cache
def docstrings() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for path, tree in sources().items():
        where = str(path.relative_to(ROOT / "src/smalt"))
        if text := ast.get_docstring(tree):
            found.append((where, text))
        found += ((f"{where}::{name}", text) for name, text in attributes(tree))
    for where, node in nodes():
        if text := ast.get_docstring(node):
            found.append((where, text))
    return found


def without_exceptions(found: list[str]) -> list[str]:
    return [one for one in found if one.partition(" ")[0] not in EXCEPTIONS]


def test_modules_are_named_by_nouns() -> None:
    names = {path: path.parent.name if path.stem == "__init__" else path.stem for path in sources()}
    found = [str(path.relative_to(ROOT)) for path, name in names.items() if name.strip("_") in BARE | FURNITURE]
    assert not without_exceptions(found)


def test_functions_are_not_named_by_a_bare_participle_or_preposition() -> None:
    found = [where for where, node in functions() if node.name.strip("_") in BARE]
    assert not without_exceptions(found)


def test_no_class_name_stands_twice() -> None:
    """The room `v1` counts apart: its classes have the names of SDK v1, whatever v2 calls by them."""
    places = defaultdict(list)
    for where, node in nodes():
        if isinstance(node, ast.ClassDef) and (where.startswith("v1/") or node.name not in SHARED_CLASSES):
            room = "v1." if where.startswith("v1/") else ""
            places[f"{room}{node.name}"].append(where)
    assert not {name: where for name, where in places.items() if len(where) > 1}


def test_docstrings_begin_with_a_verb_or_a_noun() -> None:
    found = [f"{where} {text[:60]!r}" for where, text in docstrings() if text.split(maxsplit=1)[0] in OPENINGS]
    assert not without_exceptions(found)


def test_docstrings_are_modern_english() -> None:
    found = [f"{where} {hit[0]!r}" for where, text in docstrings() if (hit := WORDS.search(text))]
    assert not without_exceptions(found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_are_modern_english(page: Path) -> None:
    """A page may quote a banned word: in backticks, or in the table of examples."""
    text = re.sub(r"`[^`\n]*`|\"[^\"\n]*\"", "", page.read_text())
    assert not [f"{text[: hit.start()].count(chr(10)) + 1}: {hit[0]}" for hit in WORDS.finditer(text)]


@pytest.mark.parametrize("page", INTERNAL_PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_internal_pages_name_modules_that_exist(page: Path) -> None:
    """A path in backticks that begins in a room, such as `engine/queues`, is a module, a folder or a file there."""
    tops = (ROOT / "src/smalt", ROOT / "src/smalt/service")
    named = [
        name for name in MODULE.findall(page.read_text()) if any((top / name.split("/")[0]).is_dir() for top in tops)
    ]
    places = (*tops, ROOT)  # where the studio is built, `studio/src/…` begins in a room, too
    assert not [
        name for name in named if not any((top / f"{name}{end}").exists() for top in places for end in ("", ".py"))
    ]


@pytest.mark.parametrize("page", INTERNAL_PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_internal_pages_name_members_that_exist(page: Path) -> None:
    """Of a class of the source, such as `Queues`, `Queues.grant` names a member: a method or an attribute."""
    texts: dict[str, str] = defaultdict(str)
    for where, node in nodes():
        if isinstance(node, ast.ClassDef):
            texts[node.name] += (ROOT / "src/smalt" / where.partition("::")[0]).read_text()
    named = [(owner, name) for owner, name in MEMBER.findall(page.read_text()) if owner in texts]
    assert not [f"{owner}.{name}" for owner, name in named if not re.search(rf"\b{name}\b", texts[owner])]


def test_most_functions_say_verb_and_object() -> None:
    """At most 40 % of the names are one word, and at least 55 % begin with a common verb."""
    names = [node.name.strip("_") for _, node in functions()]
    one_word = sum("_" not in name for name in names)
    with_verb = sum(name.split("_")[0] in VERBS for name in names)
    assert one_word <= 0.40 * len(names), f"{one_word / len(names):.1%}"
    assert with_verb >= 0.55 * len(names), f"{with_verb / len(names):.1%}"


def test_private_functions_say_what_they_act_on() -> None:
    """At most 3 % have a name of one word, as methods have that override those of another package."""
    names = [node.name for _, node in functions() if node.name.startswith("_")]
    one_word = [name for name in names if "_" not in name.strip("_")]
    assert len(one_word) <= 0.03 * len(names), f"{len(one_word)} of {len(names)}: {sorted(one_word)}"


def test_the_list_of_exceptions_is_short_and_true() -> None:
    """Each exception names something that is still there; none is kept for later."""
    there = {where for where, _ in nodes()} | {str(path.relative_to(ROOT)) for path in sources()}
    there |= {str(path.relative_to(ROOT / "src/smalt")) for path in sources()}
    counts = Counter(node.name for _, node in nodes() if isinstance(node, ast.ClassDef))
    assert not EXCEPTIONS.keys() - there
    assert all(counts[name] > 1 for name in SHARED_CLASSES)
    assert len(EXCEPTIONS) + len(SHARED_CLASSES) <= 40
