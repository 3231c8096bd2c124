"""Retinal waves of many laboratories: pretraining, studies that were left out, and what conditioning brings."""
