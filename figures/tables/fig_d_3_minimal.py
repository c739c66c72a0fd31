"""Fig. D.3: diagrams of the smallest KANs of 27 Feynman equations whose test error is below 1e-2.

Liu et al. 2024, appendix D. The networks are those of Table 2, first seed.
"""

from collections.abc import Sequence

from matplotlib.figure import Figure

from figures.machine.derived import configs as configs
from figures.machine.derived import cost as cost
from figures.machine.derived import run as run
from figures.machine.machine import Claim, Record
from figures.tables import table_2
from figures.tables.feynman import FEYNMAN
from figures.tables.shape_claims import paper_shape_claim, smaller_than_human_claim
from figures.tables.table_picture import draw_diagrams

NAME = "d.3"
TITLE = "smallest KANs of Feynman equations"
RECORDS_OF = (table_2,)


def draw(records: Sequence[Record]) -> Figure:
    """Draw the diagrams."""
    return draw_diagrams(records, FEYNMAN, best=False)


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return the rows on the paper's smallest shapes, and on automatic and human shapes."""
    return [
        *paper_shape_claim(records, FEYNMAN, "minimal"),
        *smaller_than_human_claim(records, FEYNMAN),
    ]
