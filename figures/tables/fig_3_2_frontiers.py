"""Fig. 3.2: Pareto frontiers, error against number of parameters, of KANs and MLPs on 15 special functions.

Liu et al. 2024, section 3.2. The runs are those of Table 1.
"""

from collections.abc import Sequence

from matplotlib.figure import Figure

from figures.machine.derived import configs as configs
from figures.machine.derived import cost as cost
from figures.machine.derived import run as run
from figures.machine.machine import Claim, Record
from figures.tables import table_1
from figures.tables.shape_claims import equal_size_claims
from figures.tables.special_functions import SPECIAL_FUNCTIONS
from figures.tables.table_picture import draw_frontiers

NAME = "3.2"
TITLE = "Pareto frontiers of special functions"
RECORDS_OF = (table_1,)


def draw(records: Sequence[Record]) -> Figure:
    """Draw the frontiers of test and training error."""
    return draw_frontiers(records, SPECIAL_FUNCTIONS)


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return the rows on KANs and MLPs of equal size."""
    return equal_size_claims(records, SPECIAL_FUNCTIONS)
