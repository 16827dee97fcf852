#!/usr/bin/env python3
"""TD3 - Monte-Carlo et lois usuelles"""
import numpy as np

rng = np.random.default_rng(42)
n = 10_000
x = rng.normal(170, 7, n)          # tailles simulées (cm)
print("moyenne %.2f  ecart-type %.2f" % (x.mean(), x.std(ddof=1)))
# intervalle de confiance 95 %
lo, hi = np.percentile([rng.choice(x, 200).mean() for _ in range(2000)], [2.5, 97.5])
print(lo, hi)
def pi(n):
    u = rng.random((n, 2))
    return 4 * np.mean((u ** 2).sum(1) < 1)
for k in (10**3, 10**5, 10**6):
    print(k, pi(k), abs(pi(k) - np.pi))
# question 4 : faire l'histogramme et commenter (bonus)
