"""The plan by which a step may start as a child of a warm parent: docs/internals/warm-starts.md."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smalt import inside
from smalt.machine.home import Home
from smalt.service.compute.local.program_checks import UnreadableProgram
from smalt.service.compute.local.warm_commands import PythonCommand, is_python, parse_python_command
from smalt.service.compute.local.warm_programs import Program, find_module, read_program
from smalt.service.compute.spec import StepSpec
from smalt.service.compute.step import Folders
from smalt.service.data import remove_tree
from smalt.service.environments import BuiltEnvironment
from smalt.service.environments.views.overlay_layout import OverlayTemplate, write_overlay
from smalt.service.settings import ServerSettings

_SWITCHES = {"true": "on", "false": "off"}
"""The words that YAML's `on` and `off` may have become."""
_MOST_PROGRAMS = 512
_EXPRESSION = re.compile(r"\$\{\{.*?\}\}")
_MATPLOTLIBRC = "matplotlibrc"

_READ_AT_START = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "VIRTUAL_ENV"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "MLFLOW_DISABLE_TELEMETRY", "GLIBC_TUNABLES"),
        *("PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONUSERBASE", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE"),
        *("PYTHONNOUSERSITE", "PYTHONUTF8", "PYTHONIOENCODING"),
    }
)
"""Variables that a parent has as its children have them. None of them is a place for a secret."""
_READ_BY_SHELL = ("BASH", "SHELLOPTS", "POSIXLY_CORRECT")
"""Beginnings of the names of variables by which bash runs a file, defines functions or sets options at its start."""
_READ_BY_LIBRARIES = (
    *("LC_", "LD_", "OMP_", "GOMP_", "KMP_", "OPENBLAS_", "GOTO_", "MKL_", "BLIS_", "VECLIB_", "NUMEXPR_", "NPY_"),
    *("NUMPY_", "PANDAS_", "SCIPY_", "SKLEARN_", "JOBLIB_", "LOKY_", "MPL", "MATPLOTLIB", "POLARS_", "ARROW_"),
    *("RAYON_", "MALLOC_", "_RJEM_", "CUDA_", "NVIDIA_", "NCCL_", "XDG_", "LIGHTGBM", "XGB", "TORCH", "PYTORCH_"),
    *("ATEN_", "GRPC_", "DNNL_", "ONEDNN_", "OPENSSL_", "SSL_", "MIMALLOC_", "JE_", "TCMALLOC_", "GLIBC_", "ACC_"),
    *("CUBLAS_", "CUDNN_", "HSA_", "HIP_", "ROCR_", "TBB_", "INTEL_", "FLEXIBLAS", "BLAS_", "GFORTRAN_", "RUST_"),
    *("I_MPI_", "OMPI_", "UCX_", "PMIX_", "LOCPATH", "GCONV_PATH", "TZDIR", "EVENT_", "GODEBUG"),
)
"""Beginnings of the names of variables that libraries in C read when they are loaded."""
_READ_BY_OTHERS = ("TF_", "XLA_", "HDF5_", "JAX_", "KERAS_", "NUMBA_", "GDAL_", "PROJ_")
"""Beginnings of names that only other packages read, which a parent may load with its own: a program may set them."""
_OBSERVER = str(Path(inside.__path__[0], "warm", "observed_variables.py"))
_OBSERVING = (
    f"import os; exec(compile(open({_OBSERVER!r}).read(), {_OBSERVER!r}, 'exec'), {{'__name__': '_smalt_pth'}})\n"
)
"""The line by which a parent takes note of the variables that are read from its very beginning."""
_OBSERVING_KEY = hashlib.sha256(_OBSERVING.encode()).hexdigest()[:8]


