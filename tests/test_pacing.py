from bisect import bisect_left, bisect_right
from itertools import pairwise
from math import ceil

from hypothesis import example, given
from hypothesis import strategies as st

from wa_products.pacing import CATCH_UP, STRETCH, Pace

RATES = st.sampled_from([1.0, 7.3, 20.0, 76.8, 80.0, 1000.0])


def stream(rate, delays, size):
    """Return when `size` messages go, the n-th held up by `delays[n]` seconds after its turn has come."""
    pace, now, times = Pace(), 1_700_000_000.0, []
    for n in range(size):
        now += pace.wait(now, rate) + delays.get(n, 0.0)
        pace.sent(now, rate)
        times.append(now)
    return times


def most(times, seconds=1.0):
    """Return the most of the times that lie in any window of so many seconds."""
    return max(bisect_right(times, at + seconds) - bisect_left(times, at) for at in times)


def test_evenly():
    """Without delays every gap is the same, 2 % above that of the rate."""
    times = stream(80, {}, 800)
    gaps = [after - before for before, after in pairwise(times)]
    assert max(gaps) - min(gaps) < 1e-4
    assert abs(799 / (times[-1] - times[0]) - 80 / STRETCH) < 0.1


@given(RATES, st.dictionaries(st.integers(0, 400), st.floats(0, 3), max_size=20))
def test_no_second_above_the_rate(rate, delays):
    """Whatever the delays, no second holds more than the rate, and messages keep a gap between them."""
    times = stream(rate, delays, 400)
    assert most(times) <= ceil(rate)
    assert min(after - before for before, after in pairwise(times)) >= CATCH_UP / rate


@given(st.dictionaries(st.integers(1, 400), st.floats(0, 0.1), max_size=4))
@example({48: 0.1, 128: 0.1, 208: 0.1, 288: 0.1})  # each when the echo of the one before is due
def test_a_delay_is_made_up_for(delays):
    """Some time after short delays, however they fall, the stream is where it would have been without them."""
    assert stream(80, delays, 3000)[-1] - stream(80, {}, 3000)[-1] < 0.05


def test_a_clock_that_is_put_back():
    """A clock that is put back an hour stops nobody for an hour."""
    pace = Pace()
    for at in (3600.0, 3600.1):
        pace.sent(at, 80)
    assert pace.wait(0.0, 80) < 0.1
