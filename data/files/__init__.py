"""One file each: arrays, images, windows of rasters; written whole or not at all."""
