"""Draw the figures whose pictures are missing or outdated, before the sources are read.

The pictures lie in figures/results, where `python -m figures --full` draws them too, and are not in the repository. Without
records, as in a source distribution, only those drawn from code alone appear.
"""

from typing import Any

import tree
from sphinx.application import Sphinx
from sphinx.util import logging

from figures.machine.stale import draw_outdated


def draw(app: Sphinx) -> None:
    """Draw in as many processes as the build has."""
    drawn = draw_outdated(tree.ROOT / "figures" / "results", max(1, app.parallel))
    logging.getLogger(__name__).info("pictures drawn: %d", len(drawn))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension; called by Sphinx."""
    app.connect("builder-inited", draw)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
