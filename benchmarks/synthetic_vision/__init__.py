"""A stimulus-driven known answer: animals that see natural-like movies, whose rates are known."""
