"""What several widgets are built of: background jobs, layers, regions, choices, plots."""
