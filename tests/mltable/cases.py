"""Tables read by smalt's mltable and by Azure's, which must give the same: what a case is, and how it is run.

Run as a program by a Python that has `mltable`, this writes what each case gives there as JSON:
`PYTHON tests/mltable/cases.py OUT.json` (bench/mltable.py does so with the official package). What the official package
1.7.0 gave, with pandas 2.3, is expected.json; of what smalt does otherwise, and why, there is `differs`.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import shutil
import sys
import tempfile
import warnings

HERE = os.path.dirname(os.path.abspath(__file__))


class Case:
    """A folder of files with an MLTable, and a Python expression of the table `t` and the module `m`."""

    def __init__(self, name, files, table=None, program="t", differs=None):
        self.name = name
        self.files = files
        self.table = table
        self.program = program
        self.differs = differs
        """Why smalt gives something else here; None where it must give the same."""

    def run(self, m):
        """What it gives: columns with their types and values, a value, or an error."""
        folder = os.path.realpath(tempfile.mkdtemp())
        before = os.getcwd()
        try:
            write(self.files, folder)
            if self.table is not None:
                write({"MLTable": self.table}, folder)
            os.chdir(folder)
            with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
                warnings.simplefilter("ignore")
                return self._result(m, folder)
        finally:
            os.chdir(before)
            shutil.rmtree(folder)

    def _result(self, m, folder):
        try:
            t = m.load(folder) if self.table is not None else None
            found = eval(self.program, {"t": t, "m": m, "os": os})
            found = found.to_pandas_dataframe() if isinstance(found, m.MLTable) else found
        except Exception as error:
            sentence = str(error).replace(folder, "D")
            return {"error": True, "sentence": sentence, "kind": type(error).__name__}
        if not hasattr(found, "dtypes"):
            return {"value": json.loads(json.dumps(found).replace(folder, "D"))}
        return {"columns": [[str(name), *column(found[name], folder)] for name in found.columns]}


def write(files, folder):
    for name, content in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if content.startswith("data:"):
            source = os.path.join(HERE, "data", content[5:])
            (shutil.copytree if os.path.isdir(source) else shutil.copyfile)(source, path)
            continue
        with open(path, "wb") as file:
            file.write(content.encode("utf-8", "surrogateescape"))


def column(series, folder):
    kind = str(series.dtype)
    return ["object" if kind == "str" else kind, [plain(value, folder) for value in series]]


def plain(value, folder):
    """A value as JSON has it, the same for both packages and any pandas."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, (list, tuple)):
        return [plain(each, folder) for each in value]
    if isinstance(value, dict):
        return {key: plain(each, folder) for key, each in value.items()}
    if value is None or str(value) == "NaT":
        return None
    if isinstance(value, float) and math.isinf(value):
        return str(value)
    if isinstance(value, (bool, int, float, str)):
        return value.replace(folder, "D") if isinstance(value, str) else value
    return str(value).replace(folder, "D")


def delimited(name, text, options=(), program="t", more="", differs=None):
    """A case of one file a.csv."""
    lines = "".join(f"      {line}\n" for line in options)
    table = 'paths:\n  - file: ./a.csv\ntransformations:\n  - read_delimited:\n      delimiter: ","\n' + lines + more
    return Case(name, {"a.csv": text}, table, program, differs)


def all_cases():
    sys.path.insert(0, os.path.dirname(os.path.dirname(HERE)))
    from tests.mltable import delimited_cases, file_cases, surface_cases, table_cases

    return [*delimited_cases.cases(), *table_cases.cases(), *file_cases.cases(), *surface_cases.cases()]


def run_all(m):
    return {case.name: case.run(m) for case in all_cases()}


if __name__ == "__main__":
    import mltable

    results = run_all(mltable)
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        json.dump(results, out, indent=0, sort_keys=True)
