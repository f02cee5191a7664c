"""The comparison with other exact solvers of the same problem, on the same files, in the same run."""
