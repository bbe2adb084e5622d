"""The network, its configuration, and the files that models are kept in."""
