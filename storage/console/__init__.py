"""What the console keeps in SQL of its own: accounts of people, their sessions, and what readers have claimed.

Belongs here: tables, their migrations, and the statements on them. Nothing of a woman but the id of her screening.
"""
