"""The HTTP face: OpenAI's forms of today and of 2020, and our own."""

from kuaibao.service.api.app import create_app

__all__ = ["create_app"]
