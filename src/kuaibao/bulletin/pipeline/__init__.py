"""From a folder with bulletin.toml to a published issue: stages that each go on where they were."""

from kuaibao.bulletin.pipeline.build import build
from kuaibao.bulletin.pipeline.report import BuildReport, BuiltEdition, Progress, Stage, Step

__all__ = ["BuildReport", "BuiltEdition", "Progress", "Stage", "Step", "build"]
