//! Constraints: the sets in which parameters and draws lie, as values. A constraint can be asked
//! of an array, also of a traced one, and it can be required of one that has a value. How to get
//! from the whole space into such a set is the bijectors' matter.

mod structured;

use probpipe_trace::{Array, DType, Value, eval, select, trace};
use std::f64::consts::PI;
use std::fmt;

/// A set of numbers, vectors or matrices.
///
/// ```
/// use probpipe::constraints::Constraint;
/// use probpipe::prelude::*;
/// let inside = Constraint::UnitInterval.check(&array([0.5, 1.0, 1.5]));
/// assert_eq!(inside.to_vec::<bool>()?, [true, true, false]);
/// assert_eq!(Constraint::Interval(array(0.0), array(2.0)).to_string(), "in [0.0, 2.0]");
/// # Ok::<(), probpipe::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Constraint {
    /// Finite numbers.
    Real,
    /// Finite numbers above zero.
    Positive,
    /// Finite numbers from zero upwards.
    NonNegative,
    /// Numbers from 0 to 1, both included.
    UnitInterval,
    /// Numbers between 0 and 1, both excluded.
    OpenUnitInterval,
    /// Numbers between -1 and 1, both excluded.
    Correlation,
    /// Finite numbers below a number.
    Below(f64),
    /// Finite numbers from a bound upwards.
    AtLeast(Array),
    /// Finite numbers above a bound.
    GreaterThan(Array),
    /// Finite numbers up to a bound.
    AtMost(Array),
    /// Numbers between two bounds, both included.
    Interval(Array, Array),
    /// Angles from -pi to pi.
    Circular,
    /// 0 or 1.
    Boolean,
    /// Integers.
    Integer,
    /// Integers from 0 upwards.
    NonNegativeInteger,
    /// Integers from 1 upwards.
    PositiveInteger,
    /// Integers between two bounds, both included.
    IntegerInterval(Array, Array),
    /// Vectors of finite numbers.
    RealVector,
    /// Vectors of finite numbers above zero.
    PositiveVector,
    /// Vectors of finite numbers from zero upwards.
    NonNegativeVector,
    /// Vectors of finite numbers, each above the one before it.
    OrderedVector,
    /// Vectors of finite numbers, the first above zero and each other above the one before it.
    PositiveOrderedVector,
    /// Vectors of non-negative numbers whose sum is 1.
    Simplex,
    /// Vectors of logarithms of probabilities that add up to 1.
    LogSimplex,
    /// Vectors of finite numbers whose sum is 0.
    ZeroSum,
    /// Vectors of length 1.
    UnitVector,
    /// Vectors of length at most 1.
    UnitBall,
    /// Vectors of numbers whose absolute values add up to at most 1.
    L1Ball,
    /// Vectors of non-negative integers whose sum is given.
    Multinomial(Array),
    /// Vectors that hold each of the integers from 0 up to their length once.
    Permutation,
    /// Vectors of zeros and ones.
    BooleanVector,
    /// Matrices of finite numbers.
    RealMatrix,
    /// Matrices of finite numbers that equal their transpose.
    SymmetricMatrix,
    /// Matrices whose inverse is their transpose.
    OrthogonalMatrix,
    /// Lower triangular matrices with a positive diagonal.
    LowerCholesky,
    /// Symmetric matrices of which every quadratic form is positive.
    PositiveDefinite,
    /// Lower triangular matrices with a positive diagonal and rows of length 1.
    CorrelationCholesky,
    /// Positive definite matrices with a diagonal of ones.
    CorrelationMatrix,
}

/// Where an array leaves a constraint.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Violation {
    /// The index of the number, or of the vector or matrix.
    pub(crate) index: Vec<usize>,
    /// The number, as its element type prints it; none for vectors and matrices.
    pub(crate) value: Option<String>,
}

impl Constraint {
    /// How many of the last axes of an array make one element: 0 for numbers, 1 for vectors, 2 for
    /// matrices.
    pub fn event_rank(&self) -> usize {
        match self {
            Constraint::RealVector
            | Constraint::PositiveVector
            | Constraint::NonNegativeVector
            | Constraint::OrderedVector
            | Constraint::PositiveOrderedVector
            | Constraint::Simplex
            | Constraint::LogSimplex
            | Constraint::ZeroSum
            | Constraint::UnitVector
            | Constraint::UnitBall
            | Constraint::L1Ball
            | Constraint::Multinomial(_)
            | Constraint::Permutation
            | Constraint::BooleanVector => 1,
            Constraint::RealMatrix
            | Constraint::SymmetricMatrix
            | Constraint::OrthogonalMatrix
            | Constraint::LowerCholesky
            | Constraint::PositiveDefinite
            | Constraint::CorrelationCholesky
            | Constraint::CorrelationMatrix => 2,
            _ => 0,
        }
    }

