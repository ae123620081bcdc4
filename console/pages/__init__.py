"""One module per area. Each exports `DOORS`, its rows of the table of doors, which `table.py` gathers."""
