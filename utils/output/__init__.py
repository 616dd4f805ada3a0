"""Result folders, images and figures."""
