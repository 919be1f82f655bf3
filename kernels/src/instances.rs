//! The tile loops compiled for each instruction set, behind C function pointers.
//!
//! With [`crate::table`], and [`crate::product`] on [`crate::vector`], this is where all `unsafe`
//! of the crate lives: raw pointers become slices here, and code with target features is entered
//! only through a table made for a processor that has them. The formulas themselves are safe and
//! know nothing of either.

use crate::lane::Number;
use crate::product::{Element, Matrix, matrix_vector, vector_matrix};
use crate::reduce::{Reduction, reduce};
use crate::threefry::{threefry_tile, threefry_tile_one_key};
use crate::tile::{BinaryOp, UnaryOp, binary, unary, unary_one};
use crate::vector::Vector;
use core::slice::{from_raw_parts, from_raw_parts_mut};

macro_rules! instances {
    ($module:ident, $doc:literal, $(#[$feature:meta])*) => {
        #[doc = $doc]
        pub mod $module {
            use super::*;

            /// A unary op over a tile.
            ///
            /// # Safety
            /// `dst` is valid for writes and `src` for reads of `n` elements; they do not overlap;
            /// the processor has the features of this module.
            $(#[$feature])*
            pub unsafe extern "C" fn unary_tile<L: Number, O: UnaryOp<L>>(
                dst: *mut L::Scalar,
                src: *const L::Scalar,
                n: usize,
            ) {
                // SAFETY: validity and disjointness are the caller's promise above.
                let (dst, src) = unsafe { (from_raw_parts_mut(dst, n), from_raw_parts(src, n)) };
                unary::<L, O>(dst, src);
            }

            /// A binary op over a tile.
            ///
            /// # Safety
            /// `dst` is valid for writes, `x` and `y` for reads of `n` elements; `dst` overlaps
            /// neither; the processor has the features of this module.
            $(#[$feature])*
            pub unsafe extern "C" fn binary_tile<L: Number, O: BinaryOp<L>>(
                dst: *mut L::Scalar,
                x: *const L::Scalar,
                y: *const L::Scalar,
                n: usize,
            ) {
                // SAFETY: validity and disjointness are the caller's promise above.
                let (dst, x, y) = unsafe {
                    (from_raw_parts_mut(dst, n), from_raw_parts(x, n), from_raw_parts(y, n))
                };
                binary::<L, O>(dst, x, y);
            }

            /// A reduction of a tile.
            ///
            /// # Safety
            /// `src` is valid for reads of `n` elements; the processor has the features of this
            /// module.
            $(#[$feature])*
            pub unsafe extern "C" fn reduce_tile<T: Copy, R: Reduction<T>>(
                src: *const T,
                n: usize,
            ) -> T {
                // SAFETY: validity is the caller's promise above.
                reduce::<T, R>(unsafe { from_raw_parts(src, n) })
            }

            /// A matrix with contiguous rows times a vector.
            ///
            /// # Safety
            /// `dst` is valid for writes of `rows` elements, `x` for reads of `rows` rows of
            /// `columns` elements that are `stride` elements apart, `y` for reads of `columns`;
            /// `dst` overlaps neither; `V` is a vector of the features of this module, which the
            /// processor has.
            $(#[$feature])*
            pub unsafe extern "C" fn matrix_vector_product<V: Vector<Scalar: Element>>(
                dst: *mut V::Scalar,
                x: *const V::Scalar,
                y: *const V::Scalar,
                rows: usize,
                columns: usize,
                stride: isize,
            ) {
                // SAFETY: the caller's promise above.
                unsafe { matrix_vector::<V>(dst, Matrix { at: x, stride, rows, columns }, y) }
            }

            /// A vector times a matrix with contiguous rows.
            ///
            /// # Safety
            /// As [`matrix_vector_product`], but `dst` has `columns` elements and `y` has `rows`.
            $(#[$feature])*
            pub unsafe extern "C" fn vector_matrix_product<V: Vector<Scalar: Element>>(
                dst: *mut V::Scalar,
                x: *const V::Scalar,
                y: *const V::Scalar,
                rows: usize,
                columns: usize,
                stride: isize,
            ) {
                // SAFETY: the caller's promise above.
                unsafe { vector_matrix::<V>(dst, Matrix { at: x, stride, rows, columns }, y) }
            }

            /// Threefry over arrays of keys and counters.
            ///
            /// # Safety
            /// `dst0` and `dst1` are valid for writes and the others for reads of `n` elements;
            /// neither destination overlaps any other array; the processor has the features of
            /// this module.
            $(#[$feature])*
            pub unsafe extern "C" fn threefry(
                dst0: *mut u32,
                dst1: *mut u32,
                k0: *const u32,
                k1: *const u32,
                x0: *const u32,
                x1: *const u32,
                n: usize,
            ) {
                // SAFETY: validity and disjointness are the caller's promise above.
                let (dst, key, counter) = unsafe {
                    (
                        (from_raw_parts_mut(dst0, n), from_raw_parts_mut(dst1, n)),
                        (from_raw_parts(k0, n), from_raw_parts(k1, n)),
                        (from_raw_parts(x0, n), from_raw_parts(x1, n)),
                    )
                };
                threefry_tile(dst, key, counter);
            }

            /// Threefry under one key over arrays of counters.
            ///
            /// # Safety
            /// As [`threefry`].
            $(#[$feature])*
            pub unsafe extern "C" fn threefry_one_key(
                dst0: *mut u32,
                dst1: *mut u32,
                k0: u32,
                k1: u32,
                x0: *const u32,
                x1: *const u32,
                n: usize,
            ) {
                // SAFETY: validity and disjointness are the caller's promise above.
                let (dst, counter) = unsafe {
                    (
                        (from_raw_parts_mut(dst0, n), from_raw_parts_mut(dst1, n)),
                        (from_raw_parts(x0, n), from_raw_parts(x1, n)),
                    )
                };
                threefry_tile_one_key(dst, (k0, k1), counter);
            }

            $(#[$feature])*
            unsafe fn unary_inner<L: Number, O: UnaryOp<L>>(x: L::Scalar) -> L::Scalar {
                unary_one::<L, O>(x)
            }

            $(#[$feature])*
            unsafe fn binary_inner<L: Number, O: BinaryOp<L>>(
                x: L::Scalar,
                y: L::Scalar,
            ) -> L::Scalar {
                O::apply(L::wrap(x), L::wrap(y)).get()
            }

            /// One value of a unary op. Reachable only through a table for this processor.
            pub(crate) extern "C" fn unary_scalar<L: Number, O: UnaryOp<L>>(
                x: L::Scalar,
            ) -> L::Scalar {
                // SAFETY: `table_for` hands this pointer out only where the features exist.
                unsafe { unary_inner::<L, O>(x) }
            }

            /// One value of a binary op. Reachable only through a table for this processor.
            pub(crate) extern "C" fn binary_scalar<L: Number, O: BinaryOp<L>>(
                x: L::Scalar,
                y: L::Scalar,
            ) -> L::Scalar {
                // SAFETY: `table_for` hands this pointer out only where the features exist.
                unsafe { binary_inner::<L, O>(x, y) }
            }
        }
    };
}

instances!(portable, "Compiled with the features that the whole program is built with.",);

#[cfg(target_arch = "x86_64")]
instances!(
    avx2,
    "Compiled for AVX2 and FMA.",
    #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
);

#[cfg(target_arch = "x86_64")]
instances!(
    avx512,
    "Compiled for AVX-512 (F, DQ, VL, BW).",
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
);
