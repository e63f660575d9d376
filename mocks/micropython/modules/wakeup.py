"""Stands for the dock's `wakeup` module."""

import _dock


class Timer:
    def __init__(self, task, time_ms, repeat_ms=0):
        self._number = _dock.begin(task, time_ms, repeat_ms)

    def cancel(self):
        _dock.end(self._number)


def wakeup(task, time_ms, repeat_ms=0):
    return Timer(task, time_ms, repeat_ms)