    /// Whether all its numbers are integers.
    pub fn is_integer(&self) -> bool {
        matches!(
            self,
            Constraint::Boolean
                | Constraint::Integer
                | Constraint::NonNegativeInteger
                | Constraint::PositiveInteger
                | Constraint::IntegerInterval(..)
                | Constraint::Multinomial(_)
                | Constraint::Permutation
                | Constraint::BooleanVector
        )
    }

    /// An element of a set of numbers that lies well inside of it, for formulas that have to be
    /// given one; none of sets of vectors and matrices.
    #[track_caller]
    pub(crate) fn inner(&self) -> Option<Array> {
        Some(match self {
            Constraint::Real
            | Constraint::Boolean
            | Constraint::Integer
            | Constraint::NonNegativeInteger => 0.0.into(),
            Constraint::Positive | Constraint::NonNegative | Constraint::PositiveInteger => {
                1.0.into()
            }
            Constraint::UnitInterval | Constraint::OpenUnitInterval => 0.5.into(),
            Constraint::Below(high) => (high - 1.0).into(),
            Constraint::AtLeast(low) | Constraint::GreaterThan(low) => {
                // One more, and more than rounding takes away.
                low + low.abs() + 1.0
            }
            Constraint::AtMost(high) => high - high.abs() - 1.0,
            Constraint::Interval(low, high) => between(low, high),
            Constraint::IntegerInterval(low, _) => low.clone(),
            Constraint::Circular | Constraint::Correlation => 0.0.into(),
            _ => return None,
        })
    }

    /// Whether each element of `x` lies in the set, to `bool`, of the shape of `x` without the
    /// axes of an element. NaN lies in none. Sums, lengths and symmetry hold to rounding.
    #[track_caller]
    pub fn check(&self, x: &Array) -> Array {
        match self {
            Constraint::Real => finite(x),
            Constraint::Positive => x.gt(0.0) & finite(x),
            Constraint::NonNegative => x.ge(0.0) & finite(x),
            Constraint::UnitInterval => x.ge(0.0) & x.le(1.0),
            Constraint::OpenUnitInterval => x.gt(0.0) & x.lt(1.0),
            Constraint::Correlation => x.gt(-1.0) & x.lt(1.0),
            Constraint::Below(high) => x.lt(*high) & finite(x),
            Constraint::AtLeast(low) => x.ge(low) & finite(x),
            Constraint::GreaterThan(low) => x.gt(low) & finite(x),
            Constraint::AtMost(high) => x.le(high) & finite(x),
            Constraint::Interval(low, high) => x.ge(low) & x.le(high),
            Constraint::Circular => x.ge(-PI) & x.le(PI),
            Constraint::Boolean if x.dtype() == DType::Bool => x | !x,
            Constraint::Boolean => x.eq(0) | x.eq(1),
            Constraint::Integer => whole(x),
            Constraint::NonNegativeInteger => x.ge(0) & whole(x),
            Constraint::PositiveInteger => x.ge(1) & whole(x),
            Constraint::IntegerInterval(low, high) => x.ge(low) & x.le(high) & whole(x),
            Constraint::RealVector => finite(x).all_axes([-1]),
            Constraint::PositiveVector => (x.gt(0.0) & finite(x)).all_axes([-1]),
            Constraint::NonNegativeVector => (x.ge(0.0) & finite(x)).all_axes([-1]),
            Constraint::OrderedVector => structured::ordered(x),
            Constraint::PositiveOrderedVector => structured::ordered(x) & x.gt(0.0).all_axes([-1]),
            Constraint::Simplex => structured::simplex(x),
            Constraint::LogSimplex => structured::simplex(&x.exp()) & finite(x).all_axes([-1]),
            Constraint::ZeroSum => structured::zero_sum(x),
            Constraint::UnitVector => structured::unit_vector(x),
            Constraint::UnitBall => structured::unit_ball(x),
            Constraint::L1Ball => structured::l1_ball(x),
            Constraint::Multinomial(total) => {
                (x.ge(0) & whole(x)).all_axes([-1]) & x.sum_axes([-1]).eq(total)
            }
            Constraint::Permutation => structured::permutation(x),
            Constraint::BooleanVector => Constraint::Boolean.check(x).all_axes([-1]),
            Constraint::RealMatrix => finite(x).all_axes([-2, -1]),
            Constraint::SymmetricMatrix => structured::symmetric(x),
            Constraint::OrthogonalMatrix => structured::orthogonal(x),
            Constraint::LowerCholesky => structured::lower_cholesky(x),
            Constraint::PositiveDefinite => structured::positive_definite(x),
            Constraint::CorrelationCholesky => structured::correlation_cholesky(x),
            Constraint::CorrelationMatrix => structured::correlation_matrix(x),
        }
    }

