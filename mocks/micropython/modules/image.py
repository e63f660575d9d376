"""Stands for the dock's `image` module."""

NONE, PNG, BMP, JPEG = range(4)


class ImageToken:
    """Stands for an image of the datastore. It is made by `ImageStore.get_token` only."""

    def __init__(self, *_):
        raise TypeError("an ImageToken comes from ImageStore.get_token")

    @classmethod
    def _of(cls, tag, data):
        token = object.__new__(cls)
        token._tag, token._data = tag, data
        return token
