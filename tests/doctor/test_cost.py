import pytest

from kuaibao.doctor.cost import cost_chart, parse_upgrade, plans
from kuaibao.errors import InputError

REPORT = {
    "rates": {
        "step_s": 0.1,
        "batch_size": 10,
        "compute_step_s": 0.02,
        "data_batch_s": 0.08,
        "cores": 2.0,
    },
    "loader": {"n_workers": 0},
    "ladder": {"S2_stored_samples": 0.001},
    "stalls": {"disk": {"low": 0.2, "mid": 0.3, "high": 0.4}},
    "advice": [
        {
            "cure": "ram_cache",
            "predicted_speedup": {"low": 3, "mid": 4.0, "high": 5},
            "achieved_speedup": None,
        }
    ],
}


def _plans(*upgrades, **options):
    found = plans(
        REPORT,
        total_samples=3_600_000,
        price_an_hour=2.0,
        upgrades=[parse_upgrade(text) for text in upgrades],
        **options,
    )
    return {plan.name: plan for plan in found}


def test_hours_and_prices_follow_from_the_rates():
    now = _plans()["as it is"]
    assert now.samples_per_s == pytest.approx(100)
    assert now.hours == pytest.approx(10)
    assert now.price == pytest.approx(20)


def test_an_upgrade_changes_only_the_part_it_touches():
    found = _plans("compute=1000:2", "disk=1000:2", "ram:2", "cores=8:2")
    assert found["compute=1000"].speedup == pytest.approx(1 / 0.8, rel=0.01)
    assert found["disk=1000"].speedup == pytest.approx(1 / 0.7, rel=0.01)
    assert found["ram"].speedup == pytest.approx(0.1 / 0.021, rel=0.01)
    # Seven workers make a batch in 11 ms: the model is what remains.
    assert found["cores=8"].speedup == pytest.approx(5, rel=0.01)


def test_a_cure_is_weighed_with_the_work_it_takes():
    cure = _plans(work_price=300)["cure: ram_cache"]
    assert cure.hours == pytest.approx(2.5)
    assert cure.break_even_runs == pytest.approx(300 / 15)


def test_the_cheapest_comes_first_and_the_plot_names_all():
    found = plans(
        REPORT, total_samples=1e6, price_an_hour=2, upgrades=[parse_upgrade("cores=8:100")]
    )
    assert [p.price for p in found] == sorted(p.price for p in found)
    assert all(p.name in cost_chart(found) for p in found)


@pytest.mark.parametrize("text", ["cores", "cores=:1", "magic=2:1", "disk=0:1", "ram:-1"])
def test_an_upgrade_that_cannot_be_read_is_told(text):
    with pytest.raises(InputError):
        parse_upgrade(text)


def test_a_report_without_rates_is_told():
    with pytest.raises(InputError, match="no rates"):
        plans({"rates": {}}, total_samples=1, price_an_hour=1, upgrades=[])
