//! Vectors of 64 bytes for the kernels that compilers do not vectorise well by themselves: one
//! AVX-512 register, two of AVX2, or an array. Every instance gives the same bits where it has FMA.
//!
//! No closures: one that is not inlined would have none of the features that its intrinsics need.
//!
//! # Safety
//! Methods may be called only where the instruction set of the instance is enabled; pointers are
//! valid for reads of the elements asked for.

use core::fmt::Debug;

/// A vector of [`Vector::LANES`] elements.
pub trait Vector: Copy {
    /// The element type.
    type Scalar: Copy + Default + Debug;
    /// Which of the first lanes count.
    type Mask: Copy;
    /// Elements in 64 bytes.
    const LANES: usize;

    /// All lanes zero.
    unsafe fn zero() -> Self;
    /// All lanes `x`.
    unsafe fn splat(x: Self::Scalar) -> Self;
    /// The first `count` lanes.
    unsafe fn mask(count: usize) -> Self::Mask;
    /// Reads a vector.
    unsafe fn load(from: *const Self::Scalar) -> Self;
    /// Reads the lanes of the mask, and nothing behind them; the others are zero.
    unsafe fn load_part(from: *const Self::Scalar, mask: Self::Mask) -> Self;
    /// Writes a vector.
    unsafe fn store(self, to: *mut Self::Scalar);
    /// `self + other`
    unsafe fn add(self, other: Self) -> Self;
    /// `self * b + c`
    unsafe fn fma(self, b: Self, c: Self) -> Self;
    /// Lane `i` of the result is the sum of `rows[i]`, added up in halves: lane l and lane l +
    /// LANES / 2, and so on. There are `LANES` rows.
    unsafe fn sums(rows: &[Self]) -> Self;
}

macro_rules! portable {
    ($name:ident, $t:ident, $lanes:literal, $lane:ty) => {
        /// An array.
        #[derive(Clone, Copy, Debug)]
        pub struct $name([$t; $lanes]);

        impl Vector for $name {
            type Scalar = $t;
            type Mask = usize;
            const LANES: usize = $lanes;

            #[inline(always)]
            unsafe fn zero() -> Self {
                $name([0.0; $lanes])
            }
            #[inline(always)]
            unsafe fn splat(x: $t) -> Self {
                $name([x; $lanes])
            }
            #[inline(always)]
            unsafe fn mask(count: usize) -> usize {
                count
            }
            #[inline(always)]
            unsafe fn load(from: *const $t) -> Self {
                // SAFETY: the caller's promise; an array is aligned as its elements.
                $name(unsafe { *from.cast() })
            }
            #[inline(always)]
            unsafe fn load_part(from: *const $t, mask: usize) -> Self {
                // Sixteen bytes at a time: what compilers make of single elements is slow.
                const PART: usize = 16 / size_of::<$t>();
                let mut lanes = [[0.0; PART]; $lanes / PART];
                for (p, part) in lanes.iter_mut().enumerate() {
                    let first = p * PART;
                    if first + PART <= mask {
                        // SAFETY: the caller's promise; an array is aligned as its elements.
                        *part = unsafe { *from.add(first).cast() };
                    } else {
                        for (i, lane) in part.iter_mut().enumerate() {
                            if first + i < mask {
                                // SAFETY: the caller's promise.
                                *lane = unsafe { *from.add(first + i) };
                            }
                        }
                    }
                }
                let lanes = core::array::from_fn(|i| lanes[i / PART][i % PART]);
                $name(lanes)
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $t) {
                // SAFETY: the caller's promise; an array is aligned as its elements.
                unsafe { *to.cast() = self.0 };
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                $name(core::array::from_fn(|i| self.0[i] + other.0[i]))
            }
            #[inline(always)]
            unsafe fn fma(self, b: Self, c: Self) -> Self {
                $name(core::array::from_fn(|i| {
                    let [x, y, z] = [self.0[i], b.0[i], c.0[i]].map(<$lane>::wrap);
                    x.fma(y, z).get()
                }))
            }
            #[inline(always)]
            unsafe fn sums(rows: &[Self]) -> Self {
                $name(core::array::from_fn(|i| {
                    let mut lanes = rows[i].0;
                    let mut width = $lanes;
                    while width > 1 {
                        width /= 2;
                        for l in 0..width {
                            lanes[l] += lanes[l + width];
                        }
                    }
                    lanes[0]
                }))
            }
        }
    };
}

