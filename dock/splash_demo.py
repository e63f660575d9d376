"""Shows on the dock's screens the image whose token a host asks for: `dl7450 image token welcome`.

That is what tokens are for. `ImageStore.get` copies an image into Python's memory. A token stands for the image on its way to the splash screen, so that
its bytes are copied when it is drawn, and not before.
"""

import sys

from datastore_agent import Agent
from splashscreen import Splashscreen
from wakeup import Timer

screen = Splashscreen()
agent = Agent(sys.stdin.buffer, sys.stdout.buffer, on_token=screen.set_background)
timer = Timer(agent.poll, 0, Agent.EVERY_MS)
