"""Between stored pixels and what the network sees: levels, statistics, tiles."""
