from .ternary import plot_ternary as plot_ternary

__all__ = ["plot_ternary"]
