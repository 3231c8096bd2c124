"""`twin experiment cells`: models fitted to some steps of each cell, and scored by features of the steps held out."""
