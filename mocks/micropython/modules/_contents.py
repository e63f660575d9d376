"""What the mock dock holds, as its process has described it: by layer, the images and keys that there are."""

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


def block(size):
    """Bytes outside of Python's heap, where the SDK has those of images."""
    return uctypes.bytearray_at(_dock.allocate(size), size)


def release(data):
    _dock.release(uctypes.addressof(data), len(data))


class Contents:
    """One layer."""

    def __init__(self, described):
        self.keys = {key: _value(it) for key, it in described["keys"]}
        self.images = {}  # by tag: bytes and type
        for tag, kind, size, file in described["images"]:
            data = block(size)
            with open(file, "rb") as source:
                source.readinto(data)
            self.images[tag] = (data, kind)


layers = [Contents(it) for it in json.loads(_dock.described())]
