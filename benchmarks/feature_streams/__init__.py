"""Continuous targets from feature streams: an encoding that is known, new subjects, and one real fMRI series."""
