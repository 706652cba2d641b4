"""What stands between a backend and the user's command: the bash text of a step, and programs that run beside it.

Standard library only, Python 3.8 or newer. Laying out and storing a step is `service/compute`'s; starting it, `launcher/`'s.
"""
