"""One bot for all tests of this folder: a package, so that what is made for it ends with it."""
