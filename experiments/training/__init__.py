"""`twin train` and `twin adapt`: train a surrogate on recordings, and give it a readout for a new one."""
