#!/usr/bin/env python3
"""The portal in a real browser, before a real server with real jobs. Needs Debian's chromium, chromium-driver and
python3-selenium, and their Python: /usr/bin/python3.

    portal_test.py BUILD-FOLDER [--screenshots DIR] [TEST...]
"""

import sys
import unittest

import page_case
import pictures
from access_cases import Gone, Tokens  # unittest looks for them here
from history_cases import History
from hostile_cases import Hostile
from live_cases import Live


def main():
    if page_case.PROGRAM is None:
        sys.exit(__doc__)
    rest = sys.argv[2:]
    if rest[:1] == ["--screenshots"]:
        return pictures.take(page_case.PROGRAM, rest[1])
    page_case.start()
    try:
        tests = unittest.main(argv=[sys.argv[0], *rest], exit=False)
    finally:
        page_case.stop()
    sys.exit(not tests.result.wasSuccessful())


if __name__ == "__main__":
    main()
