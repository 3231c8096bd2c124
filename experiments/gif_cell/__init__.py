"""One cortical cell under frozen noise: spike times, escape noise and voltage, with and without corrections."""
