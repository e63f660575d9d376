"""Stands for the dock's `image` module: the types of images that the SDK documents."""

NONE, PNG, BMP, JPEG = range(4)
