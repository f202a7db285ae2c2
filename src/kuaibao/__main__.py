"""`python -m kuaibao` is the `kuaibao` command."""

from kuaibao.cli.main import main

main()
