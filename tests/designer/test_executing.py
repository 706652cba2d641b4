"""A function component in its job: `mldesigner execute`, with nothing installed but Python."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.designer.conftest import INSIDE
from tests.helpers import LONGEST

Run = Callable[..., subprocess.CompletedProcess[str]]

ALL = """
    import enum, json
    from pathlib import Path
    from mldesigner import Input, Meta, Output, command_component

    class Mood(enum.Enum):
        glad = "glad"
        sad = "sad"

    @command_component(name="all", environment="./nowhere.yml", tags={"a": "b"})
    def f(data: Input(type="uri_file"), count: int, out: Output, made: Output(type="uri_file"),
          rate: float = 0.5, really: bool = False, mood: Mood = Mood.glad, word="w", nothing: str = None,
          more: Input(type="integer", optional=True) = None):
        found = [Path(data).read_text(), count, rate, really, mood, word, nothing, more]
        (Path(out) / "found.json").write_text(json.dumps(found))
        Path(made).write_text("made")
"""


BASE = getattr(sys, "_base_executable", sys.executable)
"""The Python below the one that runs the tests: without what is installed there, smalt among it."""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`mldesigner execute`, as jobs have it, on a file of this text."""
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec {BASE} -s "$@"\n')
    python.chmod(0o755)

    def call(text: str, *words: str, file: str = "component.py", **variables: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(textwrap.dedent(text))
        path = f"{INSIDE / 'bin'}:{python.parent}:/usr/bin:/bin"
        env = {"PATH": path, "PYTHONPATH": str(INSIDE / "site"), "PYTHONDONTWRITEBYTECODE": "1", **variables}
        command = ["mldesigner", "execute", "--source", file, *words]
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=LONGEST)

    return call


def test_values_are_what_the_annotations_say(run: Run, tmp_path: Path) -> None:
    """Text becomes numbers and booleans; what is not given has its default; output folders are there beforehand."""
    (tmp_path / "d").write_text("D")
    given = ["--name", "all", "--inputs", "data=d", "count=10.0", "really=True", "mood=sad", "word=a=b c"]
    done = run(ALL, *given, "--outputs", "out=deep/out", "made=made.txt")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads((tmp_path / "deep/out/found.json").read_text())
    assert found == ["D", 10, 0.5, True, "sad", "a=b c", None, None]
    assert (tmp_path / "made.txt").read_text() == "made"


def test_defaults_of_the_function_hold(run: Run, tmp_path: Path) -> None:
    """Also that of an enumeration, which is its value; an output without a path is written under its name."""
    (tmp_path / "d").write_text("D")
    assert run(ALL, "--inputs", "data=d", "count=1").returncode == 0
    assert json.loads((tmp_path / "out/found.json").read_text()) == ["D", 1, 0.5, False, "glad", "w", None, None]


@pytest.mark.parametrize(
    ("annotation", "value", "written"),
    [("int", "3", "3"), ("str", "'a b'", "a b"), ("float", "0.25", "0.25"), ("bool", "True", "True"),
     ("Output(type='number')", "2", "2")],
)  # fmt: skip
def test_what_is_returned_is_written(run: Run, tmp_path: Path, annotation: str, value: str, written: str) -> None:
    """A primitive value to the file of the output `output`, or in its folder to the file `output`."""
    text = f"from mldesigner import *\n@command_component\ndef f() -> {annotation}: return {value}\n"
    assert run(text, "--name", "f", "--outputs", "output=there").returncode == 0
    assert (tmp_path / "there").read_text() == written
    (tmp_path / "folder").mkdir()
    assert run(text, "--name", "f", "--outputs", "output=folder").returncode == 0
    assert (tmp_path / "folder" / "output").read_text() == written


def test_a_returned_path_is_moved(run: Run, tmp_path: Path) -> None:
    """To where the output is, in place of what is there."""
    text = """
        from pathlib import Path
        from mldesigner import Output, command_component
        @command_component
        def f() -> Output(type="uri_folder"):
            Path("mine").mkdir()
            Path("mine/a").write_text("A")
            return "mine"
    """
    (tmp_path / "place").mkdir()
    assert run(text, "--outputs", "output=place").returncode == 0
    assert (tmp_path / "place" / "a").read_text() == "A"
    assert not (tmp_path / "mine").exists()


