"""The command line, see `app`."""
