"""Choices of many subjects in a task: the surrogate beside the learners of the literature, with a shortcut audit."""