def test_several_outputs_are_a_group(run: Run, tmp_path: Path) -> None:
    """Each field of a class with @group is an output."""
    text = """
        from mldesigner import Output, command_component
        from mldesigner.dsl import group
        @group
        class Two:
            count: int
            name: Output(type="string")
        @command_component
        def f() -> Two:
            return Two(count=1, name="n")
    """
    done = run(text, "--outputs", "count=c", "name=n")
    assert done.stderr == ""
    assert [(tmp_path / name).read_text() for name in "cn"] == ["1", "n"]


def test_an_early_output_is_written_when_it_is_ready(run: Run, tmp_path: Path) -> None:
    """By get_io_context()."""
    text = """
        import os
        from mldesigner import Output, command_component, get_io_context, get_root_pipeline_context
        @command_component
        def f(o: Output(type="string", early_available=True)):
            context = get_io_context()
            context.outputs.o = "early"
            context.outputs.o.ready()
            print(open("place").read(), get_root_pipeline_context().root_job_name)
    """
    done = run(text, "--outputs", "o=place", AZUREML_ROOT_RUN_ID="root")
    assert (done.stdout, done.stderr) == ("early root\n", "")


def test_more_inputs_than_parameters(run: Run) -> None:
    """A function with ** gets them as text."""
    text = """
        from mldesigner import command_component
        @command_component
        def f(a: int, **more):
            print(a, more)
    """
    assert run(text, "--inputs", "a=1", "b-c=2").stdout == "1 {'b_c': '2'}\n"


def test_the_file_of_the_program_itself(run: Run) -> None:
    """A component may lie beside the code that submits; what that imports can be imported, and only refuses to work."""
    text = """
        from azure.ai.ml import Input, MLClient
        from azure.ai.ml.dsl import pipeline
        from azure.ai.ml.entities import Environment
        from azure.ai.ml.constants import AssetTypes
        from azure.identity import DefaultAzureCredential
        from smalt.designer import command_component
        from helper import word

        @command_component(environment="azureml:e:1")
        def f(a: Input(type="integer")):
            print(word, a + 1, [command_component is not None])

        @pipeline(default_compute="c")
        def whole():
            f(a=1)

        def other():
            MLClient.from_config(credential=DefaultAzureCredential())

        if __name__ == "__main__":
            other()
    """
    run("word = 'helped'", file="src/helper.py")
    done = run(text, "--inputs", "a=1", file="src/component.py")
    assert (done.stdout, done.stderr) == ("helped 2 [True]\n", "")
    done = run(text.replace('if __name__ == "__main__"', "if True"), "--inputs", "a=1", file="src/component.py")
    assert done.returncode == 1
    assert "azure.identity.DefaultAzureCredential belongs to the program that submits jobs" in done.stderr


def test_packages_are_not_misled(run: Run, tmp_path: Path) -> None:
    """Who asks from elsewhere than the component's file whether azure.identity is there hears the truth."""
    package = tmp_path / "site-packages" / "curious.py"
    package.parent.mkdir()
    package.write_text("try:\n    import azure.identity\n    found = True\nexcept ImportError:\n    found = False\n")
    text = """
        import sys
        sys.path.append("site-packages")
        import curious
        from importlib.util import find_spec
        from mldesigner import command_component
        there = find_spec("azure")
        @command_component
        def f():
            print(curious.found, there)
    """
    assert run(text).stdout == "False None\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--name", "g"], "component.py has no component 'g' made with @command_component (it has: f)"),
        (["--inputs", "a=x"], "the input 'a' of f must be an integer, not 'x'"),
        ([], "f needs a"),
        (["--inputs", "a"], "'a' is not NAME=VALUE"),
        (["--inputs", "a=0"], "f returned nothing for its output 'output'"),
        (["--inputs", "a=1"], "f returned str for its output 'output', which is annotated as integer"),
    ],
)
def test_mistakes_are_told_in_one_sentence(run: Run, words: list[str], sentence: str) -> None:
    """Without a traceback, and the job fails."""
    text = """
        from mldesigner import command_component
        @command_component
        def f(a: int) -> int:
            return "text" if a else None
    """
    done = run(text, *words)
    assert (done.returncode, done.stderr) == (1, f"mldesigner: {sentence}\n")


