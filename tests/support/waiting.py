"""Tests wait on conditions, with a deadline."""

import time


def wait_for(condition, what, deadline_s=20, passing=()):
    """The first true answer of `condition`; exceptions that are `passing` are no answer yet. `what`: a text, or a function
    that makes it when it is too late."""
    end = time.monotonic() + deadline_s
    while True:
        try:
            answer = condition()
        except passing:
            answer = None
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s} s: {what() if callable(what) else what}")
        time.sleep(0.02)
