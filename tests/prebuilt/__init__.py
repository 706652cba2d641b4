"""The prebuilt components' program, imported as their jobs import it."""

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "src/smalt/prebuilt"
sys.path.insert(0, str(FOLDER / "code"))
