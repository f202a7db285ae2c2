"""What can go wrong in the doctor's own work.

KuaibaoError
├── DoctorError             exit code 3: the doctor failed, whatever the command did
│   └── CommandNotFoundError  the command could not be started
└── InputError (from the root)
└── CureError           a cure does not fit the data it was asked to treat
"""

from __future__ import annotations

from kuaibao.errors import InputError, KuaibaoError

__all__ = ["CommandNotFoundError", "CureError", "DoctorError"]


class DoctorError(KuaibaoError):
    """The doctor could not do its work."""

    exit_code = 3


class CommandNotFoundError(DoctorError):
    """The command to examine could not be started."""


class CureError(InputError):
    """A cure does not fit the data it was asked to treat."""
