//! Eight `f64` at a time for the loops written by hand, in the widest registers that the processor
//! has, and the few functions that they need. The only module here with `unsafe` code.

#![allow(unsafe_code)]

/// How many numbers make one [`Lanes`].
pub(crate) const LANES: usize = 8;

/// Eight numbers. The bits of a number may be worked on as an integer.
pub(crate) trait Lanes: Copy {
    fn splat(x: f64) -> Self;
    fn load(x: &[f64; LANES]) -> Self;
    fn store(self, to: &mut [f64; LANES]);
    fn add(self, x: Self) -> Self;
    fn sub(self, x: Self) -> Self;
    fn mul(self, x: Self) -> Self;
    fn div(self, x: Self) -> Self;
    /// `self * x + y`, rounded once.
    fn fma(self, x: Self, y: Self) -> Self;
    /// `y - self * x`, rounded once.
    fn nfma(self, x: Self, y: Self) -> Self;
    fn max(self, x: Self) -> Self;
    /// `yes` where `self < limit`, else `no`.
    fn where_less(self, limit: Self, yes: Self, no: Self) -> Self;
    fn bits_and(self, bits: u64) -> Self;
    fn bits_or(self, bits: u64) -> Self;
    fn bits_add(self, bits: u64) -> Self;
    /// The bits of the mantissa moved to the exponent.
    fn bits_left_52(self) -> Self;
    /// The bits of the exponent moved to the mantissa.
    fn bits_right_52(self) -> Self;

    /// The eight numbers of a slice from `i` on, which must be there.
    #[inline(always)]
    fn at(x: &[f64], i: usize) -> Self {
        match x[i..].first_chunk() {
            Some(lanes) => Self::load(lanes),
            None => panic!("there are not eight numbers from {i} on"),
        }
    }

    /// Ones in the first `n` lanes, zeros in the others.
    #[inline(always)]
    fn first(n: usize) -> Self {
        const ONES: [f64; 2 * LANES] = {
            let mut ones = [0.0; 2 * LANES];
            let mut i = 0;
            while i < LANES {
                ones[i] = 1.0;
                i += 1;
            }
            ones
        };
        Self::at(&ONES, LANES - n.min(LANES))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        self.bits_and(u64::MAX >> 1)
    }

