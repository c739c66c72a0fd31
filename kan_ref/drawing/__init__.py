"""Diagrams of networks, drawn with Matplotlib."""

from kan_ref.drawing.drawing import draw_network as draw_network
from kan_ref.drawing.film import save_film as save_film
from kan_ref.drawing.painting import png_of as png_of
