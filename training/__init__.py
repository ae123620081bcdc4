"""Pictures to weights: the networks as torch modules, their training, their export to ONNX and to the registry.

Belongs here: torch, and whatever only training needs; an environment and a lock file of its own. Imports models and
clinical. What the running product needs to measure networks (data, cards, precisions) is `sonovan.models.evaluation`.
"""
