"""Proofs that anyone can check: what is written, and two checkers that share nothing with the search."""
