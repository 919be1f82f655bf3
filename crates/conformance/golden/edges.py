"""Writes edges.json: values of special functions next to their zeros and at the ends of the ranges
of arguments and results, by mpmath.

Usage: python edges.py > edges.json   (needs numpy and mpmath)

A case holds one function: {"id", "fn", "args" (one list per argument), "f32_ok" (points that f32
holds exactly), "value", "value_lo" (what rounding the value to f64 lost), "cond" (the change of the
value where every argument moves by its own size)}. Points whose result is within 1e-5 of where f64
or f32 overflow are left out. Strings "inf", "-inf" stand for themselves.
"""
import json

import mpmath as mp
import numpy as np

mp.mp.dps = 100
F64, F32 = np.float64, np.float32


def erf_inv(x):
    """Of x in (-1, 1), and from 1 - |x| where that is exact."""
    a = abs(x)
    return mp.sign(x) * erfc_inv(1 - a) if a > mp.mpf("0.5") else refined(mp.erf, x, x * mp.sqrt(mp.pi) / 2)


def erfc_inv(q):
    if q > 1:
        return -erfc_inv(2 - q)
    if q == 1:
        return mp.mpf(0)
    if q > mp.mpf("0.5"):
        return refined(mp.erf, 1 - q, (1 - q) * mp.sqrt(mp.pi) / 2)
    start = mp.sqrt(-mp.log(q)) * mp.mpf("0.9")
    for _ in range(100):
        step = (mp.log(mp.erfc(start)) - mp.log(q)) * mp.erfc(start) * mp.sqrt(mp.pi) / 2 * mp.exp(start**2)
        start += step
        if abs(step) < mp.mpf(10) ** -50 * abs(start):
            break
    return start


def refined(f, want, x):
    for _ in range(100):
        step = (f(x) - want) * mp.sqrt(mp.pi) / 2 * mp.exp(x * x)
        x -= step
        if abs(step) <= mp.mpf(10) ** -55 * abs(x):
            break
    return x


def log_abs_gamma(x):
    return mp.log(abs(mp.gamma(x))) if abs(x) < 1000 else mp.loggamma(x)


def log_ndtr(x):
    return mp.log(mp.erfc(-x / mp.sqrt(2)) / 2) if x < 0 else mp.log1p(-mp.erfc(x / mp.sqrt(2)) / 2)


def kl_div(x, y):
    return x * mp.log(x / y) - x + y


def betaln(a, b):
    with mp.workdps(300):
        return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


def logaddexp(x, y):
    return max(x, y) + mp.log1p(mp.exp(-abs(x - y)))


def sinc(x):
    return mp.sinpi(x) / (PI * x)


def scaled_bessel(order):
    return lambda x: mp.exp(-abs(x)) * mp.besseli(order, x)


PI = mp.pi
TURNS = [1, 2, 3, 4, 5, 10, 22, 100, 710, 31416, 10**6]
ROOTS = {
    "lgamma": [mp.findroot(mp.loggamma, 1), mp.mpf(2)]
    + [mp.findroot(log_abs_gamma, x) for x in (-2.457, -2.748, -3.143, -3.956, -4.039, -4.991, -5.008, -9.9999972)],
    "digamma": [mp.findroot(mp.digamma, x) for x in (1.46, -0.504, -1.573, -2.611, -3.635, -7.7, -9.7)],
    "expi": [mp.findroot(mp.ei, 0.37)],
}
SMALL = [5e-324, 1e-310, 2.3e-308, 1e-300, 1e-150, 1e-45, 1e-40, 1.2e-38, 1e-30, 1e-20, 1e-16, 1e-10, 1e-8]
LARGE = [1e10, 1e20, 1e30, 1e37, 3.4e38, 1e100, 1e154, 1e155, 1e200, 1e300, 1.79e308]
BOTH = SMALL + [-x for x in SMALL]
ALL = BOTH + LARGE + [-x for x in LARGE]
# Where results leave f32 and f64.
EXP = [709.7, -708.3, -708.5, -740.0, -745.0, -746.0, 88.7, -87.3, -87.4, -100.0, -103.9, -104.5, 89.0, 710.0]
NEXT_TO_ONE = [1 - 2.0**-k for k in (2, 5, 10, 20, 24, 30, 40, 50, 53)]

