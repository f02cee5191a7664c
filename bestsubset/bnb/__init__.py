"""The native branch and bound for squared error: its trees, bounds and kernels."""
