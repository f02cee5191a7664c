"""Problems in files: a specification in YAML, checked as a whole, becomes a list of runs."""
