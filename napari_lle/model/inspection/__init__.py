"""What every stage of the network sees and makes."""
