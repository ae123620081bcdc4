"""What travels between the van and the centre: topics, records, ids, the frame codec, signatures.

Belongs here: everything that two processes must agree on, and nothing that runs. This room imports no other.
"""
