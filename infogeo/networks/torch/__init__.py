"""PyTorch modules as networks: what needs torch stands behind functions, so that the package can be read without it."""
