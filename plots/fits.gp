# How large the letters of a legend are, of their usual size, whose longest entry has to fit into the picture.
fits = at_most(1, (width - 84.0) / (7.2 * longest))
