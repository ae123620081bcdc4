"""Training has an environment and a run of its own: `make test-training`. Without torch nothing of it is collected."""

import importlib.util

collect_ignore_glob = [] if importlib.util.find_spec("torch") else ["test_*.py"]
