"""Poles between samples, against loops over samples by their definition."""

import numpy as np
import pytest

from kan_ref.symbolic.inner_lines import holds_poles, pole_gaps, simple_poles


def peaked(seed):
    """Samples that grow towards a gap from both sides, apart from some exchanges; some places occur twice."""
    rng = np.random.default_rng(seed)
    n_left, n_right = rng.integers(1, 7, 2)
    sizes = [np.sort(rng.integers(1, 40, n)) for n in (n_left, n_right)]
    z = np.concatenate([sizes[0], sizes[1][::-1] * rng.choice([-1.0, 1.0])])
    for _ in range(rng.integers(0, 2)):
        i, j = rng.integers(0, len(z), 2)
        z[[i, j]] = z[[j, i]]
    steps = rng.choice([0.0, 1.0, 2.0], len(z), p=[0.1, 0.6, 0.3])
    t = np.cumsum(steps)
    return t, z, rng


def grows(t, distance, left):
    """The last samples up to `left` increase, the first ones after it decrease: three of each side, or two."""
    before = [distance[n] for n in (left - 2, left - 1, left) if n >= 0]
    after = [distance[n] for n in (left + 1, left + 2, left + 3) if n < len(distance)]
    if len(before) < 2 or len(after) < 2 or t[left] == t[left + 1]:
        return False
    return before == sorted(set(before)) and after[::-1] == sorted(set(after))


def test_a_pole_is_held_where_samples_of_both_sides_grow_towards_it():
    held = []
    for seed in range(200):
        t, z, _ = peaked(seed)
        distance = np.abs(z - np.median(z))
        inside = np.flatnonzero(np.diff(t) > 0.0)
        middles = t[inside] + 0.25 * np.diff(t)[inside]
        found = [holds_poles(t, z, np.array([pole])) for pole in middles]

        assert found == [grows(t, distance, int(left)) for left in inside]
        assert not holds_poles(t, z, np.array([t[0] - 1.0]))
        assert not holds_poles(t, z, np.array([t[-1] + 1.0]))
        assert holds_poles(t, z, middles) == all(found)
        held += found
    assert 30 < sum(held) < len(held) - 30


def test_poles_are_looked_for_on_both_sides_of_the_sample_that_is_farthest_from_the_median():
    n_gaps = []
    for seed in range(200):
        t, z, _ = peaked(seed)
        distance = np.abs(z - np.median(z))
        top = int(np.argmax(distance))

        expected = [(t[left], t[left + 1]) for left in (top - 1, top) if grows(t, distance, left)]

        assert pole_gaps(t, z) == expected
        n_gaps.append(len(expected))
    assert {0, 1} <= set(n_gaps)


def test_simple_poles_lie_where_far_samples_change_their_sign_and_grow():
    n_found = 0
    for seed in range(200):
        t, z, rng = peaked(seed)
        flat = rng.integers(-1, 2, 12)  # a median near 0 and a small median distance
        t, z = np.concatenate([t, t[-1] + 1.0 + np.arange(12)]), np.concatenate([z, flat])
        offset = z - np.median(z)
        far = 5.0 * np.median(np.abs(offset))
        expected = []
        for n in range(len(t) - 1):
            one, two = offset[n], offset[n + 1]
            is_far = one * two < 0 and abs(one) > far and abs(two) > far
            if is_far and grows(t, np.abs(offset), n):
                expected.append((one * t[n] - two * t[n + 1]) / (one - two))

        np.testing.assert_allclose(simple_poles(t, z), expected, rtol=1e-13)
        n_found += len(expected)
    assert n_found > 20


@pytest.mark.parametrize(("height", "n_poles"), [(4.9, 0), (5.0, 0), (5.1, 1)])
def test_a_simple_pole_is_five_times_as_far_from_the_median_as_the_median_sample(height, n_poles):
    """Offsets 1 in the median; the two samples beside the gap are the ones that count."""
    z = np.array(
        [-1.0, 1.0, -1.0, 1.0, 1.0, 2.0, height, -height, -2.0, -1.0, -1.0, 1.0, -1.0, 1.0]
    )
    t = np.arange(14.0)

    assert len(simple_poles(t, z)) == n_poles
    assert len(simple_poles(t, np.where(t == 6.0, 9.0, z))) == n_poles
