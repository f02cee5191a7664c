"""The demo, the benchmark's instances, and the run that measures them."""
