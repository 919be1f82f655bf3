"""Writes elementwise.json: arguments and correctly rounded values of every kernel, by mpmath.

Usage: python generate.py [density] > elementwise.json   (needs numpy and mpmath)

The committed file has density 70, about 450 points per case; 1500 gives ten thousand.

The points of a case are drawn from its own seed, so that a new function leaves the others as they
are.

One case per function and precision: {"fn", "type", "x", "y" (binary functions only), "value",
"rest"}. `value` is rounded to the precision; `rest` is what that rounding lost, in units of the
last place. Strings "nan", "inf", "-inf" stand for themselves.
"""
import json
import random
import sys

import mpmath as mp
import numpy as np

mp.mp.dps = 50


def erf_inv(x):
    if abs(x) >= 1:
        return mp.inf * mp.sign(x) if abs(x) == 1 else mp.nan
    if x == 0:
        return x
    a = abs(x)
    y = mp.erfinv(a) if a < 0.9 else mp.sqrt(-mp.log(1 - a * a)) * mp.mpf("0.9")
    for _ in range(60):
        d = (mp.erfc(y) - (1 - a)) / (-2 / mp.sqrt(mp.pi) * mp.exp(-y * y))
        d /= 1 + y * d
        y -= d
        if abs(d) < mp.mpf(10) ** -45:
            break
    return y * mp.sign(x)


def guarded(f, ok):
    return lambda x: f(x) if ok(x) else mp.nan


def positive(f):
    return guarded(f, lambda x: x > 0)


INF = mp.inf
# name: (function, [intervals to fill evenly], domain for log-spaced arguments)
UNARY = {
    "exp": (mp.exp, [(-110, 90), (-1, 1), (-745, 709.7)], (0, 1000)),
    "expm1": (mp.expm1, [(-3, 3), (-40, 90), (-1, 709.7)], (0, 1000)),
    "log": (positive(mp.log), [(0.5, 2), (0, 10)], (0, INF)),
    "log2": (positive(lambda x: mp.log(x, 2)), [(0.5, 2), (0, 10), (0.9, 1.1)], (0, INF)),
    "log1p": (guarded(mp.log1p, lambda x: x > -1), [(-1, 1), (0, 10), (-0.5, 0.5)], (0, INF)),
    "sin": (mp.sin, [(-7, 7), (-1000, 1000), (0, 1e5)], (0, INF)),
    "cos": (mp.cos, [(-7, 7), (-1000, 1000), (0, 1e5)], (0, INF)),
    "tan": (mp.tan, [(-7, 7), (-1000, 1000), (0, 1e5)], (0, INF)),
    "asin": (guarded(mp.asin, lambda x: abs(x) <= 1), [(-1, 1), (0.4, 0.6)], (0, 2)),
    "acos": (guarded(mp.acos, lambda x: abs(x) <= 1), [(-1, 1), (0.4, 0.6)], (0, 2)),
    "atan": (mp.atan, [(-1, 1), (-5, 5), (0, 50)], (0, INF)),
    "sinh": (mp.sinh, [(-3, 3), (-90, 90), (0, 30), (700, 711)], (0, 1000)),
    "cosh": (mp.cosh, [(-3, 3), (-90, 90), (0, 30), (700, 711)], (0, 1000)),
    "tanh": (mp.tanh, [(-3, 3), (-12, 12), (0, 24)], (0, INF)),
    "asinh": (mp.asinh, [(-3, 3), (0, 100)], (0, INF)),
    "acosh": (guarded(mp.acosh, lambda x: x >= 1), [(1, 1.1), (1, 4), (1, 100)], (0.5, INF)),
    "atanh": (guarded(mp.atanh, lambda x: abs(x) < 1), [(-1, 1), (0.9, 1)], (0, 2)),
    "erf": (mp.erf, [(-1.2, 1.2), (0, 6)], (0, INF)),
    "erfc": (lambda x: mp.erfc(x) if abs(x) < 1000 else mp.mpf(2 if x < 0 else 0), [(-1, 1.5), (-6, 6), (0, 10.1), (5, 27.3)], (0, 100)),
    "erf_inv": (erf_inv, [(-1, 1), (0.9, 1), (0.99, 1), (0.999, 1)], (0, 2)),
    "lgamma": (positive(mp.loggamma), [(0, 1), (0.5, 3), (3, 12), (0.9, 2.1)], (0, 1e300)),
    "digamma": (positive(mp.digamma), [(0, 1), (1, 2), (3, 12), (1.4, 1.5)], (0, INF)),
}


