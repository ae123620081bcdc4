"""Web pages for readers, leads and engineers (`sonovan console`): worklist, reading, signing, alerts, people.

Belongs here: doors (which address answers whom), sessions, pages in two languages. It reads the catalogue and writes
records alone. fastapi lives here; what is kept in SQL is in `storage/console/`.
"""
