"""The programs of `accuracy/` are a folder of scripts."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "accuracy"))
