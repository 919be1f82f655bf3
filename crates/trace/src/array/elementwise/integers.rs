//! Whole numbers: their bits, divisors and powers, and the floats next to a float, which are the
//! neighbours of its bits. All wrap like the integers that they are made of, and none has a
//! derivative.

use crate::array::each::in_each;
use crate::array::elementwise::arithmetic::{like, select, unify};
use crate::array::make::fill::{ones_like, zeros_like};
use crate::context::here;
use crate::control::scan::fori_loop;
use crate::dtype::DType;
use crate::error::{Error, ErrorKind, Result};
use crate::handle::Array;

impl Array {
    /// How many bits are set, in the array's integer type.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// assert_eq!(array([0, 7, -1]).population_count().to_vec::<i32>()?, [0, 3, 32]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    #[doc(alias = "bitwise_count")]
    pub fn population_count(&self) -> Array {
        match words("population_count", self) {
            Ok(word) => count_bits(&word).cast(self.dtype()),
            Err(error) => Array::invalid(error, here()),
        }
    }

    /// How many zeros lead the bits, in the array's integer type; its width for zero.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// assert_eq!(array([0, 1, -1]).leading_zeros().to_vec::<i32>()?, [32, 31, 0]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    #[doc(alias = "lax.clz")]
    pub fn leading_zeros(&self) -> Array {
        let mut word = match words("leading_zeros", self) {
            Ok(word) => word,
            Err(error) => return Array::invalid(error, here()),
        };
        // Every bit below the highest one set, too.
        let width = 8 * self.dtype().size() as u32;
        let mut step = 1u32;
        while step < width {
            word = &word | (&word >> step);
            step *= 2;
        }
        (Array::from(width) - count_bits(&word)).cast(self.dtype())
    }

    /// The greatest common divisor, never negative but for the least integer; `gcd(0, 0)` is 0.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// assert_eq!(array([12, -8, 0]).gcd(array([18, 12, 5])).to_vec::<i32>()?, [6, 4, 5]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn gcd(&self, other: impl Into<Array>) -> Array {
        let (x, y) = match integers("gcd", self, &other.into()) {
            Ok(pair) => pair,
            Err(error) => return Array::invalid(error, here()),
        };
        // Euclid's remainders shrink at least as Fibonacci's numbers do, so that the width says
        // how many steps there can be; those left over change nothing.
        let steps = match x.dtype().size() {
            1 => 14,
            4 => 48,
            _ => 94,
        };
        let (gcd, _) = fori_loop(steps, (x, y), |_, (a, b): (Array, Array)| {
            let done = b.eq(0);
            (select(&done, &a, &b), select(&done, 0, &a % &b))
        });
        gcd.abs()
    }

    /// The least common multiple, never negative unless it wraps; 0 if either is 0.
    #[track_caller]
    pub fn lcm(&self, other: impl Into<Array>) -> Array {
        let (x, y) = match integers("lcm", self, &other.into()) {
            Ok(pair) => pair,
            Err(error) => return Array::invalid(error, here()),
        };
        let divisor = x.gcd(&y);
        let divisor = select(&divisor.eq(0), 1, divisor);
        (x.trunc_divide(divisor) * y).abs()
    }

    /// `x^y` of integers, which wraps. A negative exponent gives the truncated quotient
    /// `1 / x^|y|`, which for `x = 0` has all bits set as every division by zero has.
    #[track_caller]
    pub(crate) fn pow_integer(&self, exponent: &Array) -> Array {
        let (x, y) = match integers("pow", self, exponent) {
            Ok(pair) => pair,
            Err(error) => return Array::invalid(error, here()),
        };
        let signed = y.dtype().is_signed();
        let bits = match words("pow", &if signed { y.abs() } else { y.clone() }) {
            Ok(bits) => bits,
            Err(error) => return Array::invalid(error, here()),
        };
        // Squares of x for every bit of y: x^13 = x^8 x^4 x.
        let width = 8 * y.dtype().size();
        let start = (ones_like(&x), x.clone(), bits);
        let (power, _, _) = fori_loop(width, start, |_, (p, s, b): (Array, Array, Array)| {
            let taken = select(&(&b & 1).ne(0), &p * &s, &p);
            (taken, s.square(), b >> 1)
        });
        if !signed {
            return power;
        }
        let unit = x.abs().eq(1);
        let quotient = select(&unit, &power, select(&x.eq(0), !zeros_like(&x), 0));
        select(&y.lt(0), quotient, power)
    }

    /// The next float from `x` in the direction of `other`; `other` where both are equal, NaN if
    /// either is NaN. Subnormal numbers are among the floats.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let next = array([1.0, 0.0]).nextafter(2.0).to_vec::<f32>()?;
    /// assert_eq!(next, [1.0 + f32::EPSILON, f32::from_bits(1)]);
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn nextafter(&self, other: impl Into<Array>) -> Array {
        in_each(&[self, &other.into()], |operands| next(&operands[0], &operands[1]))
    }
}

