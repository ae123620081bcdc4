"""Planted text: screens drawn around real pictures, with names, ids, dates and addresses; what of them is hidden."""
