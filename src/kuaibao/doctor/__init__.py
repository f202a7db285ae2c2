"""The doctor: find a PyTorch pipeline's bottleneck, prove it, cure it, measure again.

`examine_command` looks into an unmodified script, `examine` at a loader and a step in this process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kuaibao.doctor.examination import examine, examine_command

__all__ = ["examine", "examine_command"]


def __getattr__(name: str) -> Any:
    # Late: the examined process imports parts of this package before it imports torch.
    if name in __all__:
        from kuaibao.doctor import examination

        return getattr(examination, name)
    raise AttributeError(name)
