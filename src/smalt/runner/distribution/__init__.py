"""The processes of a distributed command on this machine: their variables, their logs, their end.

Standard library only. `__main__` is run by path, beside the job; the server imports nothing but that path.
"""

from pathlib import Path

PROGRAM = str(Path(__file__).with_name("__main__.py"))
"""The program's path; its argument is a plan (see there)."""
