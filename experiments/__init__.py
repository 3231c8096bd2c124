"""What users run: the command line, and one folder or short file for each experiment."""
