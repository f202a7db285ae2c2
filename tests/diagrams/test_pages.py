"""The Python that the page of the domains shows runs."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "diagrams-domains.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_block_of_python_runs(number):
    exec(compile(BLOCKS[number], f"{PAGE.name} block {number}", "exec"), {})


def test_the_page_has_a_picture_and_every_style_of_every_domain():
    from kuaibao.diagrams import DOMAINS

    text = PAGE.read_text(encoding="utf-8")
    for name, domain in DOMAINS.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{name}`"))
        assert all(f"`{style}`" in row for style in domain.styles)
        assert (PAGE.parent / "pictures" / "diagrams" / f"{name}.svg").exists()
