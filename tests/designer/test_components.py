"""`@command_component`: what a function's signature says, and what can be done with the component."""

from __future__ import annotations

import importlib
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import smalt.designer
from smalt import Input, MLClient, load_component
from smalt.designer import compile as compile_components
from smalt.designer import execute
from smalt.dsl import pipeline
from smalt.exceptions import UserErrorException, ValidationException

Write = Callable[..., Any]

HEAD = """
    from enum import Enum
    from typing import Annotated, Optional
    from mldesigner import Input, Meta, Output, command_component

    class Colour(Enum):
        red = "r"
        blue = "b"
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """The module made of a text, which lies in the test's own folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def write(text: str, name: str = "made_here") -> Any:
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(HEAD) + textwrap.dedent(text))
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield write
    for name in set(sys.modules) - before:
        if name.startswith("made_here"):
            del sys.modules[name]


def test_mldesigner_is_found_where_it_is_not_installed() -> None:
    """With all of its names, once smalt is imported."""
    found = importlib.import_module("mldesigner")
    assert found.command_component is smalt.designer.command_component
    assert all(getattr(found, name) is getattr(smalt.designer, name) for name in smalt.designer.__all__)
    assert importlib.import_module("mldesigner.dsl").group is smalt.designer.dsl.group


@pytest.mark.parametrize(
    ("parameter", "declared"),
    [
        ("x: int", {"type": "integer"}),
        ("x: str", {"type": "string"}),
        ("x: float = 1", {"type": "number", "default": 1.0}),
        ("x=True", {"type": "boolean", "default": True}),
        ("x: Input", {"type": "uri_folder"}),
        ("x: Input()", {"type": "uri_folder"}),
        ("x: Input(type='mltable', mode='download', description='D')",
         {"type": "mltable", "mode": "download", "description": "D"}),
        ("x: Input(type='integer', min=1, max=3)", {"type": "integer", "min": 1, "max": 3}),
        ("x: Input(type='string', enum=['a', 'b']) = 'a'", {"type": "string", "enum": ["a", "b"], "default": "a"}),
        ("x: Input(type='number', optional=True)", {"type": "number", "optional": True}),
        ("x: Input(type='uri_file', optional=True) = None", {"type": "uri_file", "optional": True}),
        ("x: str = None", {"type": "string", "optional": True}),
        ("x: Optional[int] = None", {"type": "integer", "optional": True}),
        ("x: Colour", {"type": "string", "enum": ["r", "b"]}),
        ("x: Colour = Colour.blue", {"type": "string", "enum": ["r", "b"], "default": "b"}),
        ("x=Colour.red", {"type": "string", "enum": ["r", "b"], "default": "r"}),
        ("x: Annotated[int, Meta(description='D', min=2)] = 3",
         {"type": "integer", "description": "D", "min": 2, "default": 3}),
        ("x: Annotated[str, Input(type='uri_file')]", {"type": "uri_file"}),
        ("x: 'int'", {"type": "integer"}),
    ],
)  # fmt: skip
def test_a_parameter_is_an_input(module: Write, parameter: str, declared: dict[str, Any]) -> None:
    """As its annotation, its default and both together say."""
    made = module(f"@command_component(environment='azureml:host')\ndef f({parameter}): pass")
    assert made.f.component.to_dict()["inputs"] == {"x": declared}


def test_outputs_are_parameters_and_what_is_returned(module: Write) -> None:
    """The latter is called output."""
    made = module("""
        @command_component
        def f(a: Output(type="mlflow_model", description="A"), b: Output) -> int: ...
    """)
    outputs = {"a": {"type": "mlflow_model", "description": "A"}, "b": {"type": "uri_folder"}}
    assert made.f.component.to_dict()["outputs"] == {**outputs, "output": {"type": "integer"}}


def test_a_group_that_is_returned_is_several_outputs(module: Write, tmp_path: Path) -> None:
    """One for each field."""
    made = module("""
        from pathlib import Path
        from mldesigner.dsl import group
        @group
        class Two:
            count: int
            page: Output(type="uri_file")
        @command_component
        def f(a: int) -> Two:
            Path("mine").write_text("P")
            return Two(count=a, page="mine")
    """)
    assert made.f.component.to_dict()["outputs"] == {"count": {"type": "integer"}, "page": {"type": "uri_file"}}
    assert execute(made.f(a=2)).count == 2
    assert [(tmp_path / name).read_text() for name in ("count", "page")] == ["2", "P"]


