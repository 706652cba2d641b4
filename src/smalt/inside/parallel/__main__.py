from __future__ import annotations

import sys

from _smalt_parallel.program import main  # type: ignore[import-not-found]

if __name__ == "__main__":
    sys.exit(main())
