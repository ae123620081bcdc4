"""Tests of the stage `catalog`."""
