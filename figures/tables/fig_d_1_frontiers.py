"""Fig. D.1: Pareto frontiers, error against number of parameters, of KANs and MLPs on 27 Feynman equations.

Liu et al. 2024, section 3.3 and appendix D. The runs are those of Table 2.
"""

from collections.abc import Sequence

from matplotlib.figure import Figure

from figures.machine.derived import configs as configs
from figures.machine.derived import cost as cost
from figures.machine.derived import run as run
from figures.machine.machine import Claim, Record
from figures.tables import table_2
from figures.tables.feynman import FEYNMAN
from figures.tables.shape_claims import about_equal_claim, equal_size_claims
from figures.tables.table_picture import draw_frontiers

NAME = "d.1"
TITLE = "Pareto frontiers of Feynman equations"
RECORDS_OF = (table_2,)


def draw(records: Sequence[Record]) -> Figure:
    """Draw the frontiers of test and training error."""
    return draw_frontiers(records, FEYNMAN)


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return the rows on KANs and MLPs of any and of equal size."""
    return [*about_equal_claim(records, FEYNMAN), *equal_size_claims(records, FEYNMAN)]
