//! Special functions: the gamma and beta families, Bessel functions, exponential integrals, and
//! what is made of them. Operands broadcast together; `f32` results are computed in `f64` and
//! rounded once.

use crate::array::each::{in_each, named_each};
use crate::array::elementwise::arithmetic::{fold, like, select};
use crate::array::make::fill::{ones_like, zeros_like};
use crate::context::here;
use crate::dtype::Scalar;
use crate::error::{Error, ErrorKind};
use crate::handle::{Array, Repr};
use crate::op::Op;
use crate::op::special::SpecialOp;
use crate::tracing::bind1;
use crate::types::{Shape, broadcast_shapes};
use std::f64::consts::PI;

/// A special function of operands that are typed and broadcast first.
#[track_caller]
fn special(op: SpecialOp, operands: &[&Array]) -> Array {
    let literals: Vec<Scalar> = operands
        .iter()
        .filter_map(|x| match x.repr {
            Repr::Literal(scalar) => Some(scalar),
            _ => None,
        })
        .collect();
    // Of literals alone a literal of full precision, in f64.
    if literals.len() == operands.len() {
        let floats: Vec<Scalar> = literals.iter().map(|s| Scalar::Float(s.as_f64())).collect();
        if let Some(folded) = fold(&Op::Special(op), &floats) {
            return Array { repr: Repr::Literal(folded), location: here() };
        }
    }
    let floats: Vec<Array> = operands.iter().map(|x| x.to_float()).collect();
    in_each(&floats.iter().collect::<Vec<_>>(), |x| typed(op, x))
}

/// A special function of operands of one type, which are broadcast first. Those that do not fit
/// are left for the type rule to refuse.
#[track_caller]
fn typed(op: SpecialOp, operands: &[Array]) -> Array {
    let mut arrays = operands.to_vec();
    let fit = arrays.iter().all(|x| x.error().is_none() && x.dtype() == arrays[0].dtype());
    let shape = arrays.iter().try_fold(Shape::new(), |s, x| broadcast_shapes(&s, x.shape()));
    if let (true, Some(shape)) = (fit, shape) {
        arrays.iter_mut().for_each(|x| *x = x.broadcast_to(&shape));
    }
    bind1(Op::Special(op), &arrays.iter().collect::<Vec<_>>())
}

macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident $op:expr;)*) => {
        impl Array {$(
            $(#[$doc])*
            #[track_caller]
            pub fn $name(&self) -> Array {
                special($op, &[self])
            }
        )*}
    };
}

methods! {
    /// The gamma function; NaN at negative whole numbers.
    gamma SpecialOp::Gamma;
    /// The modified Bessel function of the first kind of order 0 (DLMF 10.25.2).
    i0 SpecialOp::I0;
    /// `exp(-|x|) i0(x)`.
    #[doc(alias = "lax.bessel_i0e")]
    i0e SpecialOp::I0e;
    /// The modified Bessel function of the first kind of order 1.
    i1 SpecialOp::I1;
    /// `exp(-|x|) i1(x)`.
    #[doc(alias = "lax.bessel_i1e")]
    i1e SpecialOp::I1e;
    /// `exp(x^2) erfc(x)`, without overflow to the right of zero.
    erfcx SpecialOp::Erfcx { order: 0 };
    /// The exponential integral E1, the integral of `exp(-t)/t` from `x` to infinity (DLMF 6.2.1);
    /// `-expi(-x)` for negative `x`.
    exp1 SpecialOp::Exp1;
    /// The exponential integral Ei, the principal value of the integral of `exp(t)/t` from minus
    /// infinity to `x` (DLMF 6.2.5).
    expi SpecialOp::Expi;
}

impl Array {
    /// The derivative of [`Array::digamma`].
    #[track_caller]
    pub fn trigamma(&self) -> Array {
        polygamma(1.0, self)
    }

    /// The sign of the gamma function: 1 at zero and above; NaN at negative whole numbers.
    #[track_caller]
    #[doc(alias = "scipy.special.gammasgn")]
    pub fn gamma_sign(&self) -> Array {
        self.each(|this| {
            let floor = this.floor();
            let odd = (&floor * 0.5).floor() * 2.0;
            let sign = select(&floor.eq(&odd), like(this, 1.0), -1.0);
            let sign = select(&this.eq(&floor), f64::NAN, sign);
            select(&this.ge(0.0), 1.0, sign)
        })
    }

