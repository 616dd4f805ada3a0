"""The trainings of other methods."""
