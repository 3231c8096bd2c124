"""NeuroElectro: what recording conditions explain of published neuron properties, and where that cannot be known."""
