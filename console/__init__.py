"""Web pages for readers and leads: worklist, review, signature, quality. Nothing is served yet.

Belongs here: every use of fastapi outside the van's own page.
"""