use crate::lane::{Lane, Number};
portable!(Array32, f32, 16, crate::lane::Portable32);
portable!(Array64, f64, 8, crate::lane::Portable64);

#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2F32, Avx2F64, Avx512F32, Avx512F64};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Vector;
    use core::arch::x86_64::*;

    /// Functions made of intrinsics.
    macro_rules! methods {
        ($(
            $(#[$doc:meta])*
            fn $name:ident($($arg:ident: $ty:ty),*) $(-> $out:ty)? $body:block
        )*) => {
            $(
                $(#[$doc])*
                #[inline(always)]
                unsafe fn $name($($arg: $ty),*) $(-> $out)? {
                    // SAFETY: the trait's: the instruction set is enabled, pointers are valid.
                    unsafe { $body }
                }
            )*
        };
    }

    /// Sixteen `f32`.
    #[derive(Clone, Copy, Debug)]
    pub struct Avx512F32(__m512);

    impl Vector for Avx512F32 {
        type Scalar = f32;
        type Mask = __mmask16;
        const LANES: usize = 16;

        methods! {
            fn zero() -> Self { Self(_mm512_setzero_ps()) }
            fn splat(x: f32) -> Self { Self(_mm512_set1_ps(x)) }
            fn mask(count: usize) -> __mmask16 { _cvtu32_mask16((1 << count) - 1) }
            fn load(from: *const f32) -> Self { Self(_mm512_loadu_ps(from)) }
            fn load_part(from: *const f32, mask: __mmask16) -> Self {
                Self(_mm512_maskz_loadu_ps(mask, from))
            }
            fn store(self: Self, to: *mut f32) { _mm512_storeu_ps(to, self.0) }
            fn add(self: Self, other: Self) -> Self { Self(_mm512_add_ps(self.0, other.0)) }
            fn fma(self: Self, b: Self, c: Self) -> Self {
                Self(_mm512_fmadd_ps(self.0, b.0, c.0))
            }
            fn sums(rows: &[Self]) -> Self {
                let pair_0 = pairs_512(sixteenths(rows, 0), sixteenths(rows, 1));
                let pair_1 = pairs_512(sixteenths(rows, 2), sixteenths(rows, 3));
                let low = _mm512_shuffle_ps::<0x88>(pair_0, pair_1);
                Self(_mm512_add_ps(low, _mm512_shuffle_ps::<0xdd>(pair_0, pair_1)))
            }
        }
    }

    methods! {
        /// Halves of two rows, added up.
        fn halves_512(a: __m512, b: __m512) -> __m512 {
            let low = _mm512_shuffle_f32x4::<0x44>(a, b);
            _mm512_add_ps(low, _mm512_shuffle_f32x4::<0xee>(a, b))
        }
        /// Rows `i`, `i + 4`, `i + 8` and `i + 12`, each added up to four lanes.
        fn sixteenths(rows: &[Avx512F32], i: usize) -> __m512 {
            let a = halves_512(rows[i].0, rows[i + 4].0);
            let b = halves_512(rows[i + 8].0, rows[i + 12].0);
            let low = _mm512_shuffle_f32x4::<0x88>(a, b);
            _mm512_add_ps(low, _mm512_shuffle_f32x4::<0xdd>(a, b))
        }
        /// Four lanes of four rows each, added up to two lanes of eight.
        fn pairs_512(a: __m512, b: __m512) -> __m512 {
            let low = _mm512_shuffle_ps::<0x44>(a, b);
            _mm512_add_ps(low, _mm512_shuffle_ps::<0xee>(a, b))
        }
    }

    /// Eight `f64`.
    #[derive(Clone, Copy, Debug)]
    pub struct Avx512F64(__m512d);

    impl Vector for Avx512F64 {
        type Scalar = f64;
        type Mask = __mmask8;
        const LANES: usize = 8;

        methods! {
            fn zero() -> Self { Self(_mm512_setzero_pd()) }
            fn splat(x: f64) -> Self { Self(_mm512_set1_pd(x)) }
            fn mask(count: usize) -> __mmask8 { _cvtu32_mask8((1 << count) - 1) }
            fn load(from: *const f64) -> Self { Self(_mm512_loadu_pd(from)) }
            fn load_part(from: *const f64, mask: __mmask8) -> Self {
                Self(_mm512_maskz_loadu_pd(mask, from))
            }
            fn store(self: Self, to: *mut f64) { _mm512_storeu_pd(to, self.0) }
            fn add(self: Self, other: Self) -> Self { Self(_mm512_add_pd(self.0, other.0)) }
            fn fma(self: Self, b: Self, c: Self) -> Self {
                Self(_mm512_fmadd_pd(self.0, b.0, c.0))
            }
            fn sums(rows: &[Self]) -> Self {
                let (a, b) = (eighths(rows, 0), eighths(rows, 1));
                Self(_mm512_add_pd(_mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b)))
            }
        }
    }

    methods! {
        /// Halves of two rows, added up.
        fn halves_512d(a: __m512d, b: __m512d) -> __m512d {
            let low = _mm512_shuffle_f64x2::<0x44>(a, b);
            _mm512_add_pd(low, _mm512_shuffle_f64x2::<0xee>(a, b))
        }
        /// Rows `i`, `i + 2`, `i + 4` and `i + 6`, each added up to two lanes.
        fn eighths(rows: &[Avx512F64], i: usize) -> __m512d {
            let a = halves_512d(rows[i].0, rows[i + 2].0);
            let b = halves_512d(rows[i + 4].0, rows[i + 6].0);
            let low = _mm512_shuffle_f64x2::<0x88>(a, b);
            _mm512_add_pd(low, _mm512_shuffle_f64x2::<0xdd>(a, b))
        }
    }

    /// Sixteen `f32` in two registers.
    #[derive(Clone, Copy, Debug)]
    pub struct Avx2F32(__m256, __m256);

    impl Vector for Avx2F32 {
        type Scalar = f32;
        type Mask = (__m256i, __m256i);
        const LANES: usize = 16;

        methods! {
            fn zero() -> Self { Self(_mm256_setzero_ps(), _mm256_setzero_ps()) }
            fn splat(x: f32) -> Self { Self(_mm256_set1_ps(x), _mm256_set1_ps(x)) }
            fn mask(count: usize) -> (__m256i, __m256i) {
                let count = _mm256_set1_epi32(count as i32);
                let low = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
                let high = _mm256_setr_epi32(8, 9, 10, 11, 12, 13, 14, 15);
                (_mm256_cmpgt_epi32(count, low), _mm256_cmpgt_epi32(count, high))
            }
            fn load(from: *const f32) -> Self {
                Self(_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8)))
            }
            fn load_part(from: *const f32, mask: (__m256i, __m256i)) -> Self {
                let high = _mm256_maskload_ps(from.wrapping_add(8), mask.1);
                Self(_mm256_maskload_ps(from, mask.0), high)
            }
            fn store(self: Self, to: *mut f32) {
                _mm256_storeu_ps(to, self.0);
                _mm256_storeu_ps(to.add(8), self.1);
            }
            fn add(self: Self, other: Self) -> Self {
                Self(_mm256_add_ps(self.0, other.0), _mm256_add_ps(self.1, other.1))
            }
            fn fma(self: Self, b: Self, c: Self) -> Self {
                Self(_mm256_fmadd_ps(self.0, b.0, c.0), _mm256_fmadd_ps(self.1, b.1, c.1))
            }
            fn sums(rows: &[Self]) -> Self { Self(eight_256(rows, 0), eight_256(rows, 8)) }
        }
    }

    methods! {
        /// Rows `i` and `i + 4`, each added up to four lanes.
        fn two_256(rows: &[Avx2F32], i: usize) -> __m256 {
            let a = _mm256_add_ps(rows[i].0, rows[i].1);
            let b = _mm256_add_ps(rows[i + 4].0, rows[i + 4].1);
            let low = _mm256_permute2f128_ps::<0x20>(a, b);
            _mm256_add_ps(low, _mm256_permute2f128_ps::<0x31>(a, b))
        }
        /// Four lanes of two rows each, added up to two lanes of four.
        fn pairs_256(a: __m256, b: __m256) -> __m256 {
            let low = _mm256_shuffle_ps::<0x44>(a, b);
            _mm256_add_ps(low, _mm256_shuffle_ps::<0xee>(a, b))
        }
        /// The sums of eight rows.
        fn eight_256(rows: &[Avx2F32], i: usize) -> __m256 {
            let a = pairs_256(two_256(rows, i), two_256(rows, i + 1));
            let b = pairs_256(two_256(rows, i + 2), two_256(rows, i + 3));
            let low = _mm256_shuffle_ps::<0x88>(a, b);
            _mm256_add_ps(low, _mm256_shuffle_ps::<0xdd>(a, b))
        }
    }

    /// Eight `f64` in two registers.
    #[derive(Clone, Copy, Debug)]
    pub struct Avx2F64(__m256d, __m256d);

    impl Vector for Avx2F64 {
        type Scalar = f64;
        type Mask = (__m256i, __m256i);
        const LANES: usize = 8;

        methods! {
            fn zero() -> Self { Self(_mm256_setzero_pd(), _mm256_setzero_pd()) }
            fn splat(x: f64) -> Self { Self(_mm256_set1_pd(x), _mm256_set1_pd(x)) }
            fn mask(count: usize) -> (__m256i, __m256i) {
                let count = _mm256_set1_epi64x(count as i64);
                let (low, high) = (_mm256_setr_epi64x(0, 1, 2, 3), _mm256_setr_epi64x(4, 5, 6, 7));
                (_mm256_cmpgt_epi64(count, low), _mm256_cmpgt_epi64(count, high))
            }
            fn load(from: *const f64) -> Self {
                Self(_mm256_loadu_pd(from), _mm256_loadu_pd(from.add(4)))
            }
            fn load_part(from: *const f64, mask: (__m256i, __m256i)) -> Self {
                let high = _mm256_maskload_pd(from.wrapping_add(4), mask.1);
                Self(_mm256_maskload_pd(from, mask.0), high)
            }
            fn store(self: Self, to: *mut f64) {
                _mm256_storeu_pd(to, self.0);
                _mm256_storeu_pd(to.add(4), self.1);
            }
            fn add(self: Self, other: Self) -> Self {
                Self(_mm256_add_pd(self.0, other.0), _mm256_add_pd(self.1, other.1))
            }
            fn fma(self: Self, b: Self, c: Self) -> Self {
                Self(_mm256_fmadd_pd(self.0, b.0, c.0), _mm256_fmadd_pd(self.1, b.1, c.1))
            }
            fn sums(rows: &[Self]) -> Self { Self(four_256d(rows, 0), four_256d(rows, 4)) }
        }
    }

    methods! {
        /// Rows `i` and `i + 2`, each added up to two lanes.
        fn two_256d(rows: &[Avx2F64], i: usize) -> __m256d {
            let a = _mm256_add_pd(rows[i].0, rows[i].1);
            let b = _mm256_add_pd(rows[i + 2].0, rows[i + 2].1);
            let low = _mm256_permute2f128_pd::<0x20>(a, b);
            _mm256_add_pd(low, _mm256_permute2f128_pd::<0x31>(a, b))
        }
        /// The sums of four rows.
        fn four_256d(rows: &[Avx2F64], i: usize) -> __m256d {
            let (a, b) = (two_256d(rows, i), two_256d(rows, i + 1));
            _mm256_add_pd(_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b))
        }
    }
}
