"""From an accepted job to a finished one."""