    /// Whether a number lies in the set; none for sets whose bounds are arrays and for those of
    /// vectors and matrices. It says what [`Constraint::check`] says, without an array.
    fn holds(&self, x: f64) -> Option<bool> {
        Some(match self {
            Constraint::Real => x.is_finite(),
            Constraint::Positive => x > 0.0 && x.is_finite(),
            Constraint::NonNegative => x >= 0.0 && x.is_finite(),
            Constraint::UnitInterval => (0.0..=1.0).contains(&x),
            Constraint::OpenUnitInterval => x > 0.0 && x < 1.0,
            Constraint::Correlation => x > -1.0 && x < 1.0,
            Constraint::Below(high) => x < *high && x.is_finite(),
            Constraint::Boolean => x == 0.0 || x == 1.0,
            Constraint::Integer => x.is_finite() && x.floor() == x,
            Constraint::NonNegativeInteger => x >= 0.0 && x.is_finite() && x.floor() == x,
            Constraint::PositiveInteger => x >= 1.0 && x.is_finite() && x.floor() == x,
            Constraint::Circular => (-PI..=PI).contains(&x),
            _ => return None,
        })
    }

    /// The bit under which a value remembers that it lies in the set, for those without bounds.
    fn fact(&self) -> Option<u32> {
        let bit = match self {
            Constraint::Real => 0,
            Constraint::Positive => 1,
            Constraint::NonNegative => 2,
            Constraint::UnitInterval => 3,
            Constraint::Boolean => 4,
            Constraint::NonNegativeInteger => 5,
            Constraint::PositiveInteger => 6,
            Constraint::RealVector => 7,
            Constraint::Simplex => 8,
            Constraint::LowerCholesky => 9,
            Constraint::PositiveDefinite => 10,
            Constraint::Circular => 11,
            Constraint::PositiveVector => 12,
            Constraint::OrderedVector => 13,
            Constraint::PositiveOrderedVector => 14,
            Constraint::ZeroSum => 15,
            Constraint::UnitVector => 16,
            Constraint::UnitBall => 17,
            Constraint::L1Ball => 18,
            Constraint::RealMatrix => 19,
            Constraint::CorrelationCholesky => 20,
            Constraint::CorrelationMatrix => 21,
            Constraint::OpenUnitInterval => 22,
            Constraint::Integer => 23,
            Constraint::Correlation => 24,
            Constraint::Permutation => 25,
            Constraint::SymmetricMatrix => 26,
            Constraint::LogSimplex => 27,
            Constraint::NonNegativeVector => 28,
            Constraint::BooleanVector => 29,
            Constraint::OrthogonalMatrix => 30,
            Constraint::AtLeast(_)
            | Constraint::GreaterThan(_)
            | Constraint::Below(_)
            | Constraint::AtMost(_)
            | Constraint::Interval(..)
            | Constraint::IntegerInterval(..)
            | Constraint::Multinomial(_) => return None,
        };
        Some(1 << bit)
    }

    /// The first element of a known array that is not in the set; none for arrays without a value.
    /// A value is looked through once: it remembers what it satisfies.
    pub(crate) fn violation(&self, x: &Array) -> Option<Violation> {
        let value = &x.known()?;
        let fact = self.fact();
        if fact.is_some_and(|fact| value.noted(fact)) {
            return None;
        }
        let found = self.first_outside(value);
        if let (Some(fact), None) = (fact, &found) {
            value.note(fact);
        }
        found
    }