class WarmStarts:
    """Makes the plans; reads each program once."""

    def __init__(self, home: Home, settings: ServerSettings) -> None:
        self._folder = f"{home.shell_safe_path}/launcher/warm"
        self._settings = settings
        self._programs: OrderedDict[tuple[str, str], Program | str] = OrderedDict()
        self._reading: dict[tuple[str, str], asyncio.Lock] = {}

    def has_read(self, spec: StepSpec) -> bool:
        """Return True if the step's program was read before, or is none to be read."""
        parsed = self._parse_ahead(spec)
        return parsed is None or _make_key(spec, parsed) in self._programs

    async def read_ahead(self, spec: StepSpec, folder: str) -> None:
        """Read the step's program, whose code is in the folder, without holding up the loop."""
        parsed = self._parse_ahead(spec)
        if parsed is None:
            return
        key = _make_key(spec, parsed)
        try:
            async with self._reading.setdefault(key, asyncio.Lock()):
                if key not in self._programs:
                    # If the step is cancelled, its folder may go meanwhile; what is read then is not kept.
                    self._note_program(key, await asyncio.to_thread(_read_code, parsed, folder))
        finally:
            self._reading.pop(key, None)

    def _parse_ahead(self, spec: StepSpec) -> PythonCommand | None:
        """Return the command as far as it is known before its inputs are; None if it is no Python program's."""
        if spec.code is None or spec.folder is not None or self._get_switch(spec) != "on":
            return None
        if spec.distribution is not None or not is_python(spec.command):
            return None
        return parse_python_command(_EXPRESSION.sub("x", spec.command), spec.variables)

    def _get_switch(self, spec: StepSpec) -> str:
        return self._settings.warm if spec.warm is None else _SWITCHES.get(spec.warm.lower(), spec.warm)

    def make_plan(
        self,
        spec: StepSpec,
        command: str,
        variables: Mapping[str, str],
        environment: BuiltEnvironment,
        folders: Folders,
    ) -> tuple[dict[str, Any] | None, str]:
        """Return the plan, or None and why a Python program starts cold; no reason where the question is none."""
        switch = self._get_switch(spec)
        if (
            spec.folder is not None
            or switch != "on"
            or not is_python(command)
            or environment.folder is None
            or environment.template is None
        ):
            known = switch in ("on", "off")
            return None, "" if known else f"its property smalt.warm is neither on nor off, but '{switch}'"
        if spec.distribution is not None:
            return None, "the step is distributed"
        parsed = parse_python_command(command, variables)
        if parsed is None or parsed.words[0] not in (*environment.template.commands,):
            return None, "its command has more of a shell, or of Python's options, than can be read ahead"
        own = {**variables, **parsed.assigned}
        problem = _find_problem(spec, parsed, own, environment)
        program = problem or self._read_program(spec, parsed, folders)
        if isinstance(program, str):
            return None, program
        if program.modules and os.path.exists(os.path.join(folders.cwd, _MATPLOTLIBRC)):
            return None, f"its folder has a {_MATPLOTLIBRC}, which matplotlib reads at its import"
        if name := _find_own_file(own, folders.cwd):
            return None, f"the variable {name}, which is read at import, names a file of its own folder"
        for name in program.writes:
            if name in _READ_AT_START or name.startswith((*_READ_BY_LIBRARIES, "PYTHON")):
                return None, f"its program sets {name}, which is read at import"
        try:
            return self._build_plan(spec, parsed, program, own, environment, folders), ""
        except OSError as error:
            return None, f"its interpreter's folder cannot be made: {error.strerror}"

    def explain_no_plan(self, spec: StepSpec, command: str) -> str:
        """Say why the step was not considered for a warm start; '' if the user could not have changed it."""
        if spec.folder is not None:
            return ""
        if self._get_switch(spec) == "off":
            return "warm starts are off" if spec.warm is None else "its property smalt.warm is off"
        return "" if is_python(command) else "its command is not one Python program"

    def _build_plan(
        self,
        spec: StepSpec,
        parsed: PythonCommand,
        program: Program,
        variables: Mapping[str, str],
        environment: BuiltEnvironment,
        folders: Folders,
    ) -> dict[str, Any]:
        assert environment.template is not None
        view = str(environment.folder)
        folder = f"{self._folder}/{environment.key[:24]}.{_OBSERVING_KEY}"
        if not os.path.exists(f"{folder}/pyvenv.cfg"):
            self._make_view(environment.template, folder)
        start = {
            name: value.replace(view, folder)
            for name, value in variables.items()
            if _is_read_early(name, environment) and not _is_secret(spec, name, value)
        }
        key = json.dumps([folder, environment.realised_hash, start], sort_keys=True)
        return {
            "key": hashlib.sha256(key.encode()).hexdigest(),
            "folder": folder,
            "env": start,
            "modules": list(program.modules),
            "idle": self._settings.warm_idle_minutes * 60,
            "view": view,
            "cwd": folders.cwd,
            "argv": parsed.words,
            "first": parsed.first,
            "script": parsed.script,
            "module": parsed.module,
            "assigned": parsed.assigned,
            "names": sorted(program.names),
            "folders": sorted(program.folders),
            "writes": sorted(program.writes),
            "command": parsed.typed,
            "line": parsed.line,
            "say": f"{folders.artifacts}/system_logs/smalt.log",
            "explains": spec.warm is not None,
            "has_siblings": spec.is_trial,
        }

    def _make_view(self, template: OverlayTemplate, folder: str) -> None:
        """Make the view of the environment that a parent has, as a whole."""
        partial = f"{folder}.{os.getpid()}"
        remove_tree(Path(partial))
        os.makedirs(self._folder, exist_ok=True)
        write_overlay(template, Path(partial))
        # The name comes first in the order in which Python reads such files: it sees what the others do.
        Path(partial, template.library, "site-packages", "!smalt_warm.pth").write_text(_OBSERVING)
        os.rename(partial, folder)

    def _read_program(self, spec: StepSpec, parsed: PythonCommand, folders: Folders) -> Program | str:
        """Return the program, or why it cannot be read."""
        if spec.code is None:
            return "it has no code of its own"
        known = self._programs.get(key := _make_key(spec, parsed))
        return known if known is not None else self._note_program(key, _read_code(parsed, folders.cwd))

    def _note_program(self, key: tuple[str, str], program: Program | str) -> Program | str:
        self._programs[key] = program
        if len(self._programs) > _MOST_PROGRAMS:
            self._programs.popitem(last=False)
        return program