def test_the_component_is_what_mldesigner_makes(module: Write, tmp_path: Path) -> None:
    """Its command and default environment to the letter; descriptions from the docstring."""
    made = module('''
        @command_component(name="g", version="2", display_name="G", is_deterministic=False, tags={"a": "b"},
                           distribution={"type": "mpi"}, resources={"instance_count": 2})
        def f(data: Input, rate: Input(type="number", optional=True), epochs=3, out: Output = None) -> str:
            """Trains.

            Args:
                data (folder): what is read
                    over two lines
                epochs: how long
            """
    ''')
    component = made.f.component
    assert component.command == (
        "mldesigner execute --source made_here.py --name g --inputs data='${{inputs.data}}' "
        "$[[rate='${{inputs.rate}}']] epochs='${{inputs.epochs}}' "
        "--outputs out='${{outputs.out}}' output='${{outputs.output}}'"
    )
    assert component.environment == "azureml://registries/azureml/environments/mldesigner/labels/latest"
    assert component.code == str(tmp_path)
    assert component.tags == {"a": "b", "codegenBy": "mldesigner"}
    assert component.description.startswith("Trains.")
    assert (component.name, component.version, component.display_name) == ("g", "2", "G")
    assert component.is_deterministic is False
    assert component.distribution.type == "mpi"
    assert component.resources.instance_count == 2
    described = {name: found.description for name, found in component.inputs.items()}
    assert described == {"data": "what is read over two lines", "rate": None, "epochs": "how long"}


@pytest.mark.parametrize(
    ("environment", "image"),
    [("'./env.yaml'", "i"), ("Path('env.yaml')", "i"), ("dict(image='j', conda_file='./conda.yml')", "j"),
     ("dict(image='j', conda_file=Path(__file__).parent / 'conda.yml')", "j"),
     ("Environment(image='k')", "k")],
)  # fmt: skip
def test_environments(module: Write, tmp_path: Path, environment: str, image: str) -> None:
    """A file, a mapping or an Environment; paths are relative to the function's file."""
    (tmp_path / "env.yaml").write_text("image: i\nconda_file: conda.yml\n")
    (tmp_path / "conda.yml").write_text("dependencies: [python=3.10]\n")
    made = module(f"""
        import os
        os.chdir("/")
        from pathlib import Path
        from smalt.entities import Environment
        @command_component(environment={environment})
        def f(): pass
    """)
    found = made.f.component.environment
    assert found.image == image
    assert found.conda_file == (None if image == "k" else {"dependencies": ["python=3.10"]})


def test_code_is_relative_to_the_file(module: Write, tmp_path: Path) -> None:
    """And the command names the file from there."""
    (tmp_path / "made_here_too").mkdir()
    (tmp_path / "made_here_too" / "__init__.py").write_text("")
    made = module("@command_component(code='..')\ndef f(): pass", "made_here_too/part".replace("/", "_"))
    assert made.f.component.code == str(tmp_path.parent)
    assert made.f.component.command == f"mldesigner execute --source {tmp_path.name}/made_here_too_part.py --name f"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("@command_component\ndef f(a): pass", "the parameter 'a' of f has no type that smalt knows; annotate it"),
        ("@command_component\ndef f(*a): pass", "f has '*a', which cannot be inputs; name its parameters"),
        ("@command_component\ndef f(a: int = []): pass", "the default of 'a' of f must be text, a number or a boolean"),
        ("@command_component\ndef f() -> dict: pass", "f cannot return dict; annotate str, int, float, bool"),
        ("@command_component\ndef f(output: Output) -> int: pass", "f has a parameter 'output' and returns an output"),
        ("@command_component(name='a b')\ndef f(): pass", "'a b' cannot be the name of a component"),
        ("@command_component(environment='./none.yml')\ndef f(): pass", "none.yml is not there"),
        ("@command_component(environment=3)\ndef f(): pass", "the environment is a file, a mapping, an Environment or"),
        ("@command_component(code='./elsewhere')\ndef f(): pass", "elsewhere, where its file"),
        ("@command_component(distribution={'type': 'pmi'})\ndef f(): pass", "pmi"),
        ("command_component(3)", "@command_component is for functions, not for int"),
        ("@command_component\ndef f(a: int): pass\nf(b=1)", "f has no input 'b'; its inputs are a"),
        ("@command_component\ndef f(a: int): pass\nf()", "f is called without"),
        ("@command_component\ndef f(a: int): pass\nf(1)", "f takes its inputs by name: f(a=…)"),
    ],
)
def test_mistakes_are_told_at_their_line(module: Write, text: str, sentence: str) -> None:
    """In one sentence, with the user's own file."""
    with pytest.raises(ValidationException) as caught:
        module(text)
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("made_here.py:") or "made_here.py:" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_function_without_a_file(module: Write) -> None:
    """A job could not be given it."""
    with pytest.raises(UserErrorException, match=r"f is not in a file that a job could be given; put it in a \.py"):
        exec("from smalt.designer import command_component\n@command_component(name='f')\ndef f(): pass", {})


