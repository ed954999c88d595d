"""One law a file, over every registered object."""
