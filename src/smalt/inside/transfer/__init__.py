"""Copies, imports and exports data for a data transfer job. Inside jobs it is loaded by path, as `_smalt_transfer`.

Folders are copied with the standard library; the modules of tables and databases need an environment with SQLAlchemy
and Arrow, and are loaded for tasks that have one.
"""

import os
import sys

if sys.argv[0] == "-m":  # the folder that the job runs in may have modules called like those of the standard library
    sys.path[:] = [path for path in sys.path if path not in ("", os.getcwd())]