def test_an_exception_shows_the_users_lines_only(run: Run) -> None:
    """The traceback begins in the user's file."""
    text = """
        from mldesigner import command_component
        @command_component
        def f():
            raise ValueError("wrong")
    """
    done = run(text)
    lines = done.stderr.splitlines()
    assert done.returncode == 1
    assert lines[0] == "Traceback (most recent call last):"
    assert "component.py" in lines[1]
    assert lines[-1] == "ValueError: wrong"
    assert str(INSIDE) not in done.stderr


@pytest.mark.parametrize("words", ["-m mldesigner execute", "-m mldesigner.executor"])
def test_it_is_a_module_too(run: Run, tmp_path: Path, words: str) -> None:
    """`python -m mldesigner`, where mldesigner is not installed."""
    run("from mldesigner import command_component\n@command_component\ndef f(): print('ran')\n")
    env = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(INSIDE / "site"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [BASE, "-s", *words.split(), "--source", "component.py"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=LONGEST)
    assert (done.stdout, done.stderr) == ("ran\n", "")


def test_an_installed_mldesigner_is_left_alone(run: Run, tmp_path: Path) -> None:
    """Its decorators are used, and what they made is run."""
    package = tmp_path / "mldesigner" / "__init__.py"
    package.parent.mkdir()
    package.write_text(
        textwrap.dedent("""
            import sys, types
            def command_component(function):
                def wrapper(): raise OSError("no azure-ai-ml")
                wrapper._is_mldesigner_component = True
                file = sys._getframe(1).f_globals["__file__"]
                wrapper._executor = types.SimpleNamespace(_name="theirs", _entry_file=file, _func=function)
                return wrapper
        """)
    )
    text = """
        from mldesigner import command_component
        @command_component
        def f(a: int) -> str:
            return str(a + 1)
    """
    done = run(text, "--name", "theirs", "--inputs", "a=1", "--outputs", "output=o")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "o").read_text() == "2"


def test_smalt_in_the_jobs_python_only_marks(tmp_path: Path) -> None:
    """Its decorator does not look for files that only the submitting program has; its commands run functions too."""
    (tmp_path / "component.py").write_text(
        "from smalt.designer import Input, command_component\n"
        "@command_component(environment='./nowhere.yml')\n"
        "def f(a: Input(type='integer')): print(a + 1)\n"
    )
    command = [sys.executable, "-m", "smalt.designer", "execute", "--source", "component.py", "--inputs", "a=1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=LONGEST)
    assert (done.stdout, done.stderr) == ("2\n", "")


@pytest.mark.parametrize("kind", ["string", "integer", "number", "boolean"])
def test_a_value_that_is_neither_returned_nor_written_is_told(run: Run, tmp_path: Path, kind: str) -> None:
    """An output that is a value and a parameter: the function fails itself, unless it wrote the file."""
    text = """
        from mldesigner import Output, command_component
        @command_component
        def one(o: Output(type="{}")):
            {}
    """
    failed = run(text.format(kind, "o = 1"), "--outputs", "o=./place")
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1].startswith(
        "mldesigner: one returned nothing for its output 'o'; return the value"
    )
    written = run(text.format(kind, "open(o, 'w').write('1')"), "--outputs", "o=./place")
    assert (written.returncode, written.stderr) == (0, "")
    (tmp_path / "folder").mkdir()
    assert run(text.format(kind, "open(o, 'w').write('1')"), "--outputs", "o=./folder").returncode == 0
    assert (tmp_path / "folder" / "output").read_text() == "1"
