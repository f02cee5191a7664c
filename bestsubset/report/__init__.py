"""Words and tables about a result: nothing here computes a bound."""
