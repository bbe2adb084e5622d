"""The stage inspector."""
