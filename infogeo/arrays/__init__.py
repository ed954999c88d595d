"""Arrays at hand: batches in blocks, one evaluation a point, random draws."""