# name: (function, zeros, further points)
UNARY = {
    "exp": (mp.exp, [], BOTH + EXP),
    "exp2": (lambda x: mp.mpf(2) ** x, [], BOTH + [1023.9, -1022.5, -1060.25, -1074.0, 127.9, -126.5, -140.25, -149.0]),
    "expm1": (mp.expm1, [0], BOTH + EXP + [-1e10, -40.0, -20.0]),
    "log": (mp.log, [1], SMALL + LARGE),
    "log2": (lambda x: mp.log(x, 2), [1], SMALL + LARGE),
    "log10": (mp.log10, [1], SMALL + LARGE),
    "log1p": (mp.log1p, [0], BOTH + LARGE + [-x for x in NEXT_TO_ONE]),
    "sin": (mp.sin, [0] + [k * PI for k in TURNS], ALL),
    "cos": (mp.cos, [(k - mp.mpf(1) / 2) * PI for k in TURNS], ALL),
    "tan": (mp.tan, [0] + [k * PI / 2 for k in TURNS], ALL),
    "asin": (mp.asin, [0], BOTH + NEXT_TO_ONE),
    "acos": (mp.acos, [], BOTH + NEXT_TO_ONE + [-x for x in NEXT_TO_ONE]),
    "atan": (mp.atan, [0], ALL),
    "sinh": (mp.sinh, [0], BOTH + EXP + [710.4, 89.4]),
    "cosh": (mp.cosh, [], BOTH + EXP + [710.4, 89.4]),
    "tanh": (mp.tanh, [0], ALL + [9.0, 19.0, 22.0]),
    "asinh": (mp.asinh, [0], ALL),
    "acosh": (mp.acosh, [], LARGE + [1 + 2.0**-k for k in (5, 10, 20, 23, 30, 40, 52)]),
    "atanh": (mp.atanh, [0], BOTH + NEXT_TO_ONE),
    "sqrt": (mp.sqrt, [], SMALL + LARGE),
    "rsqrt": (lambda x: 1 / mp.sqrt(x), [], SMALL + LARGE),
    "cbrt": (mp.cbrt, [], SMALL + LARGE),
    "erf": (mp.erf, [0], BOTH + [5.9, 6.0, 3.9, 4.0]),
    "erfc": (mp.erfc, [], BOTH + [9.1, 9.3, 10.0, 26.5, 26.6, 27.2, -6.0]),
    "erfinv": (erf_inv, [0], BOTH + NEXT_TO_ONE),
    "erfcinv": (erfc_inv, [1], SMALL),
    "ndtr": (lambda x: mp.erfc(-x / mp.sqrt(2)) / 2, [], BOTH + [-13.0, -14.0, -37.5, -38.4, 8.0]),
    "ndtri": (lambda p: -mp.sqrt(2) * erfc_inv(2 * p), [mp.mpf(1) / 2], SMALL + NEXT_TO_ONE),
    "log_ndtr": (log_ndtr, [], BOTH + [-5.0, -20.0, -1e3, -1e10, -1e18, -1e150, 5.0, 8.0, 13.0, 20.0, 37.0]),
    "expit": (lambda x: 1 / (1 + mp.exp(-x)), [], BOTH + EXP + [40.0]),
    "log_expit": (lambda x: -mp.log1p(mp.exp(-x)), [], BOTH + EXP + [-1e300, 36.0, 100.0, 700.0, 740.0]),
    "softplus": (lambda x: mp.log1p(mp.exp(x)), [], BOTH + EXP + [1e300, -36.0]),
    "logit": (lambda p: mp.log(p) - mp.log1p(-p), [mp.mpf(1) / 2], SMALL + NEXT_TO_ONE),
    "log1mexp": (lambda x: mp.log1p(-mp.exp(-x)) if x > 1 else mp.log(-mp.expm1(-x)), [], SMALL + [0.69, 0.7, 17.0, 36.0, 88.0, 100.0, 700.0, 740.0]),
    "sinc": (sinc, [1, 2, 3, 10, 100], BOTH + [0.5, 1e10, 1e30]),
    "entr": (lambda x: -x * mp.log(x), [1], SMALL + LARGE[:-1]),
    "lgamma": (log_abs_gamma, ROOTS["lgamma"], BOTH + LARGE[:-1] + [2.5e305, 4e36]),
    "gamma": (mp.gamma, [], [x for x in BOTH if abs(x) > 1e-300] + [171.6, 35.0, 34.9, -10.5, -100.5, -170.5, -30.5]),
    "digamma": (mp.digamma, ROOTS["digamma"], [x for x in BOTH if abs(x) > 6e-309] + LARGE),
    "trigamma": (lambda x: mp.polygamma(1, x), [], [x for x in SMALL if x > 1e-150] + [1e10, 1e20, 1e100, 1e300]),
    "i0": (lambda x: mp.besseli(0, x), [], BOTH + [700.0, 713.9, 91.8]),
    "i1": (lambda x: mp.besseli(1, x), [0], BOTH + [700.0, 713.9, 91.8]),
    "i0e": (scaled_bessel(0), [], BOTH + [700.0, 1e5, 1e9]),
    "i1e": (scaled_bessel(1), [0], BOTH + [700.0, 1e5, 1e9]),
    "erfcx": (lambda x: mp.exp(x * x) * mp.erfc(x), [], BOTH + [20.0, 100.0, -9.0, -26.0]),
    "exp1": (mp.e1, [], SMALL + [80.0, 87.0, 100.0, 700.0, 738.0]),
    "expi": (mp.ei, ROOTS["expi"], BOTH + [80.0, 88.0, 700.0, 710.0, -80.0, -700.0]),
}
NEAR = [2.0**-k for k in (1, 3, 6, 9, 12, 16, 20, 23, 30, 40, 50, 52)]
SIZES = [1e-30, 1e-5, 0.3, 1.0, 36.56352, 1e4, 1e30, 1e-300, 1e300]
TWINS = [(s, s * (1 + sign * d)) for s in SIZES for d in NEAR for sign in (1, -1)]
BINARY = {
    "rel_entr": (lambda x, y: x * mp.log(x / y), TWINS),
    "kl_div": (kl_div, [(x, y) for x, y in TWINS if x != y] + [(36.56352, 45.29369), (1.0, 1.0001), (3.0, 1e5), (1e-300, 1e-10)]),
    "xlogy": (lambda x, y: x * mp.log(y), [(s, 1 + sign * d) for s in SIZES[:7] for d in NEAR for sign in (1, -1)]),
    "xlog1py": (lambda x, y: x * mp.log1p(y), [(s, sign * d) for s in SIZES[:7] for d in NEAR + [1e-30, 1e-300] for sign in (1, -1)]),
    "logaddexp": (
        logaddexp,
        [(float(x), float(mp.log(1 - mp.exp(x)))) for x in (-0.01, -0.3, -mp.log(2), -1.0, -3.0, -20.0, -36.0)]
        + [(1e300, 1e300), (-1e300, 1.0), (1e-300, -745.0), (-1e-5, -11.512930464970229)],
    ),
    "betaln": (betaln, [(1 + a * d, 1 + b * d) for d in NEAR for a in (1, -0.5, 0) for b in (1, -1) if abs(d) < 0.6] + [(1e-300, 2.0), (1e-30, 1e-30), (1e10, 1e-10), (1e15, 2.0), (1e100, 1e-5)]),
    "pow": (lambda x, y: mp.power(x, y), [(1 + s * d, 1 / d) for d in NEAR for s in (1, -1)] + [(10.0, 308.2), (10.0, -308.5), (10.0, 38.5), (10.0, -40.0), (2.0, -1074.0), (2.0, -149.0), (5e-324, 0.5), (1e300, 1e-300)]),
    "hypot": (lambda x, y: mp.sqrt(x * x + y * y), [(1e300, 1e300), (1e-310, 1e-310), (1e-30, 1e-30), (1e30, 1e30), (3e38, 1e20), (5e-324, 1e300), (1e-45, 1e-45)]),
    "atan2": (mp.atan2, [(y, x) for y in (1e-300, 1e-30, 1e-45, 1.0, 1e30, 1e300) for x in (-1e300, -1e30, -1e-30, 1e-300, 1.0, 1e300)]),
}
# Limits from the side that the sign of zero says.
POLES = {"digamma": [((0.0,), -np.inf), ((-0.0,), np.inf)]}


