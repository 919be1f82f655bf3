//! Loops over tiles, generic and safe; [`crate::instances`] compiles them per instruction set.
//!
//! A tile is cut into blocks of fixed length, so that LLVM vectorises the whole of it; what is
//! left over is padded to a shorter block rather than done by scalars.

use crate::functions::{arithmetic_functions, binary_functions, unary_functions};
use crate::lane::{Lane, Number};
use crate::math::{
    error_function, exponential, gamma, inverse_trigonometric, logarithm, power, trigonometric,
};

/// A unary function over lanes.
///
/// A function may leave rare arguments to a second formula: a block computes `common` for every
/// lane, and only when some lane is rare computes `rare` and blends. Each lane's result depends on
/// that lane alone, so scalars and tiles agree to the bit.
pub trait UnaryOp<L: Lane> {
    /// Whether `is_rare` is ever true.
    const HAS_RARE: bool = false;
    /// The value at arguments that are not rare; anything elsewhere.
    fn common(x: L) -> L;
    /// Whether `rare` has the value.
    #[inline(always)]
    fn is_rare(_: L) -> L::Mask {
        L::mask(false)
    }
    /// The value at rare arguments.
    #[inline(always)]
    fn rare(x: L) -> L {
        x
    }
    /// Whether `is_easy` is ever true.
    const HAS_EASY: bool = false;
    /// Whether blocks look for `easy`, too, where it saves them much: all of a block has to be.
    const EASY_IN_BLOCKS: bool = false;
    /// Whether `easy` has the value too. Single values look for it: a branch costs them less than
    /// the longer formula, each step of which waits for the one before.
    #[inline(always)]
    fn is_easy(_: L) -> L::Mask {
        L::mask(false)
    }
    /// The value of `common` to the bit, by fewer steps.
    #[inline(always)]
    fn easy(x: L) -> L {
        x
    }
}

/// A binary function over lanes.
pub trait BinaryOp<L: Lane> {
    /// The value.
    fn apply(x: L, y: L) -> L;
}