    #[inline(always)]
    fn sum(self) -> f64 {
        let mut x = [0.0; LANES];
        self.store(&mut x);
        ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]))
    }

    /// `e^x` for `x <= 0`, to about an ulp: `x = n ln 2 + r`, a polynomial in `r`, and `n` put into
    /// the exponent. Below -708 it is that of -708, the last whose result is a normal number.
    #[inline(always)]
    fn exp_negative(self) -> Self {
        /// 1.5 * 2^52: what is added to it lands on the integers.
        const MAGIC: f64 = 6_755_399_441_055_744.0;
        const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
        const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
        let x = self.max(Self::splat(-708.0));
        let shifted = x.fma(Self::splat(std::f64::consts::LOG2_E), Self::splat(MAGIC));
        let n = shifted.sub(Self::splat(MAGIC));
        let r = n.nfma(Self::splat(LN2_LOW), n.nfma(Self::splat(LN2_HIGH), x));
        // 1 + r + r^2/2! + ... to the order that |r| <= ln(2)/2 needs; pairs of terms first, so
        // that one need not wait for the other.
        const INVERSE: [f64; 14] = {
            let mut inverse = [1.0; 14];
            let mut i = 1;
            while i < 14 {
                inverse[i] = inverse[i - 1] / i as f64;
                i += 1;
            }
            inverse
        };
        let r2 = r.mul(r);
        let mut p = r.fma(Self::splat(INVERSE[13]), Self::splat(INVERSE[12]));
        let mut k = 12;
        while k > 0 {
            k -= 2;
            p = p.fma(r2, r.fma(Self::splat(INVERSE[k + 1]), Self::splat(INVERSE[k])));
        }
        // The low bits of `shifted` are those of n; 2^n has n in the place of the exponent.
        p.mul(shifted.bits_add(1023).bits_left_52())
    }

    /// `2 atanh(s)` for `|s| <= 0.172`, by its series: ten terms are past the last bit.
    #[inline(always)]
    fn twice_atanh(self) -> Self {
        let z = self.mul(self);
        let mut p = Self::splat(2.0 / 21.0);
        let mut odd = 21.0;
        while odd > 3.0 {
            odd -= 2.0;
            p = p.fma(z, Self::splat(2.0 / odd));
        }
        self.mul(z).fma(p, self.add(self))
    }

    /// `log(1 + e)` for `0 <= e <= 1`: `log(1 + f) = 2 atanh(f / (2 + f))` with `f` below
    /// sqrt(2) - 1 by taking out one factor of two.
    #[inline(always)]
    fn log1p_unit(self) -> Self {
        let limit = Self::splat(std::f64::consts::SQRT_2 - 1.0);
        let half = Self::splat(0.5);
        let f = self.where_less(limit, self, self.fma(half, Self::splat(-0.5)));
        let offset = self.where_less(limit, Self::splat(0.0), Self::splat(std::f64::consts::LN_2));
        offset.add(f.div(f.add(Self::splat(2.0))).twice_atanh())
    }

    /// `log x` for positive normal numbers: `x = 2^k m` with `m` in [sqrt(1/2), sqrt(2)).
    #[inline(always)]
    fn log(self) -> Self {
        /// The bits of sqrt(1/2), and of 1 less those.
        const LOWEST: u64 = 0x3fe6_a09e_667f_3bcd;
        const UP: u64 = 0x3ff0_0000_0000_0000 - LOWEST;
        /// 2^52: or-ing an integer into its mantissa adds it.
        const TWO_52: f64 = 4_503_599_627_370_496.0;
        let shifted = self.bits_add(UP);
        let biased = shifted.bits_right_52().bits_or(TWO_52.to_bits());
        let k = biased.sub(Self::splat(TWO_52 + 1023.0));
        let m = shifted.bits_and((1 << 52) - 1).bits_add(LOWEST);
        let f = m.sub(Self::splat(1.0));
        let log_m = f.div(f.add(Self::splat(2.0))).twice_atanh();
        k.fma(Self::splat(std::f64::consts::LN_2), log_m)
    }
}

/// For processors without the instructions below: arrays, as far as the compiler goes.
#[derive(Clone, Copy)]
pub(crate) struct Portable([f64; LANES]);

macro_rules! each {
    (|$i:ident| $value:expr) => {{
        let mut out = [0.0; LANES];
        for $i in 0..LANES {
            out[$i] = $value;
        }
        Portable(out)
    }};
}

impl Lanes for Portable {
    #[inline(always)]
    fn splat(x: f64) -> Self {
        Portable([x; LANES])
    }
    #[inline(always)]
    fn load(x: &[f64; LANES]) -> Self {
        Portable(*x)
    }
    #[inline(always)]
    fn store(self, to: &mut [f64; LANES]) {
        *to = self.0;
    }
    #[inline(always)]
    fn add(self, x: Self) -> Self {
        each!(|i| self.0[i] + x.0[i])
    }
    #[inline(always)]
    fn sub(self, x: Self) -> Self {
        each!(|i| self.0[i] - x.0[i])
    }
    #[inline(always)]
    fn mul(self, x: Self) -> Self {
        each!(|i| self.0[i] * x.0[i])
    }
    #[inline(always)]
    fn div(self, x: Self) -> Self {
        each!(|i| self.0[i] / x.0[i])
    }
    #[inline(always)]
    fn fma(self, x: Self, y: Self) -> Self {
        each!(|i| self.0[i].mul_add(x.0[i], y.0[i]))
    }
    #[inline(always)]
    fn nfma(self, x: Self, y: Self) -> Self {
        each!(|i| (-self.0[i]).mul_add(x.0[i], y.0[i]))
    }
    #[inline(always)]
    fn max(self, x: Self) -> Self {
        each!(|i| if self.0[i] > x.0[i] { self.0[i] } else { x.0[i] })
    }
    #[inline(always)]
    fn where_less(self, limit: Self, yes: Self, no: Self) -> Self {
        each!(|i| if self.0[i] < limit.0[i] { yes.0[i] } else { no.0[i] })
    }
    #[inline(always)]
    fn bits_and(self, bits: u64) -> Self {
        each!(|i| f64::from_bits(self.0[i].to_bits() & bits))
    }
    #[inline(always)]
    fn bits_or(self, bits: u64) -> Self {
        each!(|i| f64::from_bits(self.0[i].to_bits() | bits))
    }
    #[inline(always)]
    fn bits_add(self, bits: u64) -> Self {
        each!(|i| f64::from_bits(self.0[i].to_bits().wrapping_add(bits)))
    }
    #[inline(always)]
    fn bits_left_52(self) -> Self {
        each!(|i| f64::from_bits(self.0[i].to_bits() << 52))
    }
    #[inline(always)]
    fn bits_right_52(self) -> Self {
        each!(|i| f64::from_bits(self.0[i].to_bits() >> 52))
    }
}

