"""Fixtures of the toy figure."""

from toy_figures import toy as toy
from toy_figures import toy_program as toy_program
