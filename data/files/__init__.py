"""Readers of single files, and atomic writing.

image_file.py reads PNG, JPEG and TIFF, array_file.py HDF5, MATLAB and .npy, raster_windows.py rasters larger than
memory, and band_images.py fused images in any of these formats. atomic.py writes files. All of data imports this
folder. It imports nothing from the rest of data except `errors`.
"""
