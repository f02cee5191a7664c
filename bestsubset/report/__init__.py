"""Words, tables and figures about a result, and the display of a search: nothing here computes a bound."""
