"""A data set for research out of what the centre keeps: whose pictures may leave, under which names, with which masks.

Pure steps first (`chosen`, `pseudonyms`, `anonymity`, `truth`), then the writing (`writing`, `coco`, `datasheet`,
`manifest`). Nothing that says who a woman is leaves this package: rows go in with it, files come out without.
"""
