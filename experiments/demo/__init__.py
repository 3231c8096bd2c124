"""The main job end to end: two recordings of one neuron become a judged and perturbed twin."""
