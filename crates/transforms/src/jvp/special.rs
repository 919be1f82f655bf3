//! Derivatives of the special functions. Those in parameters without a closed form are the op of
//! the next order; the others are written with the densities and the functions next to them.

use super::add;
use probpipe_trace::{Array, Error, ErrorKind, Op, SpecialOp, bind1, here, select};
use std::f64::consts::PI;

fn call(op: SpecialOp, x: &[&Array]) -> Array {
    bind1(Op::Special(op), x)
}

/// The derivative of order `n >= 0` of digamma.
fn polygamma(n: usize, x: &Array) -> Array {
    if n == 0 {
        return x.digamma();
    }
    let order = probpipe_trace::zeros_like(x) + n as f64;
    call(SpecialOp::Polygamma, &[&order, x])
}

/// The sum of `tangent * slope` over the operands that have a tangent.
fn total(dx: &[Option<&Array>], slopes: &[&dyn Fn() -> Array]) -> Option<Array> {
    let terms = dx.iter().zip(slopes).map(|(dx, slope)| dx.map(|dx| dx * slope()));
    terms.fold(None, add)
}

/// The tangent of `y = op(x..)`.
pub(super) fn special_jvp(
    op: SpecialOp,
    x: &[&Array],
    y: &Array,
    dx: &[Option<&Array>],
) -> Option<Array> {
    let digamma = |x: &Array| polygamma(0, x);
    match op {
        // gamma' = gamma digamma
        SpecialOp::Gamma => total(dx, &[&|| y * digamma(x[0])]),
        // d polygamma(n, x)/dx = polygamma(n + 1, x)
        SpecialOp::Polygamma => {
            total(dx, &[&|| not_in_the_order(), &|| call(op, &[&(x[0] + 1.0), x[1]])])
        }
        // with s = a + b: d/da = polygamma(1, s) - polygamma(1, a), d/db = polygamma(1, s)
        SpecialOp::DigammaDifference => {
            let of_sum = || polygamma(1, &(x[0] + x[1]));
            total(dx, &[&|| of_sum() - polygamma(1, x[0]), &of_sum])
        }
        // d betaln(a, b)/da = digamma(a) - digamma(a + b)
        SpecialOp::Betaln => {
            let slope = |a: &Array, b: &Array| -call(SpecialOp::DigammaDifference, &[a, b]);
            total(dx, &[&|| slope(x[0], x[1]), &|| slope(x[1], x[0])])
        }
        // dz/dq = -s zeta(s + 1, q), of which k derivatives in s:
        // -s zeta^(k)(s + 1, q) - k zeta^(k-1)(s + 1, q)
        SpecialOp::Zeta { order } => {
            let above = |order| call(SpecialOp::Zeta { order }, &[&(x[0] + 1.0), x[1]]);
            let in_q = || match order {
                0 => above(0) * -x[0],
                k => above(k) * -x[0] - above(k - 1) * f64::from(k),
            };
            total(dx, &[&|| call(SpecialOp::Zeta { order: next(order) }, x), &in_q])
        }
        // dP/dx = the density, and of k derivatives in a the same of the density
        SpecialOp::Gammainc { order } => {
            let in_a = || call(SpecialOp::Gammainc { order: next(order) }, x);
            total(dx, &[&in_a, &|| gamma_density(x, order)])
        }
        // dQ = -dP
        SpecialOp::Gammaincc => {
            total(dx, &[&|| -call(SpecialOp::Gammainc { order: 1 }, x), &|| -gamma_density(x, 0)])
        }
        // d density/da = density (log x - digamma(a)), d/dx = density ((a - 1)/x - 1)
        SpecialOp::GammaDensity => {
            let (a, t) = (x[0], inside(x[1], y));
            let in_x = || present(y, &((a - 1.0) / &t - 1.0));
            total(dx, &[&|| present(y, &(t.log() - digamma(a))), &in_x])
        }
        // P(a, x) = p: dx = (dp - dP/da da) / density
        SpecialOp::Gammaincinv => {
            let at = [x[0], y];
            let density = || call(SpecialOp::GammaDensity, &at);
            let in_a = || -call(SpecialOp::Gammainc { order: 1 }, &at) / density();
            total(dx, &[&in_a, &|| density().recip()])
        }
        // Q(a, x) = q: dx = -(dq + dP/da da) / density
        SpecialOp::Gammainccinv => {
            let at = [x[0], y];
            let density = || call(SpecialOp::GammaDensity, &at);
            let in_a = || -call(SpecialOp::Gammainc { order: 1 }, &at) / density();
            total(dx, &[&in_a, &|| -density().recip()])
        }
        // dI/dx = the density, and of derivatives in a and b the same of the density
        SpecialOp::Betainc { orders: [i, j] } => {
            let of = |orders| call(SpecialOp::Betainc { orders }, x);
            total(dx, &[&|| of([next(i), j]), &|| of([i, next(j)]), &|| beta_density(x, [i, j])])
        }
        // with l = log density: dl/da = log x + digamma(a + b) - digamma(a), dl/db the mirror
        // image, dl/dx = (a - 1)/x - (b - 1)/(1 - x)
        SpecialOp::BetaDensity => {
            let (a, b, t) = (x[0], x[1], inside(x[2], y));
            let gap = |a: &Array, b: &Array| call(SpecialOp::DigammaDifference, &[a, b]);
            let in_a = || present(y, &(t.log() + gap(a, b)));
            let in_b = || present(y, &((-&t).log1p() + gap(b, a)));
            let in_x = || present(y, &((a - 1.0) / &t - (b - 1.0) / (1.0 - &t)));
            total(dx, &[&in_a, &in_b, &in_x])
        }
        // I_x(a, b) = p: dx = (dp - dI/da da - dI/db db) / density
        SpecialOp::Betaincinv => {
            let at = [x[0], x[1], y];
            let density = || call(SpecialOp::BetaDensity, &at);
            let slope = |orders| -call(SpecialOp::Betainc { orders }, &at) / density();
            total(dx, &[&|| slope([1, 0]), &|| slope([0, 1]), &|| density().recip()])
        }
        // I0' = I1
        SpecialOp::I0 => total(dx, &[&|| call(SpecialOp::I1, x)]),
        // I1' = I0 - I1/x
        SpecialOp::I1 => total(dx, &[&|| call(SpecialOp::I0, x) - over(y, x[0])]),
        SpecialOp::I0e => total(dx, &[&|| call(SpecialOp::I0eSlope, x)]),
        // (e^-|x| I0)'' = 2 e^-|x| (I0 - sign(x) I1) - e^-|x| I1/x
        SpecialOp::I0eSlope => {
            total(dx, &[&|| gap(y, x[0]) * 2.0 - over(&call(SpecialOp::I1e, x), x[0])])
        }
        // (e^-|x| I1)' = e^-|x| (I0 - sign(x) I1) - e^-|x| I1/x
        SpecialOp::I1e => {
            total(dx, &[&|| gap(&call(SpecialOp::I0eSlope, x), x[0]) - over(y, x[0])])
        }
        // y[n]' = -2 (n + 1) y[n+1]
        SpecialOp::Erfcx { order } => {
            let factor = -2.0 * (f64::from(order) + 1.0);
            total(dx, &[&|| call(SpecialOp::Erfcx { order: next(order) }, x) * factor])
        }
        // E1' = -e^-x / x
        SpecialOp::Exp1 => total(dx, &[&|| -(-x[0]).exp() / x[0]]),
        // Ei' = e^x / x
        SpecialOp::Expi => total(dx, &[&|| x[0].exp() / x[0]]),
        // dT/dh = -exp(-h^2/2) erf(a h/sqrt 2) / (2 sqrt(2 pi)),
        // dT/da = exp(-h^2 (1 + a^2)/2) / (2 pi (1 + a^2))
        SpecialOp::OwensT => {
            let (h, a) = (x[0], x[1]);
            let bell = || (h.square() * -0.5).exp();
            let in_h = || bell() * (h * a * 0.5f64.sqrt()).erf() * (-0.5 / (2.0 * PI).sqrt());
            let in_a = || {
                let grown = a.square() + 1.0;
                (h.square() * &grown * -0.5).exp() / (grown * (2.0 * PI))
            };
            total(dx, &[&in_h, &in_a])
        }
    }
}