    fn first_outside(&self, value: &Value) -> Option<Violation> {
        #[cfg(test)]
        tests::SEARCHES.set(tests::SEARCHES.get() + 1);
        let shape = &value.ty().shape;
        let shape = &shape[..shape.len().checked_sub(self.event_rank())?];
        // Numbers are looked at here; whole vectors and matrices by the array operations, in a
        // graph of their own so that an open trace does not record them.
        let (at, of_numbers) = match self.holds(0.0) {
            Some(_) => {
                let outside = |x: f64| self.holds(x) == Some(false);
                let host = value.to_host().ok()?;
                // Large parameters are floats, which are read where they lie.
                let at = match value.ty().dtype {
                    DType::F32 => {
                        host.elements::<f32>().iter().position(|&x| outside(f64::from(x)))
                    }
                    DType::F64 => host.elements::<f64>().iter().position(|&x| outside(x)),
                    _ => value.to_scalars().ok()?.iter().position(|x| outside(x.as_f64())),
                };
                (at?, true)
            }
            None => {
                let traced = trace(&[value.ty().clone()], |x| vec![self.check(&x[0])]).ok()?;
                if !traced.captures.is_empty() {
                    return None;
                }
                let inside = eval::eval_graph(&traced.graph, &[value]).ok()?;
                let at = inside[0].to_vec::<bool>().ok()?.iter().position(|inside| !inside)?;
                (at, self.event_rank() == 0)
            }
        };
        let mut rest = at;
        let mut index: Vec<usize> = shape
            .iter()
            .rev()
            .map(|&extent| {
                let step = rest % extent;
                rest /= extent;
                step
            })
            .collect();
        index.reverse();
        let narrow = value.ty().dtype == DType::F32;
        let shown = |v: f64| if narrow { (v as f32).to_string() } else { v.to_string() };
        let number = || value.to_scalars().ok().map(|all| shown(all[at].as_f64()));
        Some(Violation { index, value: if of_numbers { number() } else { None } })
    }

    /// What to write to get into the set.
    pub(crate) fn remedy(&self) -> &'static str {
        match self {
            Constraint::Real | Constraint::RealVector | Constraint::RealMatrix => {
                "`check_nan` names the line that made the first number that is none"
            }
            Constraint::Positive
            | Constraint::NonNegative
            | Constraint::AtLeast(_)
            | Constraint::GreaterThan(_)
            | Constraint::PositiveVector
            | Constraint::NonNegativeVector => {
                "parameterise by the logarithm and take `.exp()` to stay positive"
            }
            Constraint::Below(_) | Constraint::AtMost(_) => {
                "parameterise by the logarithm of the distance and subtract its `.exp()`"
            }
            Constraint::UnitInterval | Constraint::OpenUnitInterval | Constraint::Interval(..) => {
                "parameterise by the logit and take `.sigmoid()` to stay between 0 and 1"
            }
            Constraint::Circular => "add or subtract a multiple of 2 pi",
            Constraint::Correlation => "parameterise by a real number and take `.tanh()`",
            Constraint::Permutation => "`.argsort(-1)` gives one",
            Constraint::OrthogonalMatrix => "`.qr()` of any matrix gives one, and `.eigh()`",
            Constraint::SymmetricMatrix => "take the mean of it and its transpose",
            Constraint::OrderedVector | Constraint::PositiveOrderedVector => {
                "sort it with `.sort(-1)`, or add up positive steps with `.cumsum(-1)`"
            }
            Constraint::ZeroSum => "subtract the mean",
            Constraint::UnitVector | Constraint::UnitBall => "divide by the length",
            Constraint::L1Ball => "divide by the sum of the absolute values",
            Constraint::Multinomial(_) => "give counts that add up to the number of trials",
            Constraint::CorrelationCholesky => {
                "give the factor that `.cholesky()` of a correlation matrix gives"
            }
            Constraint::CorrelationMatrix => {
                "divide a covariance by the outer product of its standard deviations"
            }
            Constraint::Boolean | Constraint::BooleanVector => {
                "give `true` and `false`, or 1 and 0"
            }
            Constraint::Integer
            | Constraint::NonNegativeInteger
            | Constraint::PositiveInteger
            | Constraint::IntegerInterval(..) => "round it, or cast it with `.cast(DType::I32)`",
            Constraint::LogSimplex => "take `.log_softmax(-1)` of logits",
            Constraint::Simplex => "divide by the sum, or take `.softmax(-1)` of logits",
            Constraint::LowerCholesky => "give the factor that `.cholesky()` of a covariance gives",
            Constraint::PositiveDefinite => {
                "make it symmetric, and add a small multiple of `eye(n)` if it is nearly singular"
            }
        }
    }

    /// The set in a word or two, without its bounds.
    pub const fn name(&self) -> &'static str {
        match self {
            Constraint::Real => "real",
            Constraint::Positive => "positive",
            Constraint::NonNegative => "non-negative",
            Constraint::UnitInterval => "in [0, 1]",
            Constraint::OpenUnitInterval => "in (0, 1)",
            Constraint::Correlation => "in (-1, 1)",
            Constraint::Below(_) | Constraint::AtMost(_) => "bounded above",
            Constraint::AtLeast(_) | Constraint::GreaterThan(_) => "bounded below",
            Constraint::Interval(..) => "in an interval",
            Constraint::Circular => "an angle in [-pi, pi]",
            Constraint::Boolean => "0 or 1",
            Constraint::Integer => "an integer",
            Constraint::NonNegativeInteger => "a non-negative integer",
            Constraint::PositiveInteger => "a positive integer",
            Constraint::IntegerInterval(..) => "an integer in an interval",
            Constraint::RealVector => "a real vector",
            Constraint::PositiveVector => "a positive vector",
            Constraint::NonNegativeVector => "a non-negative vector",
            Constraint::OrderedVector => "an increasing vector",
            Constraint::PositiveOrderedVector => "a positive, increasing vector",
            Constraint::Simplex => "a vector of probabilities",
            Constraint::LogSimplex => "a vector of logarithms of probabilities",
            Constraint::ZeroSum => "a vector whose sum is 0",
            Constraint::UnitVector => "a vector of length 1",
            Constraint::UnitBall => "a vector of length at most 1",
            Constraint::L1Ball => "a vector whose absolute values add up to at most 1",
            Constraint::Multinomial(_) => "a vector of counts with a given sum",
            Constraint::Permutation => "a permutation",
            Constraint::BooleanVector => "a vector of zeros and ones",
            Constraint::RealMatrix => "a real matrix",
            Constraint::SymmetricMatrix => "a symmetric matrix",
            Constraint::OrthogonalMatrix => "an orthogonal matrix",
            Constraint::LowerCholesky => "lower triangular with a positive diagonal",
            Constraint::PositiveDefinite => "positive definite",
            Constraint::CorrelationCholesky => {
                "lower triangular with a positive diagonal and rows of length 1"
            }
            Constraint::CorrelationMatrix => "positive definite with a diagonal of ones",
        }
    }
}

