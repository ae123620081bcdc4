"""What `sonovan doctor` and `sonovan van doctor` look at: each module asks one kind of thing and gives a line for each.

Nothing here changes anything, not even where a remedy would be a single command: somebody reads the line first.
"""
