"""Notebooks by `smalt python`."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
import uv

from smalt.python import cells

from .conftest import Programs


def shown(cell: dict[str, Any]) -> str:
    """All text that a cell shows."""
    return "".join(output.get("text") or output["data"]["text/plain"] for output in cell["outputs"])


def test_cells_run_in_order_and_their_outputs_are_kept(programs: Programs) -> None:
    """Names go from cell to cell; a last expression is shown, unless it ends with a semicolon."""
    source = programs.notebook(
        "n.ipynb", "import sys\nx = 3", "print('a')\nprint('b', file=sys.stderr)\nx + 1", "x;", ""
    )
    before = source.read_text()
    ran = programs.python("n.ipynb")
    assert (ran.code, ran.out) == (0, "a\n4\n")
    assert source.read_text() == before
    first, second, third, empty = programs.cells("n.executed.ipynb")
    assert [first["execution_count"], second["execution_count"], empty["execution_count"]] == [1, 2, None]
    assert second["outputs"] == [
        {"output_type": "stream", "name": "stdout", "text": "a\n"},
        {"output_type": "stream", "name": "stderr", "text": "b\n"},
        {"output_type": "execute_result", "execution_count": 2, "data": {"text/plain": "4"}, "metadata": {}},
    ]
    assert third["outputs"] == []


def test_rich_forms_are_kept(programs: Programs) -> None:
    """_repr_html_ of a result, and what is displayed by hand."""
    programs.notebook(
        "n.ipynb",
        "class A:\n    def _repr_html_(self): return '<i>a</i>'\n    def __repr__(self): return 'A'\nA()",
        "from IPython.display import HTML, display\ndisplay(HTML('<b>x</b>'))\ndisplay(A())",
    )
    ran = programs.python("n.ipynb")
    assert ran.code == 0, ran.err
    first, second = programs.cells("n.executed.ipynb")
    assert first["outputs"][0]["data"] == {"text/html": "<i>a</i>", "text/plain": "A"}
    assert [output["data"]["text/html"] for output in second["outputs"]] == ["<b>x</b>", "<i>a</i>"]


def test_magics_and_shell_lines(programs: Programs) -> None:
    """Those that job notebooks use."""
    programs.notebook(
        "n.ipynb",
        "%load_ext autoreload\n%autoreload 2\n%matplotlib inline\nfolder = 'src'\n!mkdir {folder}",
        "%%writefile {folder}/hello.py\nprint('hello')",
        "!python src/hello.py\nlines = !cat $folder/hello.py\nlines",
        "%cd src\nimport hello",
        "%%time\nfor i in range(2):\n    !echo {i}",
        "text = '''\n!no line of a shell\n%no magic\n'''\nn = (7\n % 4)\nprint(n, len(text.split()))",
        "len?",
        "%%bash\necho from bash",
        "%pip install azure-ai-ml mldesigner",
        "%env MINE=1\nimport os\nos.environ['MINE']",
        "%%capture\nprint('nowhere')",
        "%run hello.py",
        "import asyncio\nawait asyncio.sleep(0, 'awaited')",
    )
    ran = programs.python("n.ipynb")
    assert ran.code == 0, ran.err
    done = [shown(cell) for cell in programs.cells("n.executed.ipynb")]
    assert done[1] == "Writing src/hello.py\n"
    assert done[2] == "hello\n[\"print('hello')\"]"
    assert done[3].endswith("hello\n")
    assert done[4].startswith("0\n1\nWall time")
    assert done[5] == "3 7\n"
    assert "number of items" in done[6]
    assert done[7] == "from bash\n"
    assert done[8] == "smalt stands in for azure-ai-ml, mldesigner: not installed\n"
    assert done[9] == "env: MINE=1\n'1'"
    assert done[10] == ""
    assert done[11] == "hello\n"
    assert done[12] == "'awaited'"


def test_the_first_failing_cell_ends_it(programs: Programs) -> None:
    """Its number and line are told; what ran is written, with the error in its place."""
    programs.notebook("n.ipynb", "def f():\n    return 1 / 0", "x = 1\nf()", "print('never')")
    ran = programs.python("n.ipynb")
    assert (ran.code, ran.out) == (1, "")
    assert "n.ipynb, cell 2, line 2: ZeroDivisionError: division by zero\n" in ran.err
    _, second, third = programs.cells("n.executed.ipynb")
    assert [output["ename"] for output in second["outputs"]] == ["ZeroDivisionError"]
    assert (third["execution_count"], third["outputs"]) == (None, [])


def test_magics_need_no_percent_sign(programs: Programs) -> None:
    """As with IPython's automagic: at the start of a line, where the word is not a name of the notebook's own."""
    programs.notebook(
        "n.ipynb",
        "pip show azure-ai-ml mldesigner",
        "import os\nmkdir made\ncd made\nos.path.basename(os.getcwd())",
        "pwd",
        "ls = 1\nla = 2\nls -la",
        "cat = 'mine'\ncat",
        "def rm():\n    return 'kept'\nrm()",
        "!pip show azure-identity",
    )
    ran = programs.python("n.ipynb")
    assert ran.code == 0, ran.err
    done = [shown(cell) for cell in programs.cells("n.executed.ipynb")]
    assert "Name: azure-ai-ml\nVersion: 1." in done[0]
    assert "---\nName: mldesigner\n" in done[0]
    assert done[1].endswith("'made'")
    assert done[2].endswith("/made'")
    assert done[3:6] == ["-1", "'mine'", "'kept'"]
    assert done[6].startswith("Name: azure-identity\n")


def test_a_magic_that_fails_does_not_end_a_notebook(programs: Programs) -> None:
    """As with IPython, what went wrong is shown; a failed installation alone ends it."""
    programs.notebook("n.ipynb", "%pip --no-such-option", "pip show nothing-of-this-name", "%cd nowhere", "!false", "1")
    ran = programs.python("n.ipynb")
    assert ran.code == 0, ran.err
    done = [shown(cell) for cell in programs.cells("n.executed.ipynb")]
    assert "no-such-option" in done[0]
    assert "nothing-of-this-name" in done[1]
    assert done[2:] == ["%cd nowhere: No such file or directory\n", "", "1"]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("x = 1\nfrom azure.ai.ml.entities import Nope", "cell 1, line 2: smalt has no azure.ai.ml.entities.Nope"),
        ("\n\nx = = 1", "cell 1, line 3: SyntaxError"),
        ("import azureml.nope", "cell 1, line 1: smalt has no azureml.nope"),
        ("%%nonsense\nx", "%%nonsense is a magic of IPython"),
        ("%pip install --no-such-option x", "cell 1, line 1: %pip install --no-such-option x ended with code"),
    ],
)
def test_failures_name_cell_and_line(programs: Programs, cell: str, words: str) -> None:
    """Whatever the cell died of."""
    programs.notebook("n.ipynb", cell)
    ran = programs.python("n.ipynb")
    assert ran.code == 1
    assert f"n.ipynb, {words}" in ran.err or words in ran.err
    assert ran.err.endswith("written: n.executed.ipynb\n")


def test_a_cell_may_end_the_notebook(programs: Programs) -> None:
    """sys.exit(0) is not a failure, sys.exit(1) is."""
    programs.notebook("n.ipynb", "import sys\nsys.exit(0)", "1/0")
    assert programs.python("n.ipynb").code == 0
    programs.notebook("n.ipynb", "import sys\nsys.exit(3)")
    ran = programs.python("n.ipynb")
    assert ran.code == 1
    assert "cell 1: the cell called sys.exit(3)" in ran.err


def test_what_is_no_notebook(programs: Programs) -> None:
    """One sentence."""
    programs.write("n.ipynb", json.dumps({"worksheets": []}))
    ran = programs.python("n.ipynb")
    assert (ran.code, len(ran.err.splitlines())) == (2, 1)
    assert "n.ipynb is not a notebook of format 4" in ran.err


def test_lines_keep_their_numbers() -> None:
    """Magics are translated line by line; a continued line leaves empty ones behind."""
    made = cells.to_python("!echo a \\\n  b\nx = !ls\nif x:\n    %cd ..\ny?")
    assert made.splitlines() == [
        "get_ipython().system('echo a b')",
        "",
        "x = get_ipython().getoutput('ls')",
        "if x:",
        "    get_ipython().run_line_magic('cd', '..')",
        "get_ipython().run_line_magic('pinfo', 'y')",
    ]


def test_a_refusal_shows_the_sentence_and_the_line_of_the_cell(programs: Programs) -> None:
    """Not the frames of smalt's connection: neither on the terminal nor in the notebook that is kept."""
    cell = "from azure.ai.ml import MLClient\nfrom azure.identity import DefaultAzureCredential\n"
    cell += "client = MLClient(DefaultAzureCredential(), 's', 'g', 'w')\n"
    programs.notebook("n.ipynb", f"{cell}def ask():\n    return client.jobs.get('nope')\nask()")
    ran = programs.python("n.ipynb")
    assert ran.code == 1
    assert "nope" in ran.err
    (kept,) = programs.cells("n.executed.ipynb")[0]["outputs"]
    lines = kept["traceback"]
    assert lines[0].startswith("NotFound: there is no ")
    assert [line.strip() for line in lines[1:]] == [
        "n.ipynb, cell 1, line 6: ask()", "n.ipynb, cell 1, line 5: return client.jobs.get('nope')",
    ]  # fmt: skip


