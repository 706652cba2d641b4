"""The processor time of imports that is spent once for all interpreters: on compiling, where bytecode is kept."""

from __future__ import annotations

import _frozen_importlib_external
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_importing: Any = _frozen_importlib_external


class CompilationTime:
    """Adds up what imports spend, while it observes them, on bytecode that later interpreters only read."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._last = 0.0
        """Seconds that the last file took to compile; whether its bytecode is kept is not known yet."""
        self._compile = _importing.SourceLoader.source_to_code
        self._keep = _importing.SourceFileLoader._cache_bytecode

    def begin_observation(self) -> None:
        def compile_source(loader: Any, *args: Any, **named: Any) -> Any:
            begun = time.process_time()
            try:
                return self._compile(loader, *args, **named)
            finally:
                self._last = time.process_time() - begun

        def keep_bytecode(loader: Any, source: str, place: str, data: Any) -> None:
            begun = time.process_time()
            self._keep(loader, source, place, data)
            if os.path.exists(place):
                self.seconds += self._last + time.process_time() - begun

        _importing.SourceLoader.source_to_code = compile_source
        _importing.SourceFileLoader._cache_bytecode = keep_bytecode

    def end_observation(self) -> None:
        _importing.SourceLoader.source_to_code = self._compile
        _importing.SourceFileLoader._cache_bytecode = self._keep
