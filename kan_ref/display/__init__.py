"""Representations of records in notebooks: HTML with pictures, and LaTeX."""

from kan_ref.display.representations import html_of as html_of
from kan_ref.display.representations import latex_of as latex_of
