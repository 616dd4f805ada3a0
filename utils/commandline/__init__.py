"""What every command has: options, the device, one line for bad input."""
