"""The summary in words on top of the page: each sentence is one function of figures, each with its rule."""
