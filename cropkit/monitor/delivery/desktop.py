"""A notification over D-Bus, as the Desktop Notifications Specification 1.2 has it.

It speaks to the bus itself, since a library that logs a failure and returns as if it had shown
something is of no use for an alert.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.errors import AuthError, DBusError, InvalidAddressError

_NAME = "org.freedesktop.Notifications"
_PATH = "/org/freedesktop/Notifications"
_CRITICAL = {"urgency": Variant("y", 2)}


def notify(title: str, body: str, seconds: float) -> str:
    """Show a notification; return why no desktop took it, '' when one did."""
    with ThreadPoolExecutor(1) as elsewhere:  # here a kernel's loop may be running
        return elsewhere.submit(asyncio.run, _notified(title, body, seconds)).result()


async def _notified(title: str, body: str, seconds: float) -> str:
    try:
        async with asyncio.timeout(seconds):
            return await _called(title, body)
    except TimeoutError:
        return f"no answer for {seconds:g} s"
    except (OSError, EOFError, AuthError, DBusError, InvalidAddressError) as error:
        return f"{type(error).__name__}: {error}"


async def _called(title: str, body: str) -> str:
    bus = await MessageBus().connect()
    try:
        call = Message(
            destination=_NAME,
            path=_PATH,
            interface=_NAME,
            member="Notify",
            signature="susssasa{sv}i",
            body=["cropkit", 0, "", title, body, [], _CRITICAL, -1],
        )
        answer = await bus.call(call)
        if answer is None or answer.message_type is MessageType.ERROR:
            return f"no desktop took it ({answer.error_name if answer else 'no answer'})"
        return ""
    finally:
        bus.disconnect()
