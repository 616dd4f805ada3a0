"""What every command has: options, the device, one line for bad input.

All of utils imports it; of utils it imports nothing.
"""
