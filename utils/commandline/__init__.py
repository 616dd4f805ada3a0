"""The parts of every command: options (`parser`), the device, and one line for bad input (`errors`).

All of utils imports this folder; it imports nothing else of utils.
"""
