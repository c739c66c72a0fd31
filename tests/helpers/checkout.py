"""Where the checkout is: the folder of pyproject.toml."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
