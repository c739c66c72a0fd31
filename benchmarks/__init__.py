"""Programs that measure: speed, accuracy, what is found. Each prints a table and ends with status 1 above its bar."""

import os

# one thread for every library; this module is imported before NumPy
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
