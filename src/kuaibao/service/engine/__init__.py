"""The engine under the API: queues, batches, models. It knows no HTTP and no people."""

from kuaibao.service.engine.model import LanguageModel
from kuaibao.service.engine.request import GenerationRequest, Sampling, TokenEvent
from kuaibao.service.engine.scheduler import EngineStats, Generation, Scheduler

__all__ = [
    "EngineStats",
    "Generation",
    "GenerationRequest",
    "LanguageModel",
    "Sampling",
    "Scheduler",
    "TokenEvent",
]
