"""Fig. F.1: diagrams of the best KANs of 15 special functions.

Liu et al. 2024, appendix F. The networks are those of Table 1, first seed, the shape chosen on validation data.
"""

from collections.abc import Sequence

from matplotlib.figure import Figure

from figures.machine.derived import configs as configs
from figures.machine.derived import cost as cost
from figures.machine.derived import run as run
from figures.machine.machine import Claim, Record
from figures.tables import table_1
from figures.tables.shape_claims import paper_shape_claim
from figures.tables.special_functions import SPECIAL_FUNCTIONS
from figures.tables.table_picture import draw_diagrams

NAME = "f.1"
TITLE = "best KANs of special functions"
RECORDS_OF = (table_1,)


def draw(records: Sequence[Record]) -> Figure:
    """Draw the diagrams."""
    return draw_diagrams(records, SPECIAL_FUNCTIONS, best=True)


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return the row on the paper's best shapes."""
    return paper_shape_claim(records, SPECIAL_FUNCTIONS, "best")