def around(zero):
    """Numbers of both types next to a zero and on the way to it."""
    found = []
    for kind in (F64, F32):
        x = kind(float(zero))
        found.append(float(x))
        for towards in (kind(-np.inf), kind(np.inf)):
            y = x
            for k in range(1, 7):
                y = np.nextafter(y, towards)
                if zero != 0 and k in (1, 2, 6):
                    found.append(float(y))
        if zero != 0:
            for e in range(1, 16 if kind is F64 else 7):
                for sign in (1, -1):
                    found.append(float(kind(float(zero * (1 + sign * mp.mpf(10) ** -e)))))
    return found


def in_both(points):
    return [p for x in points for p in (float(x), float(F32(x)))]


def condition(f, x):
    total = mp.mpf(0)
    for i, a in enumerate(x):
        if a == 0:
            continue
        h = mp.mpf(10) ** -25 * min(abs(a), mp.mpf(1))
        moved = lambda s: f(*[b + s * h if i == j else b for j, b in enumerate(x)])
        total += abs((moved(1) - moved(-1)) / (2 * h) * a)
    return total


def text(v):
    return v if np.isfinite(v) else "inf" if v > 0 else "-inf"


def case(name, f, points):
    args, values, lows, conds, narrow = [[] for _ in points[0]], [], [], [], []
    for point in dict.fromkeys(points):
        if not all(np.isfinite(p) and (p != 0 or name in ("sin",)) for p in point):
            continue
        exact = f(*[mp.mpf(p) for p in point])
        if isinstance(exact, mp.mpc) or mp.isnan(exact):
            continue
        size = abs(exact)
        if any(abs(size / mp.mpf(float(np.finfo(k).max)) - 1) < 1e-5 for k in (F64, F32)):
            continue
        try:
            value = float(exact)
        except OverflowError:
            value = float("inf") * float(mp.sign(exact))
        low = float(exact - mp.mpf(value)) if np.isfinite(value) else 0.0
        cond = condition(f, [mp.mpf(p) for p in point])
        for list_, p in zip(args, point):
            list_.append(p)
        values.append(text(value))
        lows.append(low)
        conds.append(float(mp.nstr(cond, 3)) if cond < mp.mpf(10) ** 308 else 1e308)
        narrow.append(all(float(F32(p)) == p for p in point))
    for point, value in POLES.get(name, []):
        for list_, p in zip(args, point):
            list_.append(p)
        for list_, item in zip((values, lows, conds, narrow), (text(value), 0.0, 0.0, True)):
            list_.append(item)
    return {"id": name, "fn": name, "args": args, "f32_ok": narrow, "value": values, "value_lo": lows, "cond": conds}


def main():
    np.seterr(all="ignore")
    cases = []
    for name, (f, zeros, more) in UNARY.items():
        points = [p for z in zeros for p in around(mp.mpf(z))] + in_both(more)
        cases.append(case(name, f, [(p,) for p in points]))
    for name, (f, more) in BINARY.items():
        points = list(more) + [tuple(float(F32(p)) for p in point) for point in more]
        cases.append(case(name, f, points))
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    print(f'{{"generator": "edges.py, mpmath {mp.__version__}", "set": "edges", "cases": [\n{lines}\n]}}')


main()