/// Work that is compiled for every kind of lanes; `run` must be `#[inline(always)]`.
pub(crate) trait Job {
    type Output;
    fn run<L: Lanes>(self) -> Self::Output;
}

/// Runs the job in the widest registers that the processor has.
pub(crate) fn widest<J: Job>(job: J) -> J::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if x86::has_avx512() {
            // SAFETY: the processor has every feature that the function is compiled for.
            return unsafe { x86::with_avx512(job) };
        }
        if x86::has_avx2() {
            // SAFETY: as above.
            return unsafe { x86::with_avx2(job) };
        }
    }
    job.run::<Portable>()
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Job, LANES, Lanes};
    use std::arch::x86_64::*;

    pub(super) fn has_avx512() -> bool {
        has_avx2() && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq")
    }

    pub(super) fn has_avx2() -> bool {
        is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
    }

    /// As [`Job::run`], on a processor with AVX-512.
    #[target_feature(enable = "avx512f,avx512dq,avx2,fma")]
    pub(super) fn with_avx512<J: Job>(job: J) -> J::Output {
        job.run::<Avx512>()
    }

    /// As [`Job::run`], on a processor with AVX2 and FMA.
    #[target_feature(enable = "avx2,fma")]
    pub(super) fn with_avx2<J: Job>(job: J) -> J::Output {
        job.run::<Avx2>()
    }

    /// One register. Only [`with_avx512`] and tests of what the processor has name this type.
    #[derive(Clone, Copy)]
    pub(super) struct Avx512(__m512d);
    /// Two registers. Only [`with_avx2`] and tests of what the processor has name this type.
    #[derive(Clone, Copy)]
    pub(super) struct Avx2(__m256d, __m256d);

    /// Methods of both kinds of lanes, by the intrinsic of each.
    macro_rules! methods {
        ($($name:ident($($x:ident),*) $wide:ident $narrow:ident;)*) => {
            methods!(@one Avx512, $($name($($x),*) $wide;)*);
            methods!(@two Avx2, $($name($($x),*) $narrow;)*);
        };
        (@one $lanes:ident, $($name:ident($($x:ident),*) $intrinsic:ident;)*) => {
            impl Avx512 {
                $(
                    #[inline(always)]
                    fn $name(self $(, $x: Self)*) -> Self {
                        // SAFETY: only a processor that has the instruction gets here.
                        Avx512(unsafe { $intrinsic(self.0 $(, $x.0)*) })
                    }
                )*
            }
        };
        (@two $lanes:ident, $($name:ident($($x:ident),*) $intrinsic:ident;)*) => {
            impl Avx2 {
                $(
                    #[inline(always)]
                    fn $name(self $(, $x: Self)*) -> Self {
                        // SAFETY: only a processor that has the instruction gets here.
                        unsafe {
                            Avx2($intrinsic(self.0 $(, $x.0)*), $intrinsic(self.1 $(, $x.1)*))
                        }
                    }
                )*
            }
        };
    }

    methods! {
        plus(x) _mm512_add_pd _mm256_add_pd;
        minus(x) _mm512_sub_pd _mm256_sub_pd;
        times(x) _mm512_mul_pd _mm256_mul_pd;
        over(x) _mm512_div_pd _mm256_div_pd;
        multiply_add(x, y) _mm512_fmadd_pd _mm256_fmadd_pd;
        negative_multiply_add(x, y) _mm512_fnmadd_pd _mm256_fnmadd_pd;
        larger(x) _mm512_max_pd _mm256_max_pd;
    }

    /// What both have in common: the methods above, and integers by way of casts.
    macro_rules! common {
        () => {
            #[inline(always)]
            fn add(self, x: Self) -> Self {
                self.plus(x)
            }
            #[inline(always)]
            fn sub(self, x: Self) -> Self {
                self.minus(x)
            }
            #[inline(always)]
            fn mul(self, x: Self) -> Self {
                self.times(x)
            }
            #[inline(always)]
            fn div(self, x: Self) -> Self {
                self.over(x)
            }
            #[inline(always)]
            fn fma(self, x: Self, y: Self) -> Self {
                self.multiply_add(x, y)
            }
            #[inline(always)]
            fn nfma(self, x: Self, y: Self) -> Self {
                self.negative_multiply_add(x, y)
            }
            #[inline(always)]
            fn max(self, x: Self) -> Self {
                self.larger(x)
            }
        };
    }

    /// The integer operation on the bits of one register.
    macro_rules! on_bits {
        (wide $x:expr, $operation:ident $(, $with:expr)?) => {
            // SAFETY: only a processor that has the instructions gets here.
            unsafe {
                _mm512_castsi512_pd($operation(
                    _mm512_castpd_si512($x) $(, _mm512_set1_epi64($with as i64))?
                ))
            }
        };
        (narrow $x:expr, $operation:ident $(, $with:expr)?) => {
            // SAFETY: as above.
            unsafe {
                _mm256_castsi256_pd($operation(
                    _mm256_castpd_si256($x) $(, _mm256_set1_epi64x($with as i64))?
                ))
            }
        };
    }

    #[inline(always)]
    unsafe fn left_wide(x: __m512i) -> __m512i {
        // SAFETY: the caller has the instruction.
        unsafe { _mm512_slli_epi64::<52>(x) }
    }
    #[inline(always)]
    unsafe fn right_wide(x: __m512i) -> __m512i {
        // SAFETY: as above.
        unsafe { _mm512_srli_epi64::<52>(x) }
    }
    #[inline(always)]
    unsafe fn left(x: __m256i) -> __m256i {
        // SAFETY: as above.
        unsafe { _mm256_slli_epi64::<52>(x) }
    }
    #[inline(always)]
    unsafe fn right(x: __m256i) -> __m256i {
        // SAFETY: as above.
        unsafe { _mm256_srli_epi64::<52>(x) }
    }

    impl Lanes for Avx512 {
        common!();
        #[inline(always)]
        fn splat(x: f64) -> Self {
            // SAFETY: only a processor that has the instruction gets here.
            Avx512(unsafe { _mm512_set1_pd(x) })
        }
        #[inline(always)]
        fn load(x: &[f64; LANES]) -> Self {
            // SAFETY: as above; the array has as many numbers as are read.
            Avx512(unsafe { _mm512_loadu_pd(x.as_ptr()) })
        }
        #[inline(always)]
        fn store(self, to: &mut [f64; LANES]) {
            // SAFETY: as above; the array has room for what is written.
            unsafe { _mm512_storeu_pd(to.as_mut_ptr(), self.0) }
        }
        #[inline(always)]
        fn where_less(self, limit: Self, yes: Self, no: Self) -> Self {
            // SAFETY: only a processor that has the instructions gets here.
            unsafe {
                let less = _mm512_cmp_pd_mask::<_CMP_LT_OQ>(self.0, limit.0);
                Avx512(_mm512_mask_blend_pd(less, no.0, yes.0))
            }
        }
        #[inline(always)]
        fn bits_and(self, bits: u64) -> Self {
            Avx512(on_bits!(wide self.0, _mm512_and_si512, bits))
        }
        #[inline(always)]
        fn bits_or(self, bits: u64) -> Self {
            Avx512(on_bits!(wide self.0, _mm512_or_si512, bits))
        }
        #[inline(always)]
        fn bits_add(self, bits: u64) -> Self {
            Avx512(on_bits!(wide self.0, _mm512_add_epi64, bits))
        }
        #[inline(always)]
        fn bits_left_52(self) -> Self {
            Avx512(on_bits!(wide self.0, left_wide))
        }
        #[inline(always)]
        fn bits_right_52(self) -> Self {
            Avx512(on_bits!(wide self.0, right_wide))
        }
    }

    impl Lanes for Avx2 {
        common!();
        #[inline(always)]
        fn splat(x: f64) -> Self {
            // SAFETY: only a processor that has the instruction gets here.
            unsafe { Avx2(_mm256_set1_pd(x), _mm256_set1_pd(x)) }
        }
        #[inline(always)]
        fn load(x: &[f64; LANES]) -> Self {
            // SAFETY: as above; the array has as many numbers as are read.
            unsafe { Avx2(_mm256_loadu_pd(x.as_ptr()), _mm256_loadu_pd(x.as_ptr().add(4))) }
        }
        #[inline(always)]
        fn store(self, to: &mut [f64; LANES]) {
            // SAFETY: as above; the array has room for what is written.
            unsafe {
                _mm256_storeu_pd(to.as_mut_ptr(), self.0);
                _mm256_storeu_pd(to.as_mut_ptr().add(4), self.1);
            }
        }
        #[inline(always)]
        fn where_less(self, limit: Self, yes: Self, no: Self) -> Self {
            // SAFETY: only a processor that has the instructions gets here.
            unsafe {
                let first = _mm256_cmp_pd::<_CMP_LT_OQ>(self.0, limit.0);
                let second = _mm256_cmp_pd::<_CMP_LT_OQ>(self.1, limit.1);
                Avx2(_mm256_blendv_pd(no.0, yes.0, first), _mm256_blendv_pd(no.1, yes.1, second))
            }
        }
        #[inline(always)]
        fn bits_and(self, bits: u64) -> Self {
            Avx2(
                on_bits!(narrow self.0, _mm256_and_si256, bits),
                on_bits!(narrow self.1, _mm256_and_si256, bits),
            )
        }
        #[inline(always)]
        fn bits_or(self, bits: u64) -> Self {
            Avx2(
                on_bits!(narrow self.0, _mm256_or_si256, bits),
                on_bits!(narrow self.1, _mm256_or_si256, bits),
            )
        }
        #[inline(always)]
        fn bits_add(self, bits: u64) -> Self {
            Avx2(
                on_bits!(narrow self.0, _mm256_add_epi64, bits),
                on_bits!(narrow self.1, _mm256_add_epi64, bits),
            )
        }
        #[inline(always)]
        fn bits_left_52(self) -> Self {
            Avx2(on_bits!(narrow self.0, left), on_bits!(narrow self.1, left))
        }
        #[inline(always)]
        fn bits_right_52(self) -> Self {
            Avx2(on_bits!(narrow self.0, right), on_bits!(narrow self.1, right))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The functions at one point each lane.
    struct Functions;

    impl Job for Functions {
        type Output = ();

        fn run<L: Lanes>(self) {
            let close = |have: L, want: f64| {
                let mut lanes = [0.0; LANES];
                have.store(&mut lanes);
                for have in lanes {
                    let error = (have - want).abs();
                    assert!(error <= 4e-16 * want.abs().max(1.0), "{have} is not {want}");
                }
            };
            for i in 0..2000 {
                let x = i as f64 / 100.0;
                close(L::splat(-x).exp_negative(), (-x).exp());
                close(L::splat(x / 20.0).log1p_unit(), (x / 20.0).ln_1p());
                let y = 1e-9 + x * x * x;
                close(L::splat(y).log(), y.ln());
            }
            close(L::splat(-1e9).exp_negative(), 0.0);
            close(L::splat(-3.0).abs(), 3.0);
            let numbers: Vec<f64> = (1..=10).map(f64::from).collect();
            assert_eq!(L::at(&numbers, 2).sum(), 52.0);
            for n in 0..=LANES {
                assert_eq!(L::first(n).sum(), n as f64);
            }
        }
    }

    #[test]
    fn all_lanes_agree_with_the_standard_library() {
        Functions.run::<Portable>();
        #[cfg(target_arch = "x86_64")]
        {
            if x86::has_avx2() {
                // SAFETY: the processor has the features.
                unsafe { x86::with_avx2(Functions) };
            }
            if x86::has_avx512() {
                // SAFETY: the processor has the features.
                unsafe { x86::with_avx512(Functions) };
            }
        }
    }
}
