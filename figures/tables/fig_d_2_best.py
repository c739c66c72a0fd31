"""Fig. D.2: diagrams of the best KANs of 27 Feynman equations.

Liu et al. 2024, appendix D. The networks are those of Table 2, first seed, the shape chosen on validation data.
"""

from collections.abc import Sequence

from matplotlib.figure import Figure

from figures.machine.derived import configs as configs
from figures.machine.derived import cost as cost
from figures.machine.derived import run as run
from figures.machine.machine import Claim, Record
from figures.tables import table_2
from figures.tables.feynman import FEYNMAN
from figures.tables.shape_claims import paper_shape_claim
from figures.tables.table_picture import draw_diagrams

NAME = "d.2"
TITLE = "best KANs of Feynman equations"
RECORDS_OF = (table_2,)


def draw(records: Sequence[Record]) -> Figure:
    """Draw the diagrams."""
    return draw_diagrams(records, FEYNMAN, best=True)


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return the row on the paper's best shapes."""
    return paper_shape_claim(records, FEYNMAN, "best")
