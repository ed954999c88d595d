"""Linear operators: matrices that are applied, solved and measured without being formed."""
