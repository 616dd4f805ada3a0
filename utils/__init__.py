"""Scripts' machinery: options and errors, runs and their results, tiles, images, figures, losses."""