/// A type for each unary function of the list.
macro_rules! unary_ops {
    ($($(#[$doc:meta])* $name:ident $text:literal $common:path
        $(, rare $is_rare:path => $rare:path)?
        $(, easy $is_easy:path => $easy:path $(, also in blocks $blocks:literal)?)?;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $name;
            impl<L: Lane> UnaryOp<L> for $name {
                #[inline(always)]
                fn common(x: L) -> L {
                    $common(x)
                }
                $(
                    const HAS_RARE: bool = true;
                    #[inline(always)]
                    fn is_rare(x: L) -> L::Mask {
                        $is_rare(x)
                    }
                    #[inline(always)]
                    fn rare(x: L) -> L {
                        $rare(x)
                    }
                )?
                $(
                    const HAS_EASY: bool = true;
                    $(const EASY_IN_BLOCKS: bool = $blocks;)?
                    #[inline(always)]
                    fn is_easy(x: L) -> L::Mask {
                        $is_easy(x)
                    }
                    #[inline(always)]
                    fn easy(x: L) -> L {
                        $easy(x)
                    }
                )?
            }
        )*
    };
}
unary_functions!(unary_ops!());

/// A type for each binary function of a list.
macro_rules! binary_ops {
    ($($(#[$doc:meta])* $name:ident $text:literal $formula:path;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $name;
            impl<L: Lane> BinaryOp<L> for $name {
                #[inline(always)]
                fn apply(x: L, y: L) -> L {
                    $formula(x, y)
                }
            }
        )*
    };
}
binary_functions!(binary_ops!());
arithmetic_functions!(binary_ops!());

/// One value of a unary op.
#[inline(always)]
pub fn unary_one<L: Number, O: UnaryOp<L>>(x: L::Scalar) -> L::Scalar {
    let x = L::wrap(x);
    if O::HAS_EASY && O::is_easy(x) {
        return O::easy(x).get();
    }
    if O::HAS_RARE && O::is_rare(x) { O::rare(x).get() } else { O::common(x).get() }
}

/// The length of a full block.
const BLOCK: usize = 64;
/// The length of a padded block at the end.
const SHORT: usize = 16;

#[inline(always)]
fn unary_block<L: Number, O: UnaryOp<L>, const N: usize>(
    dst: &mut [L::Scalar; N],
    src: &[L::Scalar; N],
) {
    // Where the first is not easy, seldom all are.
    if O::EASY_IN_BLOCKS && O::is_easy(L::wrap(src[0])) {
        let mut hard = L::int(0);
        for x in src {
            hard = L::int_or(hard, L::int_flag(!O::is_easy(L::wrap(*x))));
        }
        if !L::int_any(hard) {
            for i in 0..N {
                dst[i] = O::easy(L::wrap(src[i])).get();
            }
            return;
        }
    }
    let mut any = L::int(0);
    for i in 0..N {
        let x = L::wrap(src[i]);
        dst[i] = O::common(x).get();
        if O::HAS_RARE {
            any = L::int_or(any, L::int_flag(O::is_rare(x)));
        }
    }
    if O::HAS_RARE && L::int_any(any) {
        for i in 0..N {
            let x = L::wrap(src[i]);
            if O::is_rare(x) {
                dst[i] = O::rare(x).get();
            }
        }
    }
}

/// A unary op over slices of equal length.
#[inline(always)]
pub fn unary<L: Number, O: UnaryOp<L>>(dst: &mut [L::Scalar], src: &[L::Scalar]) {
    let (dst_blocks, dst_rest) = dst.as_chunks_mut::<BLOCK>();
    let (src_blocks, src_rest) = src.as_chunks::<BLOCK>();
    for (d, s) in dst_blocks.iter_mut().zip(src_blocks) {
        unary_block::<L, O, BLOCK>(d, s);
    }
    for (d, s) in dst_rest.chunks_mut(SHORT).zip(src_rest.chunks(SHORT)) {
        let mut padded = [L::Scalar::default(); SHORT];
        let mut result = [L::Scalar::default(); SHORT];
        padded[..s.len()].copy_from_slice(s);
        unary_block::<L, O, SHORT>(&mut result, &padded);
        d.copy_from_slice(&result[..d.len()]);
    }
}

#[inline(always)]
fn binary_block<L: Number, O: BinaryOp<L>, const N: usize>(
    dst: &mut [L::Scalar; N],
    x: &[L::Scalar; N],
    y: &[L::Scalar; N],
) {
    for i in 0..N {
        dst[i] = O::apply(L::wrap(x[i]), L::wrap(y[i])).get();
    }
}

/// A binary op over slices of equal length.
#[inline(always)]
pub fn binary<L: Number, O: BinaryOp<L>>(dst: &mut [L::Scalar], x: &[L::Scalar], y: &[L::Scalar]) {
    let (dst_blocks, dst_rest) = dst.as_chunks_mut::<BLOCK>();
    let (x_blocks, x_rest) = x.as_chunks::<BLOCK>();
    let (y_blocks, y_rest) = y.as_chunks::<BLOCK>();
    for ((d, x), y) in dst_blocks.iter_mut().zip(x_blocks).zip(y_blocks) {
        binary_block::<L, O, BLOCK>(d, x, y);
    }
    let rest = x_rest.chunks(SHORT).zip(y_rest.chunks(SHORT));
    for (d, (x, y)) in dst_rest.chunks_mut(SHORT).zip(rest) {
        let mut padded_x = [L::Scalar::default(); SHORT];
        let mut padded_y = [L::Scalar::default(); SHORT];
        let mut result = [L::Scalar::default(); SHORT];
        padded_x[..x.len()].copy_from_slice(x);
        padded_y[..y.len()].copy_from_slice(y);
        binary_block::<L, O, SHORT>(&mut result, &padded_x, &padded_y);
        d.copy_from_slice(&result[..d.len()]);
    }
}
