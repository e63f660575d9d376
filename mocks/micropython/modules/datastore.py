"""Stands for the dock's `datastore` module in its preview: what factory data there are, and nothing else.

The bytes of images lie outside of Python's heap, as the SDK says of the dock's.
"""

import binascii
import json

import _dock
import uctypes


def _value(it):
    """A value as it came in JSON, where what JSON lacks is a map with one key that begins with "$"."""
    if isinstance(it, list):
        return [_value(inner) for inner in it]
    if not isinstance(it, dict):
        return it
    if len(it) == 1:
        (key,) = it
        if key == "$bytes":
            return binascii.a2b_base64(it[key].encode())
        if key == "$int":
            return int(it[key])
        if key == "$float":
            return -0.0 if it[key] == "-0" else float(it[key].lower())
    return {key[1:] if key[:1] == "$" else key: _value(it[key]) for key in it}


_described = json.loads(_dock.described())
_keys = {key: _value(it) for key, it in _described["keys"]}
_memory = {}


class ImageStore:
    def list(self):
        return [tag for tag, _, _ in _described["images"]]

    def get(self, image_tag):
        for at, (tag, kind, size) in enumerate(_described["images"]):
            if tag == image_tag:
                return self._bytes(at, size), kind
        raise KeyError(image_tag)

    def get_token(self, image_tag):
        return ImageToken(image_tag)

    def _bytes(self, at, size):
        if at not in _memory:
            data = uctypes.bytearray_at(_dock.allocate(size), size)
            with open("/images/" + str(at), "rb") as file:
                file.readinto(data)
            _memory[at] = data
        return _memory[at]


class ImageToken:
    def __init__(self, tag):
        self._tag = tag


class KvStore:
    def list(self):
        return dict(_keys)

    def get(self, key):
        return _keys.get(key, "")
