"""Figures 4.3 and 4.4 and tables 3 and 4: the signature of knots, and relations among their geometric invariants."""
