"""What positions are together: correlation, sectors, and the guard that says no. Pure, and deaf to ML."""
