"""Tests wait on conditions, with a deadline."""

import time


def wait_for(condition, what, deadline_s=20, passing=()):
    """The first true answer of `condition`; exceptions that are `passing` are no answer yet. `what`: a text, or a function
    that makes it when it is too late."""
    begun = time.monotonic()
    while True:
        try:
            answer = condition()
        except passing:
            answer = None
        if answer:
            return answer
        waited = time.monotonic() - begun
        if waited > deadline_s:
            raise AssertionError(f"not within {deadline_s} s: {what() if callable(what) else what}")
        # A condition is often a command, which takes half a core when it is asked without a break.
        time.sleep(min(max(0.02, waited / 8), 0.3))
