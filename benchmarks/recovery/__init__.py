"""Synthetic truth: parameters that are known are found again, with intervals and posteriors that are right."""
