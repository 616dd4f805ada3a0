"""What every command has: options (`parser`), the device, and one line for bad input (`errors`).

All of utils imports it; of utils it imports nothing.
"""
