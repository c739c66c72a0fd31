"""Anderson localization in quasiperiodic chains: Figs. 4.5 and 4.6, Table 5."""
