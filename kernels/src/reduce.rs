//! Reductions of a tile to one number, in an order that is the same on every instruction set.
//!
//! Sixty-four accumulators take the elements in turn (element i goes to accumulator i mod 64); they
//! are then folded as a tree of halves: 64 -> 32 -> ... -> 2 -> 1. The caller adds tiles pairwise.

/// How many accumulators: four AVX-512 registers of `f32`, which hides the latency of an addition.
const LANES: usize = 64;

/// A reduction of scalars `T`.
pub trait Reduction<T> {
    /// The value of an empty tile.
    fn identity() -> T;
    /// Combines two values.
    fn combine(a: T, b: T) -> T;
}

macro_rules! reductions {
    ($($float:ident)*) => {
        $(
            impl Reduction<$float> for Sum {
                #[inline(always)]
                fn identity() -> $float {
                    // -0 is the neutral element: an all -0 tile sums to -0, as in IEEE 754.
                    -0.0
                }
                #[inline(always)]
                fn combine(a: $float, b: $float) -> $float {
                    a + b
                }
            }
            impl Reduction<$float> for Product {
                #[inline(always)]
                fn identity() -> $float {
                    1.0
                }
                #[inline(always)]
                fn combine(a: $float, b: $float) -> $float {
                    a * b
                }
            }
            impl Reduction<$float> for Max {
                #[inline(always)]
                fn identity() -> $float {
                    $float::NEG_INFINITY
                }
                #[inline(always)]
                fn combine(a: $float, b: $float) -> $float {
                    // A NaN on either side stays: `a` unless b > a or b is NaN.
                    let larger = if b > a { b } else { a };
                    if b.is_nan() { b } else { larger }
                }
            }
            impl Reduction<$float> for Min {
                #[inline(always)]
                fn identity() -> $float {
                    $float::INFINITY
                }
                #[inline(always)]
                fn combine(a: $float, b: $float) -> $float {
                    let smaller = if b < a { b } else { a };
                    if b.is_nan() { b } else { smaller }
                }
            }
        )*
    };
}

/// The sum.
#[derive(Clone, Copy, Debug)]
pub struct Sum;
/// The product.
#[derive(Clone, Copy, Debug)]
pub struct Product;
/// The largest element; NaN if any is.
#[derive(Clone, Copy, Debug)]
pub struct Max;
/// The smallest element; NaN if any is.
#[derive(Clone, Copy, Debug)]
pub struct Min;

reductions!(f32 f64);

/// Reduces a tile.
#[inline(always)]
pub fn reduce<T: Copy, R: Reduction<T>>(src: &[T]) -> T {
    let mut sums = [R::identity(); LANES];
    let (blocks, rest) = src.as_chunks::<LANES>();
    for block in blocks {
        for lane in 0..LANES {
            sums[lane] = R::combine(sums[lane], block[lane]);
        }
    }
    for (sum, &x) in sums.iter_mut().zip(rest) {
        *sum = R::combine(*sum, x);
    }
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for lane in 0..width {
            sums[lane] = R::combine(sums[lane], sums[lane + width]);
        }
    }
    sums[0]
}
