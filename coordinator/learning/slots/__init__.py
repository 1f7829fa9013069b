"""The policy that divides the slots among the pairs: its market, its training and its file."""
