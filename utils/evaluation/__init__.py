"""What the test scripts run."""
