"""How much say ML has: phases, reviews, cuts and breakers, and the evidence that they rest on."""
