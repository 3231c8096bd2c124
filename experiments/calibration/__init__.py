"""`twin calibrate`: a model of the library fitted to one recording, with a page, a verdict and a Brian2 script."""
