"""Tables 1 and 2: special functions and Feynman's equations."""