def to_float(v, kind):
    """Rounds an mpf once: numpy's float32 of a float64 would round twice."""
    if kind is np.float64:
        # mpmath's float() does not round subnormals once.
        if v == 0 or not mp.isfinite(v) or abs(v) > mp.mpf(2) ** -1021:
            return float(v)
        return float(mp.nint(mp.ldexp(v, 1074))) * 5e-324
    if v == 0 or not mp.isfinite(v):
        return np.float32(float(v))
    exponent = max(mp.frexp(v)[1], -125) - 24
    scaled = float(mp.nint(mp.ldexp(v, -exponent)))
    with np.errstate(all="ignore"):
        return np.float32(scaled * 2.0**exponent) if exponent < 900 else np.float32(np.copysign(np.inf, float(mp.sign(v))))


def ulp(v, kind):
    digits, lowest = (53, -1074) if kind is np.float64 else (24, -149)
    return mp.ldexp(1, max(mp.frexp(mp.mpf(float(v)))[1] - digits, lowest))


def entry(v):
    v = float(v)
    if v != v:
        return "nan"
    if v in (np.inf, -np.inf):
        return "inf" if v > 0 else "-inf"
    return v


def shorten(v, kind):
    v = entry(v)
    return v if isinstance(v, str) or kind is np.float64 else float(np.format_float_scientific(np.float32(v)))


def points(kind, intervals, domain, count):
    lo, hi = domain
    info = np.finfo(kind)
    smallest, largest = float(info.smallest_subnormal), float(info.max)
    xs = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, np.inf, -np.inf, np.nan, smallest, -smallest,
          float(info.tiny), -float(info.tiny), largest, -largest, float(info.eps), 0.75, -0.75]
    for edge in (1.0, 0.5, 2.0, 0.75, np.sqrt(0.5), np.sqrt(2), np.sqrt(2) - 1, np.sqrt(2) + 1):
        for s in (1, -1):
            e = kind(edge * s)
            xs += [np.nextafter(e, kind(0)), np.nextafter(e, kind(9)), e]
    xs += [np.nextafter(kind(v), kind(s)) for v in (np.pi, np.pi / 2, 2 * np.pi, 355) for s in (0, 999)]
    top = min(float(hi), largest) if mp.isfinite(hi) else largest
    bottom = max(float(lo), smallest)
    for _ in range(count):
        e = random.uniform(np.log10(bottom), np.log10(top) - 1e-9)
        xs.append(10.0**e * random.choice((1, -1)))
        e = random.uniform(max(np.log10(bottom), -10), min(np.log10(top), 8))
        xs.append(10.0**e * random.choice((1, -1)))
        for a, b in intervals:
            xs.append(random.uniform(a, b))
        # Close to one from below, where inverse functions are steep.
        xs.append((1 - 10.0 ** random.uniform(-16 if kind is np.float64 else -7, 0)) * random.choice((1, -1)))
    with np.errstate(all="ignore"):
        return [kind(x) for x in dict.fromkeys(float(kind(x)) for x in xs)] + [kind(-0.0)]


def value_of(f, args, kind):
    """(rounded value, rest in ulp)."""
    try:
        v = f(*[mp.mpf(float(a)) for a in args])
    except (ValueError, ZeroDivisionError):
        return mp.nan, 0
    if isinstance(v, mp.mpc):
        return mp.nan, 0
    return v, None


LIMITS = {  # what mpmath does not say about infinities and zeros
    "exp": {"-inf": 0.0, "inf": np.inf}, "expm1": {"-inf": -1.0, "inf": np.inf},
    "log": {"inf": np.inf, "0": -np.inf}, "log1p": {"inf": np.inf, "-1": -np.inf},
    "log2": {"inf": np.inf, "0": -np.inf},
    "sin": {"inf": np.nan, "-inf": np.nan}, "cos": {"inf": np.nan, "-inf": np.nan},
    "tan": {"inf": np.nan, "-inf": np.nan}, "sinh": {"inf": np.inf, "-inf": -np.inf},
    "cosh": {"inf": np.inf, "-inf": np.inf}, "tanh": {"inf": 1.0, "-inf": -1.0},
    "asinh": {"inf": np.inf, "-inf": -np.inf}, "acosh": {"inf": np.inf},
    "atan": {"inf": np.pi / 2, "-inf": -np.pi / 2}, "atanh": {"1": np.inf, "-1": -np.inf},
    "erf": {"inf": 1.0, "-inf": -1.0}, "erfc": {"inf": 0.0, "-inf": 2.0},
    "lgamma": {"0": np.inf, "inf": np.inf}, "digamma": {"0": -np.inf, "-0": np.inf, "inf": np.inf},
}
# The scalar functions that serve negative arguments have tests of their own.
POSITIVE_ONLY = {"lgamma", "digamma"}
ODD = {"expm1", "log1p", "sin", "tan", "asin", "atan", "sinh", "tanh", "asinh", "atanh", "erf", "erf_inv"}
ONE_AT_ZERO = {"exp": 1.0, "cos": 1.0, "cosh": 1.0, "erfc": 1.0}


