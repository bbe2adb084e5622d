"""The preferences, and what this machine has for networks to run on."""
