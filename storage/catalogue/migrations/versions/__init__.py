"""One script for each version of the catalogue's tables."""
