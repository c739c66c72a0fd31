"""Diagrams of networks, drawn with Matplotlib, and what notebooks show for a record."""

from kan_ref.drawing.film import save_film as save_film
from kan_ref.drawing.painting import draw_network as draw_network
from kan_ref.drawing.representations import html_of as html_of
from kan_ref.drawing.representations import latex_of as latex_of
