"""What `bulletin.toml` says of the way out is what the fetcher gets."""

import dataclasses

from kuaibao.bulletin.config import parse_config
from kuaibao.fetching import FetchSettings


def test_the_fetcher_gets_every_setting_of_fetching(tmp_path):
    text = """series = "Bulletin"
[fetching]
contact = "editors@example.org"
allowed_addresses = ["10.0.0.0/8"]
proxy = "http://proxy:3128"
total_s = 5
n_retry = 0
interval_s = 0.1
"""
    limits = parse_config(text, folder=tmp_path).settings.fetching.limits()
    assert limits == dataclasses.replace(
        FetchSettings(), contact="editors@example.org", allowed_addresses=("10.0.0.0/8",),
        proxy="http://proxy:3128", total_s=5.0, n_retry=0, interval_s=0.1,
    )  # fmt: skip


def test_without_settings_the_fetcher_keeps_its_own(tmp_path):
    settings = parse_config('series = "Bulletin"\n', folder=tmp_path).settings
    assert settings.fetching.limits() == FetchSettings()
