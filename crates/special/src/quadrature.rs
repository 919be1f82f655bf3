//! The Gauss-Legendre rule with 32 nodes, for integrands that are analytic around the interval.

use crate::Number;

/// The positive nodes on [-1, 1] with their weights.
const RULE: [(f64, f64); 16] = [
    (0.04830766568773832, 0.0965400885147278),
    (0.1444719615827965, 0.09563872007927486),
    (0.23928736225213706, 0.09384439908080457),
    (0.33186860228212767, 0.09117387869576389),
    (0.42135127613063533, 0.08765209300440381),
    (0.5068999089322294, 0.08331192422694675),
    (0.5877157572407623, 0.07819389578707031),
    (0.6630442669302152, 0.0723457941088485),
    (0.7321821187402897, 0.06582222277636185),
    (0.7944837959679424, 0.058684093478535544),
    (0.84936761373257, 0.050998059262376175),
    (0.8963211557660521, 0.04283589802222668),
    (0.9349060759377397, 0.03427386291302143),
    (0.9647622555875064, 0.02539206530926206),
    (0.9856115115452684, 0.01627439473090567),
    (0.9972638618494816, 0.007018610009470096),
];

/// The integral of `f` from 0 to `end`.
pub(crate) fn integrate<T: Number>(end: f64, f: impl Fn(f64) -> T) -> T {
    let half = 0.5 * end;
    let mut sum = T::lit(0.0);
    // The far half first: there the integrands of this crate are smallest.
    for (node, weight) in RULE.iter().rev() {
        sum = sum + f(half + half * node) * T::lit(*weight);
    }
    for (node, weight) in RULE {
        sum = sum + f(half - half * node) * T::lit(weight);
    }
    sum * T::lit(half)
}

/// The integral from 0 to infinity, or to `most`, of a function whose logarithm `h` is concave and
/// zero at 0, given `h(s)` and `h'(s)`, and the curvature `-h''(0)`. It is cut where `h < -40`.
pub(crate) fn integrate_decay<T: Number>(
    most: f64,
    curvature: f64,
    h: impl Fn(f64) -> (f64, f64),
    f: impl Fn(f64) -> T,
) -> T {
    const CUT: f64 = -40.0;
    // The parabola at 0 first; then Newton's steps, which on a concave function end up at or
    // beyond the root.
    let slope = -h(0.0).1;
    let root = (slope * slope - 2.0 * CUT * curvature).sqrt();
    let mut end =
        if slope > 0.0 { -2.0 * CUT / (slope + root) } else { (root - slope) / curvature };
    let inside = 0.999 * most;
    end = end.min(inside);
    for _ in 0..4 {
        let (value, slope) = h(end);
        end = (end + (CUT - value) / slope).min(inside);
    }
    integrate(end, f)
}
