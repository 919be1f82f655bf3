//! Euler's integral for Gauss' hypergeometric function, as a logarithm: with the beta function of
//! `a` and `b` it is that function of `1 - c`, `a`, `a + b` at `w` (DLMF 15.6.1). For positive
//! parameters and `w` from 0 to 1 alone, where what is integrated is positive.

use crate::distributions::terms::over;
use probpipe_trace::{Array, DType, arange, betaln, fori_loop, select};

/// The logarithm of the integral over `t` from 0 to 1 of `t^(a-1) (1-t)^(b-1) (1 - w t)^(c-1)`,
/// given `1 - w`, which may be 0; infinite there where `b + c <= 1`.
///
/// In the logarithm `v` of the odds of `t` what is integrated has one peak, falls exponentially on
/// both sides, and is analytic but for `v` and `v + log(1 - w)` at odd multiples of `i pi`. So the
/// trapezoid rule converges exponentially (L. N. Trefethen, J. A. C. Weideman, "The exponentially
/// convergent trapezoidal rule", 2014), in a variable that goes with `v` where the slopes of the
/// logarithm change and as the logarithm of `v` far out, between ends beyond which all is rounding.
#[track_caller]
pub(super) fn log_integral([a, b, c]: [&Array; 3], rest: &Array) -> Array {
    let end = rest.eq(0.0);
    let left = b + c - 1.0;
    let finite = left.gt(0.0);
    let inside = of_inside([a, b, c], &select(&end, 0.5, rest));
    // At the end the last two powers are one, and the slope in `w` is finite where `b + c > 2`.
    let slope = select(&left.gt(1.0), (c - 1.0) * a / select(&left.gt(1.0), &left - 1.0, 1.0), 0.0);
    let turned = (rest - rest.stop_gradient()) * slope.stop_gradient();
    let at_end = betaln(a, select(&finite, left, 1.0)) + turned;
    select(&end, select(&finite, at_end, f64::INFINITY), inside)
}

/// What is integrated relative to a point near its peak, whose odds are `t / r`; `far` and `near`
/// are to `1 - w t` what `t` and `r` are to 1.
struct Peak {
    powers: [Array; 3],
    t: Array,
    r: Array,
    far: Array,
    near: Array,
}

impl Peak {
    /// Without slopes.
    fn fixed(&self) -> Peak {
        self.each(|x| x.stop_gradient())
    }

    /// With a last axis for nodes.
    fn spread(&self) -> Peak {
        self.each(over)
    }

    fn each(&self, f: impl Fn(&Array) -> Array) -> Peak {
        Peak {
            powers: self.powers.each_ref().map(&f),
            t: f(&self.t),
            r: f(&self.r),
            far: f(&self.far),
            near: f(&self.near),
        }
    }

    /// The logarithm where the logarithm of the odds is larger by `d`.
    #[track_caller]
    fn log(&self, d: &Array) -> Array {
        let [a, b, c] = &self.powers;
        let up = d.gt(0.0);
        let size = -d.abs();
        let (part, less) = (size.exp(), size.expm1());
        // log(stays + falls exp(-|d|)) for two that add up to 1
        let fallen = |stays: &Array, falls: &Array| {
            let change = falls * &less;
            let small = change.gt(-0.5);
            let far = select(&small, 1.0, stays + falls * &part);
            select(&small, select(&small, change, 0.0).log1p(), far.log())
        };
        let whole = fallen(&select(&up, &self.t, &self.r), &select(&up, &self.r, &self.t));
        let other =
            fallen(&select(&up, &self.far, &self.near), &select(&up, &self.near, &self.far));
        select(&up, -b, a) * d - (a + b + c - 1.0) * whole + (c - 1.0) * other
    }
}

/// The same for `w < 1`.
#[track_caller]
fn of_inside([a, b, c]: [&Array; 3], rest: &Array) -> Array {
    let wide = rest.dtype() == DType::F64 && !rest.is_literal();
    // Nodes; how far the logarithm falls to the ends; limits of what is a number.
    let (nodes, depth, most, least) =
        if wide { (192, 38.0, 1e280, 1e-10) } else { (72, 20.0, 1e35, 1e-5) };
    let fixed = |x: &Array| x.stop_gradient();
    let (p, q, s, u) = (&fixed(a), &fixed(b), &fixed(c), &fixed(rest));
    // The odds of the peak solve q u o^2 + (q + (s - 1) w - p u) o = p.
    let half = (q + (s - 1.0) * (1.0 - u) - p * u) * 0.5;
    let root = half.hypot((p.sqrt() * q.sqrt()) * u.sqrt());
    let rising = half.lt(0.0);
    let below = p / (select(&rising, 1.0, &half) + &root);
    let above = (&root - select(&rising, &half, 0.0)) / (q * u);
    let odds = select(&rising, above, below).maximum(1.0 / most).minimum(most);
    let (log_t, log_r) = (-odds.recip().log1p(), -odds.log1p());
    let (t, r) = (&odds / (&odds + 1.0), (&odds + 1.0).recip());
    let inner = &r + &t * rest;
    let (far, near) = (&t * rest / &inner, &r / &inner);
    let peak = Peak { powers: [a.clone(), b.clone(), c.clone()], t, r, far, near };
    // Where slopes have changed: left of all that is as steep as `q` and `s`, right of `p` and `s`.
    let v = odds.log();
    let right = ((p + (s + 1.0) * (1.0 - u) / u).log1p() + 2.0 - &v).maximum(0.0);
    let left = (-(q + s * (1.0 - u)).log1p() - 2.0 - &v).minimum(0.0);
    let steps = (&(-&right).exp(), &left.exp());
    let moved = |x: &Array, (up, down): (&Array, &Array)| x + up * x.expm1() - down * (-x).expm1();
    // The ends by halving their logarithms, where the rest is less than what is rounded of all.
    // Slopes in `w` are integrals of the last power less 1, which reach as far or farther.
    let mut still = peak.fixed();
    still.powers[2] = s - 1.0;
    let depth_of = |rate: &Array| rate.recip().log1p() + depth;
    let most_of = |from: &Array, rate: &Array| (from + (depth_of(rate) / rate).log1p() + 3.0).log();
    let (down, up) = (depth_of(p), depth_of(q));
    let first = (most_of(&-&left, p), most_of(&right, q));
    let low = f64::ln(least);
    let start = (&first.0 * 0.0 + low, first.0, &first.1 * 0.0 + low, first.1);
    let ends = fori_loop(11, start, |_, (l0, l1, u0, u1): (Array, Array, Array, Array)| {
        let (l, u) = ((&l0 + &l1) * 0.5, (&u0 + &u1) * 0.5);
        let out_l = still.log(&moved(&-l.exp(), steps)).lt(-&down);
        let out_u = still.log(&moved(&u.exp(), steps)).lt(-&up);
        (
            select(&out_l, &l0, &l),
            select(&out_l, &l, &l1),
            select(&out_u, &u0, &u),
            select(&out_u, &u, &u1),
        )
    });
    let (low, high) = (-ends.1.exp().stop_gradient(), ends.3.exp().stop_gradient());
    let step = (high - &low) / (nodes as f64 - 1.0);
    let at = over(&low) + over(&step) * arange(nodes).cast(step.dtype());
    let (up, down) = (over(steps.0), over(steps.1));
    let weight = &up * at.exp() + &down * (-&at).exp() + 1.0;
    let heights = peak.spread().log(&moved(&at, (&up, &down))).exp();
    let sum = (heights * weight).sum_axes([-1]);
    a * log_t + b * log_r + (c - 1.0) * inner.log() + (sum * step).log()
}