/// The order after; the type rule refuses those that are too high.
fn next(order: u8) -> u8 {
    order.saturating_add(1)
}

fn not_in_the_order() -> Array {
    let error = Error::new(
        ErrorKind::Transform,
        "the order of `polygamma` is a whole number and has no derivative",
    )
    .help("take the order as a constant, for example with `.stop_gradient()`");
    Array::invalid(error, here())
}

/// `y slope`, zero where `y` is: in the far tails, and at the ends of the support.
fn present(y: &Array, slope: &Array) -> Array {
    select(&y.eq(0.0), 0.0, y * slope)
}

/// `x` where the density is not zero, and elsewhere a point at which nothing is infinite.
fn inside(x: &Array, density: &Array) -> Array {
    select(&density.eq(0.0), 0.5, x)
}

/// `y / x` for a function `y` that is `x/2` near zero.
fn over(y: &Array, x: &Array) -> Array {
    let zero = x.eq(0.0);
    select(&zero, 0.5, y / select(&zero, 1.0, x))
}

/// `e^-|x| (I0 - |I1|)`, given the slope of `e^-|x| I0`, which is that with the sign of `-x`.
fn gap(slope: &Array, x: &Array) -> Array {
    let size = select(&x.lt(0.0), slope, -slope);
    select(&x.eq(0.0), 1.0, size)
}

