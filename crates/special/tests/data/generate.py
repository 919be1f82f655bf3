"""Writes special.json: arguments and correctly rounded values of the special functions, by mpmath.

Usage: python generate.py [fn ..] > special.json   (needs mpmath)

With names it writes these functions only, at the same points.

One case per function: {"fn", "args": [[..] per argument], "value", "value_lo"}; the true value is
value + value_lo. The incomplete gamma and beta functions are integrated numerically at 40 digits,
which works for parameters of any size; derivatives in parameters are central differences at 64 digits.
"""
import json
import random
import sys

import mpmath as mp

mp.mp.dps = 40
random.seed(20261121)


def logspace(lo, hi):
    return float(10 ** random.uniform(lo, hi))


def gauss(f, end, pieces=12):
    return mp.quad(f, [end * mp.mpf(k) / pieces for k in range(pieces + 1)])


def decay(h):
    """Where the concave h falls below the last digit."""
    s = mp.mpf(1e-12)
    while h(s) > -110:
        s *= 2
        if s > mp.mpf(10) ** 40:
            raise ValueError
    return s


def gamma_tail(a, x):
    """(P or Q, is_upper), the smaller, of 40 digits."""
    a, x = mp.mpf(a), mp.mpf(x)
    if a < 1 or x < 1:
        # The series, with digits to spare for Q.
        with mp.workdps(400):
            term = mp.mpf(1) / a
            total, n = term, 0
            while abs(term) > abs(total) * mp.mpf(10) ** -390:
                n += 1
                term *= x / (a + n)
                total += term
            p = total * mp.exp(a * mp.log(x) - x - mp.loggamma(a))
            return (p, False) if p < 0.5 else (1 - p, True)
    with mp.workdps(mp.mp.dps + 25):
        log = a * mp.log(x) - x - mp.loggamma(a)
    if x > a:
        h = lambda s: (a - 1) * mp.log1p(s) - x * s
        return mp.exp(log) * gauss(lambda s: mp.exp(h(s)), decay(h)), True
    h = lambda s: (a - 1) * mp.log1p(-s) + x * s if s < 1 else -mp.inf
    end = min(decay(h), mp.mpf(1) - mp.mpf(10) ** -30 if a < 3 else mp.mpf("0.9999999"))
    if a < 60:
        with mp.workdps(80):
            term = mp.mpf(1) / a
            total, n = term, 0
            while term > total * mp.mpf(10) ** -75:
                n += 1
                term *= x / (a + n)
                total += term
            return mp.exp(log) * total, False
    return mp.exp(log) * gauss(lambda s: mp.exp(h(s)), end), False


def gammainc(a, x, upper=False):
    v, is_upper = gamma_tail(a, x)
    return v if upper == is_upper else 1 - v


def betainc(a, b, x, whole=1):
    """I_x(a, b) by the series of positive terms from the side where it converges, or by Gauss.

    With `whole` 0 the upper tail less one, which has the same derivatives and all its digits."""
    with mp.workdps(mp.mp.dps + 60):
        a, b, x = mp.mpf(a), mp.mpf(b), mp.mpf(x)
        y = 1 - x
        flip = x * (a + b) > a
        if flip:
            a, b, x, y = b, a, y, x
        log = a * mp.log(x) + b * mp.log(y) - (mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b))
        if a > 20 and b > 20:
            r = x / y
            h = lambda s: (a - 1) * mp.log1p(-s) + (b - 1) * mp.log1p(s * r) if s < 1 else -mp.inf
            p = mp.exp(log) / y * gauss(lambda s: mp.exp(h(s)), min(decay(h), mp.mpf("0.9999999")))
        else:
            term, total, n = mp.mpf(1), mp.mpf(1), 0
            while term > total * mp.mpf(10) ** -(mp.mp.dps + 5):
                n += 1
                term *= x * (a + b + n - 1) / (a + n)
                total += term
                if n > 100000:
                    raise ValueError
            p = mp.exp(log) / a * total
        return whole - p if flip else p


def difference(f, x, order=1):
    with mp.workdps(64):
        h = abs(mp.mpf(x)) * mp.mpf(10) ** -16
        if order == 1:
            return (f(mp.mpf(x) + h) - f(mp.mpf(x) - h)) / (2 * h)
        return (f(mp.mpf(x) + h) - 2 * f(mp.mpf(x)) + f(mp.mpf(x) - h)) / (h * h)


def lgamma(x):
    return mp.log(abs(mp.gamma(x))) if x < 0 else mp.loggamma(x)


