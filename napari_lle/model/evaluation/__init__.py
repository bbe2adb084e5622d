"""How good a model is, always beside what costs nothing."""
