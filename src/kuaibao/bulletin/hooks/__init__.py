"""Web hooks: other programs are told what happens at the desk, signed, until they answer."""

from kuaibao.bulletin.hooks.registry import (
    HOOK_EVENTS,
    Hook,
    add_hook,
    list_hooks,
    open_hooks,
    remove_hook,
    resume_hook,
)
from kuaibao.bulletin.hooks.telling import sign, tell_hooks

__all__ = [
    "HOOK_EVENTS",
    "Hook",
    "add_hook",
    "list_hooks",
    "open_hooks",
    "remove_hook",
    "resume_hook",
    "sign",
    "tell_hooks",
]
