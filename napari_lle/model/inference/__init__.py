"""Arrays in, arrays out: eager, lazy, jointly, streamed, on a cluster."""
