//! The method of Broyden, Fletcher, Goldfarb and Shanno (Nocedal and Wright 2006, "Numerical
//! Optimization", algorithm 6.1).

use super::minimum::{End, Minimizer, Sealed};
use super::quasi_newton::{Limits, Model, search};
use super::scale::{first_scale, positive};
use probpipe_trace::{Array, eye, select};

/// The method of Broyden, Fletcher, Goldfarb and Shanno: all second derivatives of `n` numbers are
/// learnt, in `n^2` numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bfgs {
    /// Ends when no entry of the gradient is larger than this. The default is 1e-5.
    pub tolerance: f64,
    /// Ends after this many steps; the default is 200 for every unknown.
    pub max_steps: Option<usize>,
    /// Most evaluations of the function along one direction. The default is 40.
    pub max_line_search: usize,
}

impl Default for Bfgs {
    fn default() -> Bfgs {
        Bfgs { tolerance: 1e-5, max_steps: None, max_line_search: 40 }
    }
}

impl Minimizer for Bfgs {}

impl Sealed for Bfgs {
    fn search(&self, f: &dyn Fn(Array) -> Array, x: Array) -> End {
        let Bfgs { tolerance, max_steps, max_line_search } = *self;
        let limits = Limits { tolerance, max_steps, max_line_search };
        let (end, inverse) = search(f, x, self, limits);
        End { inverse: Some(inverse), ..end }
    }
}

impl Model for Bfgs {
    /// The inverse of the second derivatives, `[n, n]`.
    type Known = Array;

    /// The identity, so scaled that the first step is no longer than 1.
    fn nothing(&self, gradient: &Array) -> Array {
        eye(gradient.size()).cast(gradient.dtype()) * first_scale(gradient)
    }

    fn solve(&self, inverse: &Array, _: &Array, gradient: &Array) -> Array {
        inverse.dot(gradient)
    }

    fn taught(&self, inverse: &Array, s: &Array, y: &Array, fresh: &Array) -> Array {
        update(inverse, s, y, fresh)
    }
}

/// `(I - r s y') H (I - r y s') + r s s'` with `r = 1 / (y' s)`, multiplied out, for `s` and `y` in
/// units of their largest elements, so that no product of two overflows. Before the first update
/// the identity gets the scale of the function (equation 6.20).
fn update(inverse: &Array, s: &Array, y: &Array, fresh: &Array) -> Array {
    let (s_unit, y_unit) = (positive(&s.abs().max()), positive(&y.abs().max()));
    let (s, y) = (s / &s_unit, y / &y_unit);
    let ratio = s_unit / y_unit;
    let curvature = positive(&y.dot(&s));
    let first = eye(s.size()).cast(s.dtype()) * (&curvature / positive(&y.dot(&y)) * &ratio);
    let inverse = select(fresh, first, inverse);
    let hy = inverse.dot(&y) / &curvature;
    let both = s.outer(&hy);
    let outer = s.outer(&s) * ((y.dot(&hy) + ratio) / &curvature);
    inverse - (&both + both.transpose()) + outer
}
