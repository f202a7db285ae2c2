"""What a transaction says of values that can't be kept."""

import pytest
from sqlalchemy import text

from kuaibao.database import open_database
from kuaibao.errors import InputError


@pytest.mark.parametrize("kind", ["read", "write"])
def test_a_number_of_more_than_64_bits_is_wrong_input(kind):
    with open_database(":memory:") as database:
        with pytest.raises(InputError, match="too large"), getattr(database, kind)() as connection:
            connection.execute(text("SELECT :n"), {"n": 2**64})
        with database.read() as connection:
            assert connection.execute(text("SELECT :n"), {"n": 2**62}).scalar() == 2**62