def gamma_points(n):
    points = []
    for _ in range(n):
        kind = random.randrange(5)
        if kind == 0:
            a = logspace(-12, 0)
            x = logspace(-12, 2.5)
        elif kind == 1:
            a = logspace(-1, 4)
            x = a * logspace(-2, 1)
        elif kind == 2:
            a = logspace(1, 12)
            x = a + random.uniform(-6, 6) * a**0.5
        elif kind == 3:
            a = logspace(1, 8)
            x = a + random.uniform(-30, 30) * a**0.5
        else:
            a = random.randrange(1, 80) / 2
            x = logspace(-3, 2.7)
        if x > 0:
            points.append((a, float(x)))
    return points


def beta_points(n):
    points = []
    for _ in range(n):
        kind = random.randrange(6)
        if kind == 0:
            a, b = logspace(-10, 1), logspace(-10, 1)
            x = random.choice([random.random(), logspace(-15, 0), 1 - logspace(-15, 0)])
        elif kind == 1:
            a, b = logspace(-1, 3), logspace(-1, 3)
            x = random.random()
        elif kind == 2:
            a, b = logspace(1.5, 10), logspace(1.5, 10)
            m = a / (a + b)
            x = m + random.uniform(-6, 6) * (m * (1 - m) / (a + b)) ** 0.5
        elif kind == 3:
            a, b = logspace(1.5, 5), logspace(1.5, 5)
            m = a / (a + b)
            x = m + random.uniform(-25, 25) * (m * (1 - m) / (a + b)) ** 0.5
        elif kind == 4:
            a, b = logspace(-3, 1.5), logspace(1, 6)
            x = a / (a + b) * logspace(-2, 1)
        else:
            a, b = random.randrange(1, 60) / 2, random.randrange(1, 60) / 2
            x = random.random()
        if 0 < x < 1:
            points.append((a, b, float(x)))
    return points


def signed(lo, hi):
    return random.choice((-1, 1)) * logspace(lo, hi)


