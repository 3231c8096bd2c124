"""Mouse V1: a core trained on some mice, and a mouse that was left out."""
