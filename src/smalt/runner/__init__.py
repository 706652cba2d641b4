"""What stands between a backend and the user's command: the bash text of a step, and programs that run beside it.

Standard library only, Python 3.8 or newer. `service/compute` lays steps out and stores them; `launcher/` starts them.
"""
