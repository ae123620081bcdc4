"""What runs a network: two runtimes behind one seam (`runner.py`), and the measurement that chooses (`choose.py`)."""
