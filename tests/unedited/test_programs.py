"""`smalt python` runs what `python` runs, as `python` does."""

from __future__ import annotations

import pytest

from .conftest import Programs


def test_a_file_with_arguments(programs: Programs) -> None:
    """It finds its neighbours and its arguments, and is __main__; what looks like an option of ours is its own."""
    programs.write("src/neighbour.py", "NAME = 'neighbour'")
    text = "import sys, neighbour\nprint(__name__, __file__, sys.argv, neighbour.NAME)\n"
    programs.write("src/submit.py", text)
    ran = programs.python("src/submit.py", "--help", "-m", "x", "--output", "y")
    assert ran.out == ("__main__ src/submit.py ['src/submit.py', '--help', '-m', 'x', '--output', 'y'] neighbour\n"), (
        ran.err
    )


def test_a_module(programs: Programs) -> None:
    """`-m` runs a package's __main__ from the current folder."""
    programs.write("pkg/__init__.py", "")
    programs.write("pkg/__main__.py", "import sys, pkg\nprint(__name__, sys.argv[1:], __package__)\n")
    assert programs.python("-m", "pkg", "a", "-c").out == "__main__ ['a', '-c'] pkg\n"


def test_a_text_and_standard_input(programs: Programs) -> None:
    """`-c` and `-` as of python."""
    assert programs.python("-c", "import sys; print(sys.argv)", "a").out == "['-c', 'a']\n"
    assert programs.python("-cprint(1)").out == "1\n"
    assert programs.python("-", "a", given="import sys; print(sys.argv)").out == "['-', 'a']\n"


def test_it_ends_as_the_program_says(programs: Programs) -> None:
    """sys.exit with a number and with a text."""
    assert programs.python("-c", "import sys; sys.exit(7)").code == 7
    ran = programs.python("-c", "import sys; sys.exit('no')")
    assert (ran.code, ran.err) == (1, "no\n")


def test_the_programs_own_error_is_its_traceback(programs: Programs) -> None:
    """With the program's lines only."""
    programs.write("bad.py", "def f():\n    return 1 / 0\n\nf()\n")
    ran = programs.python("bad.py")
    assert ran.code == 1
    assert ran.err.startswith('Traceback (most recent call last):\n  File "bad.py", line 4')
    assert ran.err.endswith("ZeroDivisionError: division by zero\n")
    assert "smalt" not in ran.err


def test_what_smalt_refuses_is_told_at_the_programs_line(served: Programs) -> None:
    """One sentence, no traceback."""
    served.write("submit.py", "from azure.ai.ml import MLClient\n\nMLClient(None, 's', 'g', 'w').jobs.get('nope')\n")
    ran = served.python("submit.py")
    assert (ran.code, ran.err) == (1, "submit.py:3: there is no job 'nope' in workspace 'w'\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere.py"], "there is no file 'nowhere.py'"),
        (["-m", "no.such.module"], "there is no module named 'no.such.module'"),
        (["-m"], "say what to run"),
        ([], "say what to run"),
        (["nowhere.ipynb"], "nowhere.ipynb: No such file"),
    ],
)
def test_what_cannot_be_run(programs: Programs, words: list[str], sentence: str) -> None:
    """One sentence, exit code 2."""
    ran = programs.python(*words)
    assert (ran.code, len(ran.err.splitlines())) == (2, 1)
    assert sentence in ran.err


def test_az_in_what_it_starts_is_smalt(programs: Programs) -> None:
    """A program that calls `az ml …` reaches smalt."""
    text = (
        "import subprocess; print(subprocess.run(['az', 'ml', '--help'], capture_output=True, text=True).stdout[:12])"
    )
    assert "smalt" in programs.python("-c", text).out or "Usage" in programs.python("-c", text).out


def test_mldesigner_in_what_it_starts_is_smalt(programs: Programs) -> None:
    """As the program and as the module; what smalt has not of it is refused in one sentence."""
    programs.write("made.py", "from mldesigner import command_component\n@command_component\ndef f(n=1): pass\n")
    text = "import subprocess; subprocess.run(['mldesigner', 'compile', '--source', 'made.py', '--output', 'build'])"
    assert programs.python("-c", text).out == "build/f/f.yaml\n"
    assert programs.python("-m", "mldesigner", "compile", "--source", "made.py").out.endswith("/f.yaml\n")
    for verb, sentence in (("generate", "smalt writes no packages"), ("export", "smalt has no 'mldesigner export'")):
        ran = programs.python("-m", "mldesigner", verb)
        assert (ran.code, len(ran.err.splitlines())) == (1, 1)
        assert sentence in ran.err


def test_a_pipeline_function_is_registered_as_a_component(served: Programs) -> None:
    """`components.create_or_update` takes the function itself, as the examples' pipeline components do."""
    served.write(
        "submit.py",
        "from azure.ai.ml import MLClient, command, dsl\n"
        "step = command(name='s', command='echo ${{inputs.a}}', inputs={'a': 1.5}, environment='azureml:host')\n"
        "@dsl.pipeline()\n"
        "def twice(a: float, place: str, b: int = 3):\n"
        "    first = step(a=a)\n"
        "    first.compute = place\n"
        "    second = step(a=2.0)\n"
        "made = MLClient(None, 's', 'g', 'w').components.create_or_update(twice)\n"
        "print(made.name, made.type, sorted(made.inputs), sorted(made.jobs))\n",
    )
    ran = served.python("submit.py")
    assert (ran.code, ran.out) == (0, "twice pipeline ['a', 'b', 'place'] ['first', 'second']\n"), ran.err


def test_programs_and_notebooks_have_mltable(programs: Programs) -> None:
    """smalt's own, as jobs have it, with its modules."""
    programs.write("a.csv", "a,b\n3,2\n")
    text = (
        "import mltable\nfrom mltable.mltable import MLTable\n"
        "table = mltable.from_delimited_files(paths=[{'file': './a.csv'}])\n"
        "print(isinstance(table, MLTable), table.to_pandas_dataframe().to_dict('records'))"
    )
    programs.write("prog.py", text)
    ran = programs.python("prog.py")
    assert (ran.code, ran.out) == (0, "True [{'a': 3, 'b': 2}]\n"), ran.err
    programs.notebook("n.ipynb", text)
    assert programs.python("n.ipynb").code == 0


def test_what_a_program_prints_is_written_at_once(programs: Programs) -> None:
    """Also into a pipe, and by its children: the whole of a line is there when the program is killed."""
    ran = programs.python("-c", "import os\nprint('seen', end='')\nos._exit(3)")
    assert (ran.code, ran.out) == (3, "seen")
    ran = programs.python("-c", "import os; print(os.environ['PYTHONUNBUFFERED'])")
    assert ran.out == "1\n"
