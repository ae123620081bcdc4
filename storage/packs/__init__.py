"""Many small objects of a sweep in one: how a pack is made, read, and put in the place of what it holds."""
