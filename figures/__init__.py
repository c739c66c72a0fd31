"""The paper's toy figures, computed again: `python -m figures [NAME...]` from the checkout.

One module per figure. Its `run` turns a configuration into a record of plain numbers, its `draw` turns records into a
picture, its `claims` sets the paper's statements beside what was measured. `machine` keeps the records and runs what is
missing. Nothing is imported here: the program has to set the number of threads before NumPy loads.
"""