def test_steps_are_their_own(module: Write) -> None:
    """What is set on one step is not said of the component, nor of another step."""
    made = module("""
        @command_component(distribution={"type": "tensorflow", "worker_count": 2})
        def f(out: Output, epochs=3): pass
    """)

    @pipeline
    def whole() -> None:
        one = made.f(epochs=1)
        one.distribution.worker_count = 5
        one.outputs.out.mode = "upload"
        made.f()

    job = whole()
    assert [step.distribution.worker_count for step in job.jobs.values()] == [5, 2]
    assert list(job.jobs) == ["one", "one_1"]


def test_more_inputs_for_a_function_with_keywords(module: Write) -> None:
    """Each call's component has what is given to it."""
    made = module("@command_component\ndef f(a: int, **more): pass")
    step = made.f(a=1, b="x", data=Input(type="uri_file", path="azureml:d:1"))
    assert {name: found.type for name, found in step.component.inputs.items()} == {
        "a": "integer", "b": "string", "data": "uri_file",
    }  # fmt: skip
    assert "b='${{inputs.b}}' data='${{inputs.data}}'" in step.component.command
    assert list(made.f.component.inputs) == ["a"]


def test_execute_runs_the_function_here(module: Write, tmp_path: Path) -> None:
    """With local data, and what it returns."""
    made = module("""
        from pathlib import Path
        @command_component
        def f(data: Input(type="uri_file"), out: Output, rate=0.5) -> float:
            (Path(out) / "copy").write_text(Path(data).read_text())
            return rate * 2
    """)
    (tmp_path / "d").write_text("D")
    assert execute(made.f(data="d")) == 1.0
    assert (tmp_path / "out" / "copy").read_text() == "D"
    assert (tmp_path / "output").read_text() == "1.0"
    with pytest.raises(UserErrorException, match="the input 'data' is azureml:d:1; give it a local path"):
        execute(made.f(data=Input(type="uri_file", path="azureml:d:1")))


def test_compiled_yaml_is_the_same_component(module: Write, tmp_path: Path) -> None:
    """Beside the function; or with a copy of its code, without what is ignored."""
    made = module("""
        @command_component(environment={"image": "i"}, version="1")
        def f(data: Input, out: Output, rate=0.5, colour: Colour = Colour.red, maybe: int = None): pass
        @command_component
        def g(): pass
    """)
    (path,) = compile_components(made.f)
    assert path == str(tmp_path / "f.yaml")
    assert load_component(path).to_dict() == made.f.component.to_dict()
    (tmp_path / ".amlignore").write_text("*.secret\n")
    (tmp_path / "more.ignore").write_text("*.big\n")
    for name in ("a.secret", "b.big", "c.txt"):
        (tmp_path / name).write_text("")
    paths = compile_components(str(tmp_path / "made_here.py"), output="build", ignore_file="more.ignore")
    assert paths == ["build/f/f.yaml", "build/g/g.yaml"]
    copied = {file.name for file in (tmp_path / "build/g").iterdir()}
    assert {"g.yaml", "made_here.py", "c.txt"} <= copied
    assert not {"a.secret", "b.big", "build"} & copied
    loaded = load_component("build/f/f.yaml")
    assert loaded.command == made.f.component.command
    assert compile_components("made_here.py", name="g") == [str(tmp_path / "g.yaml")]
    with pytest.raises(UserErrorException, match="has no component called 'h'"):
        compile_components("made_here.py", name="h")