/// [`Array::nextafter`] of operands of one type.
#[track_caller]
fn next(x: &Array, other: &Array) -> Array {
    let (x, y) = match unify(x, other) {
        Ok(pair) => pair,
        Err(error) => return Array::invalid(error, here()),
    };
    let sum = &x + &y;
    let bits = match sum.dtype() {
        _ if sum.error().is_some() => return sum,
        DType::F32 => DType::I32,
        DType::F64 => DType::I64,
        _ => {
            let message = format!("`nextafter` takes floats, not {}", sum.dtype());
            let error =
                Error::new(ErrorKind::DType, message).help("whole numbers are followed by `x + 1`");
            return Array::invalid(error, here());
        }
    };
    // The bits of floats of one sign are ordered as the floats are, so the neighbour away
    // from zero is one bit pattern on. The least magnitude has the sign of the direction.
    let away = y.gt(&x).eq(x.gt(0.0));
    let word = x.bitcast(bits);
    let near = (&word + select(&away, like(&word, 1.0), -1)).bitcast(x.dtype());
    let least = like(&word, 1.0).bitcast(x.dtype()).copysign(&y);
    let next = select(&x.eq(0.0), least, near);
    let missing = x.is_nan() | y.is_nan();
    select(&x.eq(&y), &y, select(&missing, f64::NAN, next))
}

/// Integers as unsigned words of 32 or 64 bits.
#[track_caller]
fn words(name: &str, x: &Array) -> Result<Array> {
    let x = x.decided();
    let ty = x.ty()?;
    if !ty.dtype.is_integer() {
        return Err(Error::new(ErrorKind::DType, format!("`{name}` takes integers, not {ty}"))
            .at(here())
            .help("reinterpret floats with `bitcast`, or convert with `.cast(DType::I32)`"));
    }
    Ok(match (ty.dtype.is_signed(), ty.dtype.size()) {
        (true, 4) => x.bitcast(DType::U32),
        (true, 8) => x.bitcast(DType::U64),
        (false, 4 | 8) => x,
        _ => x.cast(DType::U32),
    })
}

/// The sum of the bits of 32- or 64-bit words: in pairs, in fours, in bytes, then of the bytes.
#[track_caller]
fn count_bits(word: &Array) -> Array {
    let wide = word.dtype() == DType::U64;
    // The constant is repeated in the upper half of a wider word.
    let mask = |m: u32| {
        let m = u64::from(m);
        Array::from(if wide { m << 32 | m } else { m })
    };
    let pairs = word - &((word >> 1) & mask(0x5555_5555));
    let fours = (&pairs & mask(0x3333_3333)) + ((&pairs >> 2) & mask(0x3333_3333));
    let bytes = (&fours + &(&fours >> 4)) & mask(0x0f0f_0f0f);
    let sum = bytes * mask(0x0101_0101);
    sum >> if wide { 56 } else { 24 }
}

/// Two integer operands of one type and shape.
#[track_caller]
fn integers(name: &str, x: &Array, y: &Array) -> Result<(Array, Array)> {
    let (x, y) = unify(x, y)?;
    // What does not fit together, the type rule of `+` refuses.
    let ty = (&x + &y).ty()?;
    if ty.dtype.is_integer() {
        let typed = |a: Array| a.in_dtype(ty.dtype);
        return Ok((typed(x), typed(y)));
    }
    Err(Error::new(ErrorKind::DType, format!("`{name}` takes integers, not {ty}"))
        .at(here())
        .help("convert with `.cast(DType::I32)`"))
}
