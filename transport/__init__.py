"""Kafka for everyone who is not a Faust app: produce, administer, tail.

Belongs here: every use of kafka-python. Imports contracts alone.
"""
