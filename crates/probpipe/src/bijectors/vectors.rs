//! Bijectors of vectors: onto simplices, increasing vectors, balls, spheres and vectors that add
//! up to zero. Sums run so that nothing cancels: what is left of a stick is never `1 - sum`.

use super::Bijector;
use super::elementwise::log_slope_of_tanh;
use super::events::{fitted, misfit, replaced};
use crate::constraints::Constraint;
use probpipe_trace::{
    Array, CumulativeOp, Keep, Result, Shape, Tree, arange, concat, select, zeros_like,
};
use std::f64::consts::LN_2;

/// Declares a bijector of vectors, whose shapes are checked before its formulas run: its sets, how
/// many numbers it adds, and its formulas.
macro_rules! vectors {
    ($(
        $(#[$about:meta])*
        $name:ident adds $added:literal: $domain:ident => $codomain:ident;
        forward($x:ident) => $forward:expr;
        inverse($y:ident) => $inverse:expr;
        log_det($z:ident) => $log_det:expr;
    )+) => {$(
        $(#[$about])*
        #[derive(Tree, Clone, Copy, Debug, Default, PartialEq)]
        #[tree(crate = probpipe_trace)]
        pub struct $name;

        impl Bijector for $name {
            fn forward(&self, x: &Array) -> Array {
                fitted(x, |shape| self.forward_shape(shape), |$x| $forward)
            }

            fn inverse(&self, y: &Array) -> Array {
                fitted(y, |shape| self.inverse_shape(shape), |$y| $inverse)
            }

            fn log_det(&self, x: &Array) -> Array {
                fitted(x, |shape| self.forward_shape(shape), |$z| $log_det)
            }

            fn domain(&self) -> Constraint {
                Constraint::$domain
            }

            fn codomain(&self) -> Constraint {
                Constraint::$codomain
            }

            fn forward_shape(&self, shape: &[usize]) -> Result<Shape> {
                resized(stringify!($name), "takes", shape, 1, $added)
            }

            fn inverse_shape(&self, shape: &[usize]) -> Result<Shape> {
                resized(stringify!($name), "gives", shape, 1 + $added, -$added)
            }
        }
    )+};
}

/// The shape with its last extent, which must be `least` or more, changed by `by`.
fn resized(name: &str, does: &str, shape: &[usize], least: usize, by: isize) -> Result<Shape> {
    match shape.last() {
        Some(&n) if n >= least => Ok(replaced(shape, &[n.saturating_add_signed(by)])),
        _ => Err(misfit(
            &format!("{name} {does} vectors of {least} or more numbers"),
            shape,
            "the last axis holds the vectors",
        )),
    }
}

vectors! {
    /// Stick breaking, from vectors of `n` numbers onto the simplex of `n + 1`: of what is left,
    /// entry `k` takes the part `sigmoid(x_k - log(n - k))`. Zeros give equal parts.
    StickBreaking adds 1: RealVector => Simplex;
    forward(x) => {
        let (part, rest) = stick(x);
        concat([(part + before(&rest)).exp(), total(&rest).exp()], -1)
    };
    inverse(y) => {
        let n = last(y) - 1;
        let left = after(y).slice_axis(-1, 0..n);
        y.slice_axis(-1, 0..n).log() - left.log() + log_left(y, n)
    };
    log_det(x) => {
        let (part, rest) = stick(x);
        (part + before(&rest) + rest).sum_axes([-1])
    };

    /// Onto increasing vectors: `y_0 = x_0` and `y_k = y_(k-1) + exp(x_k)`.
    Ordered adds 0: RealVector => OrderedVector;
    forward(x) => concat([first(x), others(x).exp()], -1).cumsum(-1);
    inverse(y) => concat([first(y), y.diff(1, -1).log()], -1);
    log_det(x) => others(x).sum_axes([-1]);

    /// Onto vectors of `n + 1` numbers that add up to zero, of the same length as the vectors of
    /// `n` that they come from: the reflection that exchanges the last axis and the diagonal.
    ZeroSum adds 1: RealVector => ZeroSum;
    forward(x) => {
        let n = last(x) as f64 + 1.0;
        let sum = x.sum_axes(Keep([-1]));
        let shift = &sum / (n + n.sqrt());
        concat([x - &shift, -sum / n.sqrt()], -1)
    };
    inverse(y) => {
        let n = last(y) as f64;
        let end = y.slice_axis(-1, last(y) - 1..last(y));
        y.slice_axis(-1, 0..last(y) - 1) - end / (n.sqrt() + 1.0)
    };
    log_det(x) => zeros_like(&x.sum_axes([-1]));

    /// Onto the vectors whose absolute values add up to less than 1: entry `k` takes the part
    /// `tanh(x_k)` of what those before it leave.
    StickBreakingL1 adds 0: RealVector => L1Ball;
    forward(x) => x.tanh() * before(&log_rest_of_tanh(x)).exp();
    inverse(y) => {
        let size = y.abs();
        let spare = 1.0 - size.sum_axes(Keep([-1]));
        y.sign() * (&size * 2.0 / (after(&size) + spare)).log1p() * 0.5
    };
    log_det(x) => (log_slope_of_tanh(x) + before(&log_rest_of_tanh(x))).sum_axes([-1]);

    /// Onto the vectors shorter than 1: `x / sqrt(1 + |x|^2)`.
    UnitBall adds 0: RealVector => UnitBall;
    forward(x) => x * (squared(x) + 1.0).rsqrt();
    inverse(y) => y * (1.0 - squared(y)).rsqrt();
    log_det(x) => {
        squared(x).squeeze(-1).log1p() * -(last(x) as f64 / 2.0 + 1.0)
    };

    /// Onto the unit sphere less one point: stereographic projection from the last axis,
    /// `(2 x, |x|^2 - 1) / (|x|^2 + 1)`. The volume is that of the surface.
    Stereographic adds 1: RealVector => UnitVector;
    forward(x) => {
        let size = squared(x);
        concat([x * 2.0, &size - 1.0], -1) / (size + 1.0)
    };
    inverse(y) => {
        let n = last(y) - 1;
        let (point, height) = (y.slice_axis(-1, 0..n), y.slice_axis(-1, n..n + 1));
        // |point|^2 = (1 + height) (1 - height), of which the smaller factor is not subtracted.
        let above = height.gt(0.0);
        let low = select(&above, 0.0, &height);
        let size = select(&above, squared(&point), 1.0);
        let near = &point * (&height + 1.0) / size;
        select(&above, near, &point / (1.0 - low))
    };
    log_det(x) => (LN_2 - squared(x).squeeze(-1).log1p()) * last(x) as f64;
}

/// The last extent of a shape that was checked.
fn last(x: &Array) -> usize {
    x.shape().last().copied().unwrap_or(0)
}

#[track_caller]
fn first(x: &Array) -> Array {
    x.slice_axis(-1, 0..1)
}

#[track_caller]
fn others(x: &Array) -> Array {
    x.slice_axis(-1, 1..last(x))
}

/// `|x|^2`, with the axis kept.
#[track_caller]
fn squared(x: &Array) -> Array {
    x.square().sum_axes(Keep([-1]))
}

/// The sums of the entries before each.
#[track_caller]
fn before(x: &Array) -> Array {
    let zero = zeros_like(&first(x));
    concat([zero, x.slice_axis(-1, 0..last(x) - 1).cumsum(-1)], -1)
}

/// The sums of the entries after each.
#[track_caller]
fn after(x: &Array) -> Array {
    let zero = zeros_like(&first(x));
    concat([others(x).cumulative(CumulativeOp::Sum, -1, true), zero], -1)
}

/// The sum of all entries, with the axis kept.
#[track_caller]
fn total(x: &Array) -> Array {
    x.sum_axes(Keep([-1]))
}

/// `log(n - k)` for entry `k` of `n`, in the type of `x`.
#[track_caller]
fn log_left(x: &Array, n: usize) -> Array {
    (n as f64 - arange(n).cast(x.dtype())).log()
}

/// The logarithms of the part that each entry takes of the stick, and of what it leaves.
#[track_caller]
fn stick(x: &Array) -> (Array, Array) {
    let x = x - log_left(x, last(x));
    (x.log_sigmoid(), (-x).log_sigmoid())
}

/// `log(1 - |tanh(x)|)`.
#[track_caller]
fn log_rest_of_tanh(x: &Array) -> Array {
    let twice = x.abs() * -2.0;
    LN_2 + &twice - twice.softplus()
}

/// A fixed order of the entries of a vector: entry `k` of the value is entry `p_k` of the argument.
#[derive(Tree, Clone, Debug, PartialEq)]
#[tree(crate = probpipe_trace)]
pub struct Permutation {
    #[tree(static)]
    order: Vec<usize>,
}

impl Permutation {
    /// With the places that entries come from. An order that is none fits no vector.
    pub fn new(order: impl Into<Vec<usize>>) -> Permutation {
        Permutation { order: order.into() }
    }

    fn fits(&self, shape: &[usize]) -> Result<Shape> {
        let n = self.order.len();
        let mut sorted = self.order.clone();
        sorted.sort_unstable();
        if !sorted.into_iter().eq(0..n) {
            let takes = format!("{:?} is no order of {n} entries", self.order);
            return Err(misfit(&takes, shape, "name each entry from 0 once"));
        }
        match shape.last() {
            Some(&extent) if extent == n && n > 0 => Ok(shape.into()),
            _ => {
                let takes = format!("this Permutation takes vectors of {n} numbers");
                Err(misfit(&takes, shape, "the last axis holds the vectors"))
            }
        }
    }
}

/// Indices as an array.
fn indices(order: &[usize]) -> Array {
    let order: Vec<i32> = order.iter().map(|&k| k as i32).collect();
    Array::from_slice(&order, [order.len()])
}

impl Bijector for Permutation {
    fn forward(&self, x: &Array) -> Array {
        fitted(x, |shape| self.fits(shape), |x| x.take(indices(&self.order), -1))
    }

    fn inverse(&self, y: &Array) -> Array {
        let backwards = |y: &Array| {
            let mut places = vec![0; self.order.len()];
            self.order.iter().enumerate().for_each(|(to, &from)| places[from] = to);
            y.take(indices(&places), -1)
        };
        fitted(y, |shape| self.fits(shape), backwards)
    }

    fn log_det(&self, x: &Array) -> Array {
        fitted(x, |shape| self.fits(shape), |x| zeros_like(&x.sum_axes([-1])))
    }

    fn domain(&self) -> Constraint {
        Constraint::RealVector
    }

    fn codomain(&self) -> Constraint {
        Constraint::RealVector
    }

    fn forward_shape(&self, shape: &[usize]) -> Result<Shape> {
        self.fits(shape)
    }

    fn inverse_shape(&self, shape: &[usize]) -> Result<Shape> {
        self.fits(shape)
    }
}

/// From a simplex of `n + 1` entries to the `n` cutpoints of an ordered logistic model:
/// `anchor + logit(x_0 + ... + x_k)`.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct SimplexToOrdered {
    anchor: Array,
}

impl SimplexToOrdered {
    /// With the predictor for which the simplex holds the probabilities of the categories.
    pub fn new(anchor: impl Into<Array>) -> SimplexToOrdered {
        SimplexToOrdered { anchor: anchor.into() }
    }

    /// What lies up to each cut, and what above it. The coordinates that are free are the entries
    /// but the last: what is above has the derivative of `1 - low`, and the value of a sum, which
    /// does not cancel.
    #[track_caller]
    fn sides(x: &Array) -> (Array, Array) {
        let n = last(x) - 1;
        let low = x.cumsum(-1).slice_axis(-1, 0..n);
        let complement = 1.0 - &low;
        let rounding = (after(x).slice_axis(-1, 0..n) - &complement).stop_gradient();
        (low, complement + rounding)
    }

    #[track_caller]
    fn anchor(&self) -> Array {
        if self.anchor.rank() == 0 { self.anchor.clone() } else { self.anchor.expand_dims(-1) }
    }
}

impl Bijector for SimplexToOrdered {
    fn forward(&self, x: &Array) -> Array {
        let cuts = |x: &Array| {
            let (low, high) = Self::sides(x);
            low.log() - high.log() + self.anchor()
        };
        fitted(x, |shape| self.forward_shape(shape), cuts)
    }

    fn inverse(&self, y: &Array) -> Array {
        let parts = |y: &Array| {
            // sigmoid(b) - sigmoid(a) = sigmoid(b) sigmoid(-a) (1 - exp(a - b)).
            let cuts = y - self.anchor();
            let (a, b) = (cuts.slice_axis(-1, 0..last(y) - 1), others(&cuts));
            let inner = b.sigmoid() * (-&a).sigmoid() * -(&a - &b).expm1();
            let end = cuts.slice_axis(-1, last(y) - 1..last(y));
            concat([first(&cuts).sigmoid(), inner, (-end).sigmoid()], -1)
        };
        fitted(y, |shape| self.inverse_shape(shape), parts)
    }

    /// `-sum(log(s_k) + log(1 - s_k))` of the partial sums `s_k`.
    fn log_det(&self, x: &Array) -> Array {
        let stretch = |x: &Array| {
            let (low, high) = Self::sides(x);
            -(low.log() + high.log()).sum_axes([-1])
        };
        fitted(x, |shape| self.forward_shape(shape), stretch)
    }

    fn domain(&self) -> Constraint {
        Constraint::Simplex
    }

    fn codomain(&self) -> Constraint {
        Constraint::OrderedVector
    }

    fn forward_shape(&self, shape: &[usize]) -> Result<Shape> {
        resized("SimplexToOrdered", "takes", shape, 2, -1)
    }

    fn inverse_shape(&self, shape: &[usize]) -> Result<Shape> {
        resized("SimplexToOrdered", "gives", shape, 1, 1)
    }
}
