"""How well readers agree who drew and described the same pictures, and what they agree on.

Belongs here: numpy and SimpleITK; consensus masks, agreement on outlines and on words, and which readings stand out.
Where readings come from (folders, reviews of the centre) is the business of whoever calls.

    told = agreement([Reading("p1", "op-7", mask), Reading("p1", "op-9", other)])
"""
