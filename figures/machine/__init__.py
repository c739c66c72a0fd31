"""The machinery of the figures: protocol, records, plans, computing, style, shared training."""
