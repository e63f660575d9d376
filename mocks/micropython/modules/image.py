"""Stands for the dock's `image` module."""

NONE, PNG, BMP, JPEG = range(4)


class ImageToken:
    """Stands for an image of the datastore. It is made by `ImageStore.get_token` only."""

    def __init__(self, *_):
        raise TypeError("an ImageToken comes from ImageStore.get_token")

    @classmethod
    def _of(cls, tag, data, image_type):
        token = object.__new__(cls)
        token._tag, token._data, token._type = tag, data, image_type
        return token
