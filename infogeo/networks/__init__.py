"""Networks: layers, their composition with exact derivatives, and conditional models with exponential-family outputs."""