def test_an_interrupted_stream_says_that_the_job_goes_on(served: Programs) -> None:
    """Whoever interrupts the cell is told how to follow the job again, and how to end it."""
    served.write("train.yml", "type: command\ncommand: echo begun; sleep 600\nenvironment: azureml:host@latest\n")
    served.write(
        "submit.py",
        "from azure.ai.ml import MLClient, load_job\nfrom azure.identity import DefaultAzureCredential\n"
        "client = MLClient(DefaultAzureCredential(), 'sub', 'group', 'w')\n"
        "job = load_job('train.yml')\njob.name = 'j'\nclient.jobs.create_or_update(job)\n"
        "import sys\n"
        "class Out:\n"
        "    def write(self, text):\n        if 'begun' in text: raise KeyboardInterrupt\n"
        "    def flush(self): pass\n"
        "sys.stdout = Out()\n"
        "try:\n    client.jobs.stream('j')\nexcept KeyboardInterrupt:\n    sys.stdout = sys.__stdout__\n"
        "    print(client.jobs.get('j').status)\n    client.jobs.begin_cancel('j').wait()\n",
    )
    ran = served.python("submit.py")
    assert ran.out.splitlines()[-1] == "Running", ran.err
    assert "stopped following j, which continues to run; to follow it again: ml_client.jobs.stream('j')" in ran.err
    assert "to cancel it: ml_client.jobs.begin_cancel('j')" in ran.err


