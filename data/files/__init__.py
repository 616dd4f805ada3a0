"""One file each: arrays, images, windows of rasters.

All of data imports it; of data it imports `errors` alone.
"""
