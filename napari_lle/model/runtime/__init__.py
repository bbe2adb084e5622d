"""The machine: devices, threads, and what to do when memory runs out."""
