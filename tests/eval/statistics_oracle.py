"""Statistics of lib/eval by other means, for statistics_test.cc: exact fractions for McNemar's test, root finding for
Wilson's interval (the set of p that the score test does not reject), complex numbers for Newcombe's.

Reads lines "mcnemar B C", "wilson K N", "newcombe A B C D" and prints the results, one line each.
"""

import math
import sys
from fractions import Fraction
from statistics import NormalDist

Z = NormalDist().inv_cdf(0.975)


def mcnemar(b, c):
    n = b + c
    term, tail = 1, 0
    for i in range(min(b, c) + 1):
        tail += term
        term = term * (n - i) // (i + 1)
    return [float(min(Fraction(1), Fraction(2 * tail, 2**n)))]


def bisect(low, high, inside):
    """Where `inside` turns from inside(low) to inside(high)."""
    at_low = inside(low)
    for _ in range(200):
        middle = (low + high) / 2
        if inside(middle) == at_low:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def wilson(k, n):
    share = k / n
    accepted = lambda p: (share - p) ** 2 <= Z * Z * p * (1 - p) / n
    return [0.0 if k == 0 else bisect(0, share, accepted), 1.0 if k == n else bisect(share, 1, accepted)]


def newcombe(a, b, c, d):
    n = a + b + c + d
    first, second = wilson(a + b, n), wilson(a + c, n)
    p1, p2 = (a + b) / n, (a + c) / n
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    top = a * d - b * c
    phi = 0 if margins == 0 else (max(top - n / 2, 0) if top > 0 else top) / math.sqrt(margins)
    # Law of cosines: two sides with the angle whose cosine is phi.
    turn = complex(phi, math.sqrt(1 - phi * phi))
    side = lambda u, v: abs(u - v * turn)
    return [p1 - p2 - side(p1 - first[0], second[1] - p2), p1 - p2 + side(first[1] - p1, p2 - second[0])]


for line in sys.stdin if len(sys.argv) < 2 else open(sys.argv[1]):
    name, *numbers = line.split()
    results = {"mcnemar": mcnemar, "wilson": wilson, "newcombe": newcombe}[name](*map(int, numbers))
    print(*(format(value, ".17g") for value in results))
