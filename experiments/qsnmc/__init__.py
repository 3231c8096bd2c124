"""The spike-timing competition of 2007, challenge A: stimuli that were left out."""
