"""One file each: image_file.py (PNG, JPEG, TIFF), array_file.py (HDF5, MATLAB, .npy), raster_windows.py (rasters larger
than memory), band_images.py (anybody's fused images); atomic.py writes a file whole or not at all.

All of data imports it; of data it imports `errors` alone.
"""