    /// `gamma(x + 1)`, for whole `x` the factorial; zero below zero, as in SciPy.
    #[track_caller]
    pub fn factorial(&self) -> Array {
        self.each(|this| select(&this.lt(0.0), 0.0, (this + 1.0).gamma()))
    }

    /// The logarithm of the multivariate gamma function of dimension `d`, the sum of
    /// `lgamma(x - j/2)` over `j < d` and a constant; for `x > (d - 1)/2`, NaN below.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let x = array([2.5]);
    /// assert_eq!(x.multigammaln(1).to_vec::<f32>()?, x.lgamma().to_vec::<f32>()?);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn multigammaln(&self, d: usize) -> Array {
        if d == 0 || d > 1000 {
            let error = Error::new(
                ErrorKind::Value,
                format!("`multigammaln` is defined for dimensions from 1 to 1000, not {d}"),
            )
            .help("give the number of rows of the matrices that it is about");
            return Array::invalid(error, here());
        }
        let inside = self.gt((d as f64 - 1.0) / 2.0);
        let x = select(&inside, self, d as f64);
        let sum = (0..d).fold(zeros_like(&x), |sum, j| sum + (&x - j as f64 / 2.0).lgamma());
        let constant = d as f64 * (d as f64 - 1.0) / 4.0 * PI.ln();
        select(&inside, sum + constant, f64::NAN)
    }
}

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident($($x:ident),*) $op:expr;)*) => {$(
        $(#[$doc])*
        #[track_caller]
        pub fn $name($($x: impl Into<Array>),*) -> Array {
            special($op, &[$(&$x.into()),*])
        }
    )*};
}

functions! {
    /// The derivative of order `n`, a whole number, of [`Array::digamma`] (DLMF 5.15). Not
    /// differentiable in `n`; NaN where `n` is negative or not whole.
    ///
    /// ```
    /// use probpipe_trace::{array, polygamma};
    /// // pi^2/6
    /// assert_eq!(polygamma(1.0, array([1.0])).to_vec::<f32>()?, [1.644934]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    polygamma(n, x) SpecialOp::Polygamma;
    /// The Hurwitz zeta function, the sum of `(q + k)^-s` over whole `k >= 0` (DLMF 25.11.1), for
    /// `s > 1`; with `q = 1` that of Riemann. Differentiable in both, in `s` up to order 3.
    zeta(s, q) SpecialOp::Zeta { order: 0 };
    /// The logarithm of the beta function, for positive `a` and `b`, without cancellation however
    /// large they are.
    ///
    /// ```
    /// use probpipe_trace::{array, betaln};
    /// // B(a, 1) = 1/a
    /// assert_eq!(betaln(array([1e8]), 1.0).to_vec::<f32>()?, [-(1e8f32.ln())]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    betaln(a, b) SpecialOp::Betaln;
    /// The regularised lower incomplete gamma function `P(a, x)` (DLMF 8.2.4), which is the
    /// distribution function of the gamma distribution of shape `a`. Differentiable in both, in
    /// `a` up to order 3. NaN where one is negative.
    ///
    /// ```
    /// use probpipe_trace::{array, gammainc};
    /// // P(1, x) = 1 - exp(-x)
    /// assert_eq!(gammainc(1.0, array([0.5])).to_vec::<f32>()?, [0.39346933]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[doc(alias = "lax.igamma")]
    gammainc(a, x) SpecialOp::Gammainc { order: 0 };
    /// The regularised upper incomplete gamma function `Q(a, x) = 1 - P(a, x)`, exact in its tail.
    #[doc(alias = "lax.igammac")]
    gammaincc(a, x) SpecialOp::Gammaincc;
    /// The inverse of [`gammainc`] in `x`: the quantile function of the gamma distribution.
    gammaincinv(a, p) SpecialOp::Gammaincinv;
    /// The inverse of [`gammaincc`] in `x`, exact for small `q`.
    gammainccinv(a, q) SpecialOp::Gammainccinv;
    /// `x^(a-1) exp(-x) / gamma(a)`, the density of the gamma distribution and the derivative of
    /// [`gammainc`] in `x`; exact to the last digits in its tails.
    gamma_density(a, x) SpecialOp::GammaDensity;
    /// The regularised incomplete beta function `I_x(a, b)` (DLMF 8.17.2), which is the
    /// distribution function of the beta distribution. Differentiable in all three, in `a` and `b`
    /// together up to order 3. NaN where a parameter is negative or `x` outside of [0, 1].
    ///
    /// ```
    /// use probpipe_trace::{array, betainc};
    /// assert_eq!(betainc(2.0, 3.0, array([0.5])).to_vec::<f32>()?, [0.6875]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    betainc(a, b, x) SpecialOp::Betainc { orders: [0, 0] };
    /// The inverse of [`betainc`] in `x`: the quantile function of the beta distribution.
    betaincinv(a, b, p) SpecialOp::Betaincinv;
    /// `x^(a-1) (1-x)^(b-1) / B(a, b)`, the density of the beta distribution and the derivative of
    /// [`betainc`] in `x`; exact to the last digits in its tails.
    beta_density(a, b, x) SpecialOp::BetaDensity;
    /// `digamma(a + b) - digamma(a)` without cancellation.
    digamma_difference(a, b) SpecialOp::DigammaDifference;
    /// Owen's T function, the integral of `exp(-h^2 (1 + t^2)/2) / (1 + t^2)` from 0 to `a`, over
    /// `2 pi`: half the probability that a skew normal variable misses.
    owens_t(h, a) SpecialOp::OwensT;
}

