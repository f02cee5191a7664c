"""Branch and bound for losses with kinks: linear programmes at the nodes, bounds from their duals alone."""
