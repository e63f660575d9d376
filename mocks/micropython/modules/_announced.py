"""What the SDK announces for the `datastore` module. It says which constants there will be, and that data can be stored; how they are called is a guess."""

from _contents import block, layers, release
from datastore import ImageStore as FactoryImages
from datastore import KvStore as FactoryKeys

FACTORY_DATA, APPLICATION_DATA = range(2)
EROFS = 30


class _Store:
    def __init__(self, data=FACTORY_DATA):
        self._contents = layers[data]
        self._can_write = data == APPLICATION_DATA

    def _check_writable(self):
        if not self._can_write:
            raise OSError(EROFS)


class ImageStore(_Store, FactoryImages):
    def put(self, image_tag, image_data, image_type):
        self._check_writable()
        data = block(len(image_data))
        data[:] = image_data
        if image_tag in self._contents.images:
            release(self._contents.images[image_tag][0])
        self._contents.images[image_tag] = (data, image_type)

    def delete(self, image_tag):
        self._check_writable()
        release(self._contents.images.pop(image_tag)[0])


class KvStore(_Store, FactoryKeys):
    def set(self, key, value):
        self._check_writable()
        self._contents.keys[key] = value

    def delete(self, key):
        self._check_writable()
        del self._contents.keys[key]
