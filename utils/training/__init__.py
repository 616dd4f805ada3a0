"""What the training scripts run."""
