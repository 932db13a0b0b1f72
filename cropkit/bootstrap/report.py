"""What set-up says, and how it fails."""

import sys


class SetupFailed(Exception):
    """The environment could not be made; the text says what to do. No image is concerned."""


class SetupInterrupted(SetupFailed):
    """A person stopped it: nothing goes on."""


def say(text: str) -> None:
    """Tell progress on stderr, so that stdout holds nothing but a command's answer."""
    sys.stderr.write(f"cropkit: {text}\n")
    sys.stderr.flush()
