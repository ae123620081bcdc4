"""Small networks that read the features of the large one: trust, lesions, and masks that somebody asks for.

Belongs here: each head's graph on the runtime, the numbers that it reads, and what it says of a picture or a region.
"""