def _make_key(spec: StepSpec, parsed: PythonCommand) -> tuple[str, str]:
    return str(spec.code), parsed.script or f"-m {parsed.module}"


def _read_code(parsed: PythonCommand, folder: str) -> Program | str:
    script = parsed.script or find_module(folder, parsed.module)
    try:
        if script is None:
            return f"the module {parsed.module} is not in its code"
        if not os.path.isfile(os.path.join(folder, script)):
            return f"there is no {script} in its code"
        return read_program(folder, script, parsed.module)
    except UnreadableProgram as error:
        return str(error)
    except (RecursionError, MemoryError):
        return "its code is nested too deeply to be read ahead"
    except OSError as error:
        return f"its code cannot be read: {error.strerror}"


def _find_problem(
    spec: StepSpec, parsed: PythonCommand, variables: Mapping[str, str], environment: BuiltEnvironment
) -> str:
    """Return why the interpreter would not be like the parent; empty if it would."""
    if "PATH" in parsed.assigned or variables["PATH"].split(":")[1:2] != [str(environment.bin)]:
        return "its PATH is its own"
    if parsed.is_unbuffered and not variables.get("PYTHONUNBUFFERED"):
        return "-u is another kind of interpreter"
    if ":" in variables.get("PYTHONPATH", ""):
        return "its PYTHONPATH is its own"
    for name in variables:
        if name.startswith(_READ_BY_SHELL):
            return f"the variable {name} is read by the step's shell"
        if name.startswith("PYTHON") and name not in _READ_AT_START:
            return f"the variable {name} is read at the interpreter's start"
        if name.startswith(_READ_BY_LIBRARIES) and _is_secret(spec, name, variables[name]):
            return f"the variable {name}, which is read at import, is a secret"
    return ""


def _find_own_file(variables: Mapping[str, str], folder: str) -> str:
    """Return a variable of a library that names a file by its place in the step's folder, where no parent is."""
    for name, value in variables.items():
        is_place = name.startswith(_READ_BY_LIBRARIES) and bool(value) and not os.path.isabs(value)
        if is_place and os.path.isfile(os.path.join(folder, value)):
            return name
    return ""


def _is_read_early(name: str, environment: BuiltEnvironment) -> bool:
    begins = (*_READ_BY_LIBRARIES, *_READ_BY_OTHERS)
    return name in _READ_AT_START or name.startswith(begins) or name in environment.variables


def _is_secret(spec: StepSpec, name: str, value: str) -> bool:
    """Return True if the variable's value is not the one that the job names, but what its vault has for that."""
    return spec.variables.get(name, value) != value