/// `n` over `k`.
fn binomial(n: u8, k: u8) -> f64 {
    (0..k).fold(1.0, |c, i| c * f64::from(n - i) / f64::from(i + 1))
}

/// The derivative of an order in `a` of the density of (a, x). With `l` the derivatives of its
/// logarithm, `f^(n+1) = sum over m of C(n, m) l^(m+1) f^(n-m)`.
fn gamma_density(x: &[&Array], order: u8) -> Array {
    let density = call(SpecialOp::GammaDensity, x);
    if order == 0 {
        return density;
    }
    let t = inside(x[1], &density);
    let log = |m: u8| match m {
        1 => t.log() - polygamma(0, x[0]),
        m => -polygamma(usize::from(m) - 1, x[0]),
    };
    let mut f = vec![density.clone()];
    for n in 0..order {
        let terms = (0..=n).map(|m| log(m + 1) * &f[usize::from(n - m)] * binomial(n, m));
        let sum = terms.map(Some).fold(None, add).unwrap_or_else(|| density.clone());
        f.push(select(&density.eq(0.0), 0.0, sum));
    }
    f.pop().unwrap_or(density)
}

/// The derivative of two orders in `a` and `b` of the density of (a, b, x), by the recursion of
/// [`gamma_density`] in both.
fn beta_density(x: &[&Array], [i, j]: [u8; 2]) -> Array {
    let density = call(SpecialOp::BetaDensity, x);
    if (i, j) == (0, 0) {
        return density;
    }
    let (a, b, t) = (x[0], x[1], inside(x[2], &density));
    let gap = |a: &Array, b: &Array| call(SpecialOp::DigammaDifference, &[a, b]);
    // Derivatives of a log x + b log(1 - x) + lgamma(a + b) - lgamma(a) - lgamma(b)
    let log = |k: u8, l: u8| {
        let of_sum = || polygamma(usize::from(k + l) - 1, &(a + b));
        match (k, l) {
            (1, 0) => t.log() + gap(a, b),
            (0, 1) => (-&t).log1p() + gap(b, a),
            (k, 0) => of_sum() - polygamma(usize::from(k) - 1, a),
            (0, l) => of_sum() - polygamma(usize::from(l) - 1, b),
            _ => of_sum(),
        }
    };
    // In one parameter after the other: n and m the orders of what is differentiated once more.
    fn mixed(density: &Array, log: &dyn Fn(u8, u8) -> Array, i: u8, j: u8) -> Array {
        if (i, j) == (0, 0) {
            return density.clone();
        }
        let (n, m) = if i > 0 { (i - 1, j) } else { (0, j - 1) };
        let step = |k: u8, l: u8| if i > 0 { log(k + 1, l) } else { log(k, l + 1) };
        let mut sum = None;
        for k in 0..=n {
            for l in 0..=m {
                let rest = mixed(density, log, n - k, m - l);
                sum = add(sum, Some(step(k, l) * rest * (binomial(n, k) * binomial(m, l))));
            }
        }
        sum.unwrap_or_else(|| density.clone())
    }
    select(&density.eq(0.0), 0.0, mixed(&density, &log, i, j))
}
