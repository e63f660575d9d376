"""Stands for the dock's `splashscreen` module. What is on the screen changes once Python has nothing to do, as on a dock."""

import hashlib
from binascii import hexlify

import _dock
import image


class Alignment:
    LEFT, RIGHT, MIDDLE = range(3)


class Splashscreen:
    def __init__(self):
        self._boxes = {}

    def set_background(self, background, image_type=image.PNG):
        if isinstance(background, image.ImageToken):
            tag, data = background._tag, background._data
        elif isinstance(background, (bytes, bytearray)):
            tag, data = None, background
        else:
            raise TypeError("a background is a bytearray or an ImageToken")
        _dock.show_background(tag, image_type, len(data), lambda: hexlify(hashlib.sha256(data).digest()).decode())

    def add_text_box(self, text, attributes=None):
        attributes = attributes or {}
        place = (attributes.get("x"), attributes.get("y"))
        self._boxes[place] = text if isinstance(text, str) else "\n".join(text)
        self._show_text()

    def remove_text_box(self, x, y):
        self._boxes.pop((x, y), None)
        self._show_text()

    def _show_text(self):
        _dock.show_text("\n".join(self._boxes.values()))
