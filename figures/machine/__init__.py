"""What runs figures: the protocol, records, computing here or on a cluster, style, and ladders of grids that several figures climb."""