def test_a_compiled_pipeline_names_the_files_of_its_components(module: Write, tmp_path: Path) -> None:
    """Those that are functions are written, too, as are pipelines in it; one of YAML is named, or copied."""
    (tmp_path / "c.yml").write_text("type: command\nname: c\ncommand: ls\nenvironment: azureml:host\n")
    made = module("""
        import os
        from smalt.dsl import pipeline
        from smalt import load_component, command
        c = load_component(os.path.join(os.path.dirname(__file__), "c.yml"))
        @command_component
        def f(data: Input(type="uri_folder"), out: Output(type="uri_folder"), n=1): pass
        @pipeline
        def inner(data: Input(type="uri_folder")):
            c()
            return {"out": f(data=data).outputs.out}
        @pipeline(non_pipeline_inputs=["times"])
        def outer(data: Input(type="uri_folder"), n: int = 2, times=2):
            first = inner(data=data)
            for _ in range(times):
                last = f(data=first.outputs.out, n=n)
            command(name="own", command="ls", environment="azureml:host")()
    """)
    for output, files in ((None, ["f.yaml", "inner.yaml"]), ("build", ["../f/f.yaml", "../inner/inner.yaml"])):
        paths = compile_components(made.outer, output=output)
        assert len(paths) == (3 if output is None else 4)
        folder = Path(paths[-1]).parent
        text = (folder / "outer.yaml").read_text()
        assert [line.split()[-1].removeprefix("./") for line in text.splitlines() if ".yaml" in line] == [
            files[1], files[0], files[0],
        ]  # fmt: skip
        loaded = load_component(paths[-1])
        assert list(loaded.jobs) == ["first", "last_1", "last", "own"]
        assert loaded.jobs["first"].component.jobs["c"].component.command == "ls"
        assert loaded.jobs["own"].component.command == "ls"
    with pytest.raises(UserErrorException, match="with @command_component or @pipeline, which plain is not"):
        compile_components(plain)


def plain() -> None:
    """No component."""


def test_a_component_is_referred_to(module: Write, tmp_path: Path) -> None:
    """By its file or its name; the function that stands for it says the inputs."""
    (tmp_path / "c.yml").write_text(
        "type: command\nname: c\ninputs: {a: {type: integer}}\ncommand: echo ${{inputs.a}}\nenvironment: azureml:host\n"
    )
    made = module("""
        from mldesigner import reference_component
        @reference_component(path="./c.yml")
        def c(a: int): ...
        @reference_component(name="d", version="3")
        def d(a: int): ...
        @reference_component(name="d", registry="r")
        def e(a: int): ...
    """)

    @pipeline
    def whole() -> None:
        first = made.c(a=1)
        second = made.d(a=2)
        third = made.e(a=3)
        assert [first, second, third]

    job = whole()
    assert job.jobs["first"].component.command == "echo ${{inputs.a}}"
    assert job.jobs["second"].component == "azureml:d:3"
    assert job.jobs["third"].component == "azureml://registries/r/components/d/labels/latest"
    with pytest.raises(UserErrorException, match="c has no input 'b'"):
        made.c(b=1)


def test_values_go_from_step_to_step(client: MLClient, module: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """A registered function component runs; what it returns is a value to the next step."""
    made = module("""
        @command_component(environment="azureml:host", version="1")
        def add(a: int, b: int = 1) -> int:
            return a + b
        @command_component(environment="azureml:host")
        def show(total: int, colour: Colour = Colour.blue):
            print("total", total + 0, colour)
    """)
    kept = client.components.create_or_update(made.add)
    assert (kept.name, kept.version) == ("add", "1")
    assert client.create_or_update(made.show).name == "show"

    @pipeline(default_compute="local")
    def whole(start: int) -> None:
        first = kept(a=start)
        second = made.add(a=first.outputs.output, b=first.outputs.output)
        made.show(total=second.outputs.output)

    job = client.jobs.create_or_update(whole(start=2))
    client.jobs.stream(job.name)
    assert client.jobs.get(job.name).status == "Completed"
    assert "total 6 b" in capsys.readouterr().out


def test_the_parameters_are_mldesigners() -> None:
    """Of what programs call, as its surface lists them."""
    import inspect

    names = {
        "command_component": "func name version display_name description is_deterministic tags environment "
        "distribution resources code",
        "Input": "type path mode min max enum optional description kwargs",
        "Output": "type path mode description early_available kwargs",
        "reference_component": "path name version registry kwargs",
        "generate": "source package_name force_regenerate kwargs",
        "execute": "source",
        "compile": "source name output ignore_file debug kwargs",
    }
    for name, parameters in names.items():
        found = inspect.signature(getattr(smalt.designer, name)).parameters
        assert list(found) == parameters.split(), name