def unary_case(name, kind, count):
    f, intervals, domain = UNARY[name]
    xs, values, rests = [], [], []
    for x in points(kind, intervals, domain, count):
        fx = float(x)
        if name in POSITIVE_ONLY and fx < 0:
            continue
        rest = 0.0
        key = "inf" if fx == np.inf else "-inf" if fx == -np.inf else f"{fx:.17g}".replace("-0", "0") if fx == 0 or abs(fx) == 1 else None
        if fx == 0 and np.signbit(fx) and "-0" in LIMITS.get(name, {}):
            key = "-0"
        if fx != fx:
            v = np.nan
        elif fx == 0 and name in ODD:
            v = fx
        elif key in LIMITS.get(name, {}):
            exact = mp.pi / 2 * np.sign(fx) if name == "atan" else mp.mpf(LIMITS[name][key])
            v = to_float(exact, kind)
            if mp.isfinite(exact):
                rest = float((exact - mp.mpf(float(v))) / ulp(v, kind))
        elif abs(fx) == np.inf:
            v = np.nan
        else:
            exact, _ = value_of(f, [x], kind)
            v = to_float(mp.mpf(exact), kind)
            if np.isfinite(v):
                rest = float((exact - mp.mpf(float(v))) / ulp(v, kind))
            if v == 0 and exact < 0 or (v == 0 and name in ODD and fx < 0):
                v = -0.0
        xs.append(shorten(x, kind))
        values.append(shorten(v, kind))
        rests.append(round(rest, 2))
    return {"fn": name, "type": kind.__name__.replace("float", "f"), "x": xs, "value": values, "rest": rests}


def binary_case(name, kind, count):
    info = np.finfo(kind)
    args = []
    if name == "pow":
        while len(args) < count * 6:
            base = random.choice((random.uniform(0, 3), 10 ** random.uniform(-300, 300),
                                  1 + random.uniform(-1, 1) * 10 ** random.uniform(-9, 0),
                                  random.uniform(0, 100), 10 ** random.uniform(-37, 38)))
            with np.errstate(all="ignore"):
                x = float(kind(base))
            if not 0 < x < float(info.max) or x == 1:
                continue
            limit = (745 if kind is np.float64 else 103) / abs(np.log(x))
            y = random.choice((random.uniform(-limit, limit), random.uniform(-3, 3),
                               float(random.randint(-20, 20)), 0.5)) * random.choice((1, 0.99))
            if y == int(y):
                x *= random.choice((1, -1))
            args.append((x, y))
    else:
        while len(args) < count * 6:
            mode = random.randint(0, 2)
            top = 307 if kind is np.float64 else 37
            if mode == 0:
                pair = [random.uniform(-3, 3), random.uniform(-3, 3)]
            elif mode == 1:
                pair = [10 ** random.uniform(-top, top) * random.choice((1, -1)) for _ in range(2)]
            else:
                e = random.uniform(-top, top)
                pair = [10 ** (e + random.uniform(-1, 1)) * random.choice((1, -1)) for _ in range(2)]
            args.append(tuple(pair))
    xs, ys, values, rests = [], [], [], []
    for a, b in args:
        with np.errstate(all="ignore"):
            a, b = kind(a), kind(b)
        if not (np.isfinite(a) and np.isfinite(b) and a != 0 and b != 0):
            continue
        if name == "pow":
            exact = mp.power(mp.mpf(float(a)), mp.mpf(float(b)))
            if isinstance(exact, mp.mpc):
                if abs(exact.imag) > 0:
                    continue
                exact = exact.real
        else:
            exact = mp.atan2(mp.mpf(float(a)), mp.mpf(float(b)))
        if mp.log(abs(exact), 2) > 1024:
            continue
        v = to_float(exact, kind)
        rest = float((exact - mp.mpf(float(v))) / ulp(v, kind)) if np.isfinite(v) else 0.0
        if v == 0 and exact < 0:
            v = -0.0
        xs.append(shorten(a, kind))
        ys.append(shorten(b, kind))
        values.append(shorten(v, kind))
        rests.append(round(rest, 2))
    return {"fn": name, "type": kind.__name__.replace("float", "f"), "x": xs, "y": ys, "value": values, "rest": rests}


def main():
    cases = []
    density = int(sys.argv[1]) if len(sys.argv) > 1 else 70
    for kind in (np.float32, np.float64):
        for name in (*UNARY, "pow", "atan2"):
            random.seed(f"{name} {kind.__name__}")
            case = unary_case if name in UNARY else binary_case
            cases.append(case(name, kind, density))
            print(name, kind.__name__, len(cases[-1]["x"]), file=sys.stderr)
    print('{"generator": "kernels/tests/data/generate.py, mpmath %s", "cases": [' % mp.__version__)
    print(",\n".join(json.dumps(c, separators=(",", ":")) for c in cases))
    print("]}")


main()
