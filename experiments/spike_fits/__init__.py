"""What the experiments on spike times share: trains and their scores, baselines, and models fitted with `calibrate`."""
