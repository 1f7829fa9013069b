"""`python -m coordinator`."""

from coordinator.cli import main

# Worker processes import the main module anew; they are not to begin anew.
if __name__ == "__main__":
    main()
