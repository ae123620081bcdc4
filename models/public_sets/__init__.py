"""Public sets of ultrasound pictures: read as their publishers lay them out, written as this project reads sets.

Belongs here: one small module for each layout, which knows its file names and tables and nothing else; the rule by
which pictures count as alike; the writing of pictures, masks and `index.csv`. No picture of a set is part of this
project: whoever has a set on disk imports it, and its terms stay its publisher's.

    done = import_set("busi", Path("Dataset_BUSI_with_GT"), Path("data"))   # writes data/busi/index.csv
    print(done.rows, done.left_out)
"""
