"""From a capture to the network's input: grey values, the ultrasound field, square pixels, the network's square.

Belongs here: whatever happens to a picture before a network sees it, and whether it can be assessed at all.
"""