/// As it completes the sentence "it must be ...".
impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Constraint::Below(high) => write!(f, "below {high}"),
            Constraint::AtLeast(low) => write!(f, "at least {low}"),
            Constraint::GreaterThan(low) => write!(f, "above {low}"),
            Constraint::AtMost(high) => write!(f, "at most {high}"),
            Constraint::Multinomial(total) => write!(f, "a vector of counts whose sum is {total}"),
            Constraint::Interval(low, high) => write!(f, "in [{low}, {high}]"),
            Constraint::IntegerInterval(low, high) => write!(f, "an integer in [{low}, {high}]"),
            _ => f.write_str(self.name()),
        }
    }
}

/// Whether numbers are neither infinite nor NaN; integers always.
#[track_caller]
fn finite(x: &Array) -> Array {
    if x.is_literal() || x.dtype().is_float() { x.abs().lt(f64::INFINITY) } else { x.eq(x) }
}

/// Whether numbers are integers.
#[track_caller]
fn whole(x: &Array) -> Array {
    if !x.dtype().is_float() {
        return x.eq(x);
    }
    // The floor of an infinite number is no integer.
    let finite = finite(x);
    let x = select(&finite, x, 0.5);
    x.floor().eq(&x)
}

#[cfg(test)]
pub(crate) mod tests;

/// A number between two ends, of which either may be infinite where that is not known yet.
#[track_caller]
fn between(low: &Array, high: &Array) -> Array {
    let finite = |end: &Array| {
        let numbers = end.known().and_then(|value| value.to_scalars().ok());
        numbers.is_some_and(|all| all.iter().all(|x| x.as_f64().is_finite()))
    };
    if finite(low) && finite(high) {
        return low * 0.5 + high * 0.5;
    }
    let (no_low, no_high) = (low.eq(f64::NEG_INFINITY), high.eq(f64::INFINITY));
    let below = select(&no_high, -1.0, high - high.abs() - 1.0);
    let above = select(&no_low, 1.0, low + low.abs() + 1.0);
    select(&no_low, below, low) * 0.5 + select(&no_high, above, high) * 0.5
}
