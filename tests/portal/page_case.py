"""What tests of the portal share: one browser for all of them, a server for each class, and a console without complaints."""

import sys
import unittest

import browser

PROGRAM = f"{sys.argv[1]}/bin/lockstep" if len(sys.argv) > 1 else None
window = None  # the browser: start() makes it


def start():
    global window
    window = browser.Browser()


def stop():
    window.stop()


class PageCase(unittest.TestCase):
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.server = browser.Server(PROGRAM, cls.options)
        cls.addClassCleanup(cls.server.stop)
        cls.window = window
        cls.addClassCleanup(window.open, "about:blank")  # before the server's stop: no page asks it any more
        cls.fill()

    @classmethod
    def fill(cls):
        pass

    def setUp(self):
        self.expected = []  # what the browser's console may say

    def tearDown(self):
        self.assertEqual(self.window.errors(self.expected), [])

    def open(self, place):
        self.window.open(f"{self.server.url}/#/{place}")
