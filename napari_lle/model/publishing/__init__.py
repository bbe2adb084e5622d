"""What goes with a published image: its texts, a bundle, and the run once more."""
