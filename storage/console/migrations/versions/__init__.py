"""One script for each version of the console's tables."""