/// The beta function `gamma(a) gamma(b) / gamma(a + b)` of positive `a` and `b`.
#[track_caller]
pub fn beta(a: impl Into<Array>, b: impl Into<Array>) -> Array {
    betaln(a, b).exp()
}

/// `gamma(x + n) / gamma(x)`, the rising factorial of Pochhammer, for positive `x` and `x + n`.
///
/// ```
/// use probpipe_trace::{array, rising_factorial};
/// assert!((rising_factorial(array(3.0), 2.0).item::<f32>()? - 12.0).abs() < 1e-5);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
#[doc(alias = "scipy.special.poch")]
pub fn rising_factorial(x: impl Into<Array>, n: impl Into<Array>) -> Array {
    named_each("rising_factorial", &[&x.into(), &n.into()], |operands| {
        gamma_ratio(&operands[0], &operands[1])
    })
}

/// `gamma(x + n) / gamma(x)` by Stirling's series (DLMF 5.11.1) at arguments that are raised by
/// ten first. With `y = x + 10` the logarithm is `n log(y + n) + (y - 1/2) log(1 + n/y) - n` and
/// the difference of two small corrections: nothing cancels where `y` is far larger than `n`, as
/// it does in a difference of logarithms of gamma functions.
#[track_caller]
fn gamma_ratio(x: &Array, n: &Array) -> Array {
    let lower = (0..10).map(|k| x + f64::from(k));
    let quotient = lower.fold(ones_like(&(x + n)), |q, part| q * (&part / (&part + n)));
    let y = x + 10.0;
    let top = &y + n;
    let exponent = (&y - 0.5) * (n / &y).log1p() - n;
    let exponent = exponent + (stirling_correction(&top) - stirling_correction(&y));
    // Half the power on either side of the small factors, so that only the result overflows.
    let half = top.pow(n * 0.5);
    &half * (exponent.exp() * quotient) * &half
}

/// `log gamma(z) - (z - 1/2) log z + z - log(2 pi)/2` for `z >= 10`.
#[track_caller]
fn stirling_correction(z: &Array) -> Array {
    // B(2k) / (2k (2k - 1))
    let series = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1260.0,
        -1.0 / 1680.0,
        1.0 / 1188.0,
        -691.0 / 360_360.0,
        1.0 / 156.0,
    ];
    let r = z.recip();
    let t = r.square();
    let sum = series.iter().rev().fold(zeros_like(&t), |sum, &c| sum * &t + c);
    r * sum
}

/// The logarithm of the binomial coefficient `n` over `k`, for `0 <= k <= n`.
///
/// ```
/// use probpipe_trace::{array, log_binomial};
/// assert!((log_binomial(array(5.0), 2.0).item::<f32>()? - 10f32.ln()).abs() < 1e-6);
/// # Ok::<(), probpipe_trace::Error>(())
/// ```
#[track_caller]
pub fn log_binomial(n: impl Into<Array>, k: impl Into<Array>) -> Array {
    let (n, k) = (n.into(), k.into());
    -betaln(&n - &k + 1.0, &k + 1.0) - n.log1p()
}

/// The derivative in `a` of a draw `x` from the gamma distribution of shape `a`, its probability
/// held fixed: `-(dP/da) / density`. The implicit reparametrisation of M. Figurnov, S. Mohamed and
/// A. Mnih (2018).
#[track_caller]
pub fn random_gamma_grad(a: impl Into<Array>, x: impl Into<Array>) -> Array {
    let (a, x) = (a.into(), x.into());
    -special(SpecialOp::Gammainc { order: 1 }, &[&a, &x]) / gamma_density(&a, &x)
}
