"""Stands for the dock's `datastore` module. As in the SDK's preview it has factory data and nothing that writes, unless the mock was told to have what is announced."""

import _dock
from _contents import layers
from image import ImageToken


class ImageStore:
    def __init__(self):
        self._contents = layers[0]

    def list(self):
        return list(self._contents.images)

    def get(self, image_tag):
        return self._contents.images[image_tag]

    def get_token(self, image_tag):
        return ImageToken._of(image_tag, self._contents.images[image_tag][0])


class KvStore:
    def __init__(self):
        self._contents = layers[0]

    def list(self):
        return list(self._contents.keys)

    def get(self, key):
        return self._contents.keys.get(key, "")


if _dock.announced():
    from _announced import APPLICATION_DATA, FACTORY_DATA, ImageStore, KvStore
