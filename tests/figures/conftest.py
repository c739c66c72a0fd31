"""The small figure of `toy_runs`, and the program with this figure alone."""

from toy_runs import toy as toy
from toy_runs import toy_program as toy_program
