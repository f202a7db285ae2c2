import os
import time

from kuaibao.doctor.children import measured_in_a_child


def test_what_a_child_measures_comes_back_and_what_it_does_stays_there():
    here = [0.0]

    def measure():
        here[0] = 7.0
        return [1.5, float(os.getpid())]

    seconds, pid = measured_in_a_child(measure)
    assert seconds == 1.5
    assert pid != os.getpid()
    assert here == [0.0]


def test_a_child_that_fails_or_hangs_is_no_figure_and_leaves_nothing_behind():
    assert measured_in_a_child(lambda: [1 / 0]) is None
    assert measured_in_a_child(lambda: [time.sleep(600)], timeout_s=0.2) is None