def test_an_indented_cell_runs_as_in_ipython() -> None:
    """The indent of its first line is removed, where a line has it."""
    assert cells.to_python("  x = 1\n  if x:\n      y = 2\nz = 3") == "x = 1\nif x:\n    y = 2\nz = 3"
    assert cells.to_python("x = 1\n  \ny = 2") == "x = 1\n  \ny = 2"


def test_libraries_register_what_follows_a_cell(programs: Programs) -> None:
    """Without IPython, too: matplotlib does so once IPython is imported."""
    programs.notebook(
        "n.ipynb",
        "import sys; import IPython\nip = IPython.get_ipython()\nsaid = lambda: print('after')\n"
        "ip.events.register('post_execute', said)\nprint(IPython.version_info[:2] >= (8, 24))",
        "print('cell')",
        "ip.events.unregister('post_execute', said)",
    )
    ran = programs.python("n.ipynb")
    assert ran.code == 0, ran.err
    assert ran.out == "True\nafter\ncell\nafter\n"


@pytest.mark.integration
def test_figures_are_shown_where_ipython_is_installed(programs: Programs) -> None:
    """`%matplotlib inline` needs no window; a cell that asks for one is told."""
    site = str(programs.folder / "site")
    command = [
        uv.find_uv_bin(),
        "pip",
        "install",
        "-q",
        "--python",
        sys.executable,
        "--target",
        site,
        "ipython",
        "matplotlib",
    ]
    subprocess.run(command, check=True)
    programs.notebook(
        "n.ipynb",
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nfigure = plt.plot([1, 2])\nplt.show()",
        "get_ipython().enable_gui('qt')",
    )
    ran = programs.python("n.ipynb", environment={"PYTHONPATH": site})
    assert ran.code == 1
    assert "n.ipynb, cell 2, line 1: NotImplementedError: a notebook has no windows here, so 'qt' has none" in ran.err
    saved = json.loads((programs.folder / "n.executed.ipynb").read_text())["cells"]
    assert any("image/png" in output.get("data", {}) for cell in saved for output in cell.get("outputs", []))
