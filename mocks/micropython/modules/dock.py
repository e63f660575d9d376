"""Stands for the dock's `dock` module, as far as the SDK documents it and the agent needs it."""

import _dock


class DockInfo:
    def dock_id(self):
        return _dock.id()
