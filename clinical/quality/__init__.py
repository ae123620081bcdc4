"""Is it still right? How far outlines agree with readers', whether what comes in or goes out drifts, what to look at.

Pure functions over small lists of figures, numpy alone. The unit is a screening: frames of one woman are alike, so that
whatever is tested or drawn here is whole screenings. docs/quality.md says what follows from it.
"""
