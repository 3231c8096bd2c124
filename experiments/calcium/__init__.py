"""From spikes to fluorescence: an observation model that is fitted to some data sets and scored on others."""
