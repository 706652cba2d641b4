"""Whether a step of a pipeline need not run, because an earlier one was the same; and why not, where it must."""

from smalt.service.reuse.keys import Asked
from smalt.service.reuse.reuse import Reuse, Verdict

__all__ = ["Asked", "Reuse", "Verdict"]