def cases():
    n = 150
    near = lambda c: c + random.uniform(-1, 1) * logspace(-15, -1)
    negative = lambda m: -random.randrange(0, m) - random.random()
    xs = [logspace(-300, 300) for _ in range(40)] + [logspace(-8, 4) for _ in range(n)]
    xs += [near(random.choice((1, 2))) for _ in range(40)] + [k / 2 for k in range(1, 60)]
    zeros = [1.4616321449683622, -0.5040830082644554, -1.5734984731623904, -2.6107208684441446]
    yield "lgamma", lgamma, [(x,) for x in xs + [negative(40) for _ in range(60)]]
    yield "digamma", mp.digamma, [(x,) for x in xs + [negative(40) for _ in range(60)] + [near(z) for z in zeros * 12]]
    yield "gamma", mp.gamma, [(x,) for x in [logspace(-300, 2.2) for _ in range(40)] + [random.uniform(0, 171) for _ in range(n)] + [negative(160) for _ in range(60)]]
    # mpmath's zeta is accurate in the absolute sense only.
    def poly(k, x):
        with mp.workdps(200):
            return mp.polygamma(int(k), mp.mpf(x))
    yield "polygamma", poly, [(float(random.randrange(1, 12)), logspace(-3, 6)) for _ in range(n)] + [(float(random.randrange(1, 8)), negative(12)) for _ in range(40)] + [(float(random.randrange(20, 150)), logspace(-1, 2)) for _ in range(40)]
    def hz(s, q, d=0):
        with mp.workdps(200):
            return mp.zeta(mp.mpf(s), mp.mpf(q), d)
    zs = [(1 + logspace(-6, 1.7), logspace(-2, 4)) for _ in range(n)]
    yield "zeta", hz, zs
    yield "zeta_s", lambda s, q: hz(s, q, 1), zs[:80]
    bl = lambda a, b: mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(mp.mpf(a) + mp.mpf(b))
    ps = [(logspace(-12, 12), logspace(-12, 12)) for _ in range(n)] + [(logspace(-1, 2), logspace(-1, 2)) for _ in range(n)]
    yield "betaln", lambda a, b: mp.mpf(bl(a, b)), ps
    yield "digamma_difference", lambda a, b: mp.digamma(mp.mpf(a) + mp.mpf(b)) - mp.digamma(a), ps
    g = gamma_points(240)
    yield "gammainc", gammainc, g
    yield "gammaincc", lambda a, x: gammainc(a, x, True), g
    yield "gammainc_a", lambda a, x: difference(lambda t: -gammainc(t, x, True) if x > a else gammainc(t, x), a), g[:60]
    yield "gammainc_aa", lambda a, x: difference(lambda t: -gammainc(t, x, True) if x > a else gammainc(t, x), a, 2), g[60:90]
    b = beta_points(240)
    yield "betainc", betainc, b
    yield "betainc_a", lambda p, q, x: difference(lambda t: betainc(t, q, x, 0), p), b[:40]
    yield "betainc_b", lambda p, q, x: difference(lambda t: betainc(p, t, x, 0), q), b[40:80]
    yield "betainc_aa", lambda p, q, x: difference(lambda t: betainc(t, q, x, 0), p, 2), b[80:100]
    yield "betainc_ab", lambda p, q, x: difference(lambda t: difference(lambda u: betainc(t, u, x, 0), q), p), b[100:110]
    bx = [(signed(-8, 2.8),) for _ in range(n)] + [(signed(-1, 1.8),) for _ in range(n)]
    yield "i0", lambda x: mp.besseli(0, x), bx
    yield "i1", lambda x: mp.besseli(1, x), bx
    be = [(signed(-8, 8),) for _ in range(n)] + [(signed(-1, 1.8),) for _ in range(n)]
    scaled = lambda k: lambda x: mp.besseli(k, x) * mp.exp(-abs(mp.mpf(x)))
    yield "i0e", scaled(0), be
    yield "i1e", scaled(1), be
    yield "i0e_slope", lambda x: scaled(1)(x) - mp.sign(x) * scaled(0)(x), be
    cx = [(logspace(-8, 8),) for _ in range(n)] + [(random.uniform(-26, 30),) for _ in range(n)]
    def erfcx(x):
        with mp.workdps(mp.mp.dps + 40):
            x = mp.mpf(x)
            if x > 1000:
                t = 1 / (2 * x * x)
                return sum((-1) ** k * mp.fac2(2 * k - 1) * t**k for k in range(12)) / (x * mp.sqrt(mp.pi))
            return mp.exp(x * x) * mp.erfc(x)
    yield "erfcx", erfcx, cx
    def erfcx1(x):
        with mp.workdps(120):
            x = mp.mpf(x)
            return mp.exp(x * x) * (mp.exp(-x * x) / mp.sqrt(mp.pi) - x * mp.erfc(x))
    yield "erfcx1", erfcx1, [(x,) for (x,) in cx if x < 1000]
    yield "exp1", mp.e1, [(logspace(-300, 2.8),) for _ in range(40)] + [(logspace(-3, 2),) for _ in range(n)]
    yield "expi", mp.ei, [(signed(-300, 2.8),) for _ in range(40)] + [(signed(-3, 2),) for _ in range(n)] + [(near(0.3725074107813666),) for _ in range(60)]
    def owens(h, a):
        h, a = mp.mpf(h), mp.mpf(a)
        end = min(abs(a), 40 / max(abs(h), mp.mpf(1e-30)))
        # The constant factor outside, since the rule stops at an absolute error.
        f = lambda t: mp.exp(-h * h * t * t / 2) / (1 + t * t)
        points = [mp.mpf(0)] + [end * mp.mpf(10) ** -k for k in range(8, -1, -1)]
        return mp.sign(a) * mp.exp(-h * h / 2) * mp.quad(f, points) / (2 * mp.pi)
    yield "owens_t", owens, [(signed(-3, 1.5), signed(-3, 3)) for _ in range(n)] + [(random.uniform(0, 6), random.uniform(-2, 2)) for _ in range(n)]


def number(v):
    f = float(v) if abs(v) > mp.mpf(2) ** -1000 or v == 0 else float(mp.nint(mp.ldexp(v, 1074))) * 5e-324
    if f in (float("inf"), float("-inf")):
        return None
    return f


def main():
    rows = []
    for name, f, points in cases():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        args, values, rests = [], [], []
        for p in points:
            try:
                v = f(*[mp.mpf(a) for a in p])
            except (ValueError, ZeroDivisionError):
                continue
            if v is None or isinstance(v, mp.mpc) or mp.isnan(v):
                continue
            rounded = number(v)
            # Below the normal range there is nothing to measure.
            if rounded is None or abs(rounded) < 1e-300:
                continue
            args.append(p)
            values.append(rounded)
            rests.append(float(mp.nstr(v - mp.mpf(rounded), 3)))
        columns = [list(c) for c in zip(*args)]
        rows.append({"fn": name, "args": columns, "value": values, "value_lo": rests})
        print(name, len(values), file=sys.stderr)
    print('{"generator": "crates/special/tests/data/generate.py, mpmath %s", "cases": [' % mp.__version__)
    print(",\n".join(json.dumps(r, separators=(",", ":")) for r in rows))
    print("]}")


if __name__ == "__main__":
    main()
