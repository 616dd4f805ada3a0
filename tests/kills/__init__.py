"""Trainings that are killed at random moments: the command is `python -m tests.kills`."""
