"""How well a network does on pictures whose truth is known: reading them, measures, intervals, a page.

Belongs here: numpy and opencv, no torch; training, benchmarks and the command line all read and measure with this.

    rows = read_folder(Path("busi"), split="validation", organ="breast")
    print(summary(evaluate(segmenter, rows)))
"""
