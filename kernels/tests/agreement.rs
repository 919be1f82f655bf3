//! What must agree to the bit: scalars and tiles, AVX2 and AVX-512, tiles of any length; and the
//! kernels that have exact answers.

#[path = "support/mod.rs"]
mod support;

use probpipe_kernels::{
    ArithmeticKernel, BinaryKernel, Isa, KernelTable, ReduceKernel, UnaryKernel, table_for,
};
use support::Real;

fn tables() -> impl Iterator<Item = &'static KernelTable> {
    Isa::ALL.iter().filter_map(|&isa| table_for(isa))
}

/// Numbers of all sizes and signs, special ones among them.
fn arguments<T: Real>(seed: u64) -> Vec<T> {
    let mut state = seed;
    let mut list = vec![0.0, -0.0, 1.0, -1.0, 0.5, 1e300, -1e300, 1e-310, f64::INFINITY];
    list.extend([f64::NEG_INFINITY, f64::NAN, f64::MAX, f64::MIN_POSITIVE, 0.9999999, 3e5, 4e8]);
    for i in 0..1003 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let unit = (state >> 11) as f64 / (1_u64 << 53) as f64 * 2.0 - 1.0;
        list.push(unit * [1.0, 10.0, 100.0, 1e10, 1e-10, 1e38][i % 6]);
    }
    list.into_iter().map(T::from_f64).collect()
}

/// The bits, all NaNs alike: their payload is nobody's promise.
fn bits<T: Real>(x: T) -> u64 {
    if x.to_f64().is_nan() { u64::MAX } else { x.to_bits64() }
}

#[track_caller]
fn check_scalars_and_tiles<T: Real>() {
    let (x, y) = (arguments::<T>(1), arguments::<T>(2));
    for table in tables() {
        let mut tile = vec![T::default(); x.len()];
        for &kernel in UnaryKernel::ALL {
            T::unary(table, kernel, &mut tile, &x);
            for i in 0..x.len() {
                let one = T::unary_one(table, kernel, x[i]);
                assert_eq!(bits(one), bits(tile[i]), "{} {kernel} {:?}", table.isa(), x[i]);
            }
        }
        for &kernel in BinaryKernel::ALL {
            T::binary(table, kernel, &mut tile, &x, &y);
            for i in 0..x.len() {
                let one = T::binary_one(table, kernel, x[i], y[i]);
                assert_eq!(bits(one), bits(tile[i]), "{} {kernel} {:?}", table.isa(), (x[i], y[i]));
            }
        }
    }
}

#[test]
fn scalars_and_tiles_agree() {
    check_scalars_and_tiles::<f32>();
    check_scalars_and_tiles::<f64>();
}

#[track_caller]
fn check_any_length<T: Real>() {
    let x = arguments::<T>(3);
    for table in tables() {
        for &kernel in &[UnaryKernel::ErfInv, UnaryKernel::Sin, UnaryKernel::Tanh] {
            let mut whole = vec![T::default(); x.len()];
            T::unary(table, kernel, &mut whole, &x);
            for n in 0..200 {
                let mut part = vec![T::default(); n];
                T::unary(table, kernel, &mut part, &x[..n]);
                assert!((0..n).all(|i| bits(part[i]) == bits(whole[i])), "{kernel} length {n}");
            }
        }
    }
}

#[test]
fn results_do_not_depend_on_the_length_of_the_tile() {
    check_any_length::<f32>();
    check_any_length::<f64>();
}

#[track_caller]
fn check_instruction_sets<T: Real>() {
    let (Some(a), Some(b)) = (table_for(Isa::Avx2), table_for(Isa::Avx512)) else {
        println!("SKIP: no AVX-512 here");
        return;
    };
    let (x, y) = (arguments::<T>(4), arguments::<T>(5));
    let (mut p, mut q) = (vec![T::default(); x.len()], vec![T::default(); x.len()]);
    for &kernel in UnaryKernel::ALL {
        T::unary(a, kernel, &mut p, &x);
        T::unary(b, kernel, &mut q, &x);
        assert!((0..x.len()).all(|i| bits(p[i]) == bits(q[i])), "{kernel}");
    }
    for &kernel in BinaryKernel::ALL {
        T::binary(a, kernel, &mut p, &x, &y);
        T::binary(b, kernel, &mut q, &x, &y);
        assert!((0..x.len()).all(|i| bits(p[i]) == bits(q[i])), "{kernel}");
    }
}

#[test]
fn avx2_and_avx512_agree() {
    check_instruction_sets::<f32>();
    check_instruction_sets::<f64>();
}

/// Every power of two that there is: that of the exponent `k`, by its bits.
fn powers_of_two() -> (Vec<f32>, Vec<f64>) {
    let single = |k: i32| if k < -126 { 1 << (k + 149) } else { ((k + 127) as u32) << 23 };
    let double = |k: i32| if k < -1022 { 1 << (k + 1074) } else { ((k + 1023) as u64) << 52 };
    let single = (-149..=127).map(|k| f32::from_bits(single(k))).collect();
    (single, (-1074..=1023).map(|k| f64::from_bits(double(k))).collect())
}

#[test]
fn logarithms_to_base_two_are_exact_at_powers_of_two() {
    let (single, double) = powers_of_two();
    let (mut out32, mut out64) = (vec![0.0; single.len()], vec![0.0; double.len()]);
    for table in tables() {
        f32::unary(table, UnaryKernel::Log2, &mut out32, &single);
        f64::unary(table, UnaryKernel::Log2, &mut out64, &double);
        for (k, log) in (-149..).zip(&out32) {
            assert_eq!(log.to_bits(), (k as f32).to_bits(), "{} 2^{k}", table.isa());
        }
        for (k, log) in (-1074..).zip(&out64) {
            assert_eq!(log.to_bits(), f64::from(k).to_bits(), "{} 2^{k}", table.isa());
        }
    }
}

fn reduce(table: &KernelTable, kernel: ReduceKernel, x: &[f32]) -> f32 {
    // SAFETY: pointer and length of one slice; tables exist only where they run.
    unsafe { table.reduce_f32(kernel)(x.as_ptr(), x.len()) }
}

#[test]
fn arithmetic_is_that_of_the_machine() {
    let x: Vec<f64> = (0..333).map(|i| (i as f64 - 70.0) * 0.37).collect();
    let y: Vec<f64> = (0..333).map(|i| ((i * 29 % 83) as f64 - 41.0) * 1.7).collect();
    for table in tables() {
        for &kernel in ArithmeticKernel::ALL {
            let expected = |x: f64, y: f64| match kernel {
                ArithmeticKernel::Add => x + y,
                ArithmeticKernel::Sub => x - y,
                ArithmeticKernel::Mul => x * y,
                ArithmeticKernel::Div => x / y,
            };
            for n in [0, 1, 15, 16, 17, 64, 333] {
                let mut out = vec![0.0; n];
                // SAFETY: slices of at least `n` elements that do not overlap.
                unsafe { table.arithmetic_f64(kernel)(out.as_mut_ptr(), x.as_ptr(), y.as_ptr(), n) }
                for (i, out) in out.iter().enumerate() {
                    let same = out.to_bits() == expected(x[i], y[i]).to_bits()
                        || out.is_nan() && expected(x[i], y[i]).is_nan();
                    assert!(same, "{} {kernel} at {i} of {n}", table.isa());
                }
            }
        }
    }
}

#[test]
fn reductions_agree_and_keep_nan() {
    let x: Vec<f32> = (0..777).map(|i| ((i * 37 % 101) as f32 - 50.0) * 0.37).collect();
    for n in [0, 1, 15, 16, 17, 63, 64, 65, 500, 777] {
        let x = &x[..n];
        for &kernel in ReduceKernel::ALL {
            let expected = reduce(table_for(Isa::Portable).expect("always there"), kernel, x);
            for table in tables() {
                let got = reduce(table, kernel, x);
                assert_eq!(got.to_bits(), expected.to_bits(), "{} {kernel} {n}", table.isa());
            }
        }
        let portable = table_for(Isa::Portable).expect("always there");
        let exact: f64 = x.iter().map(|&v| f64::from(v)).sum();
        assert!((f64::from(reduce(portable, ReduceKernel::Sum, x)) - exact).abs() < 1e-2);
        let largest = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        assert_eq!(reduce(portable, ReduceKernel::Max, x), largest);
        let smallest = x.iter().copied().fold(f32::INFINITY, f32::min);
        assert_eq!(reduce(portable, ReduceKernel::Min, x), smallest);
    }
    for table in tables() {
        for at in [0, 5, 64, 99] {
            let mut x = vec![1.0; 100];
            x[at] = f32::NAN;
            for &kernel in ReduceKernel::ALL {
                assert!(reduce(table, kernel, &x).is_nan(), "{} {kernel} {at}", table.isa());
            }
        }
    }
}

/// Known answers of the Random123 distribution (`kat_vectors`, threefry2x32 with 20 rounds).
#[test]
fn threefry_known_answers() {
    let key = [[0, 0], [u32::MAX, u32::MAX], [0x1319_8a2e, 0x0370_7344]];
    let counter = [[0, 0], [u32::MAX, u32::MAX], [0x243f_6a88, 0x85a3_08d3]];
    let expected =
        [[0x6b20_0159, 0x99ba_4efe], [0x1cb9_96fc, 0xbb00_2be7], [0xc492_3a9c, 0x483d_f7a0]];
    let column = |list: [[u32; 2]; 3], at: usize| list.map(|pair| pair[at]);
    let (k0, k1) = (column(key, 0), column(key, 1));
    let (x0, x1) = (column(counter, 0), column(counter, 1));
    for table in tables() {
        let (mut a, mut b) = ([0_u32; 3], [0_u32; 3]);
        // SAFETY: six live, distinct arrays of three; tables exist only where they run.
        unsafe {
            table.threefry()(
                a.as_mut_ptr(),
                b.as_mut_ptr(),
                k0.as_ptr(),
                k1.as_ptr(),
                x0.as_ptr(),
                x1.as_ptr(),
                3,
            );
        }
        assert_eq!((a, b), (column(expected, 0), column(expected, 1)), "{}", table.isa());
        let counters: Vec<u32> = (0..100).collect();
        let (mut c, mut d) = (vec![0_u32; 100], vec![0_u32; 100]);
        let (mut e, mut f) = (vec![0_u32; 100], vec![0_u32; 100]);
        // SAFETY: live, distinct vectors of one hundred; tables exist only where they run.
        unsafe {
            let (source, n) = (counters.as_ptr(), counters.len());
            table.threefry_one_key()(c.as_mut_ptr(), d.as_mut_ptr(), 7, 9, source, source, n);
            let (k0, k1) = (vec![7_u32; n], vec![9_u32; n]);
            let kernel = table.threefry();
            kernel(e.as_mut_ptr(), f.as_mut_ptr(), k0.as_ptr(), k1.as_ptr(), source, source, n);
        }
        assert_eq!((c, d), (e, f), "{}", table.isa());
    }
}

/// C's table of special cases for pow and atan2.
#[test]
fn special_cases_of_binary_functions() {
    use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let pow = [
        (0.0, 0.0, 1.0),
        (nan, 0.0, 1.0),
        (1.0, nan, 1.0),
        (nan, 1.0, nan),
        (2.0, nan, nan),
        (-1.0, inf, 1.0),
        (-1.0, -inf, 1.0),
        (0.5, inf, 0.0),
        (0.5, -inf, inf),
        (2.0, inf, inf),
        (2.0, -inf, 0.0),
        (0.0, inf, 0.0),
        (0.0, -inf, inf),
        (inf, -inf, 0.0),
        (inf, 2.0, inf),
        (inf, -2.0, 0.0),
        (-inf, 3.0, -inf),
        (-inf, 2.0, inf),
        (-inf, -3.0, -0.0),
        (-inf, 0.5, inf),
        (-0.0, 3.0, -0.0),
        (-0.0, 2.0, 0.0),
        (-0.0, -1.0, -inf),
        (-0.0, -2.0, inf),
        (0.0, 0.5, 0.0),
        (-8.0, 0.5, nan),
        (-8.0, 3.0, -512.0),
        (-2.0, -1.0, -0.5),
        (-1.0, 1e300, 1.0),
        (0.999, 1e300, 0.0),
        (1.001, 1e300, inf),
    ];
    let atan2 = [
        (0.0, 0.0, 0.0),
        (-0.0, 0.0, -0.0),
        (0.0, -0.0, PI),
        (-0.0, -0.0, -PI),
        (0.0, -1.0, PI),
        (-0.0, 1.0, -0.0),
        (1.0, 0.0, FRAC_PI_2),
        (-1.0, -0.0, -FRAC_PI_2),
        (inf, 1.0, FRAC_PI_2),
        (1.0, inf, 0.0),
        (-1.0, inf, -0.0),
        (1.0, -inf, PI),
        (inf, inf, FRAC_PI_4),
        (inf, -inf, 3.0 * FRAC_PI_4),
        (-inf, inf, -FRAC_PI_4),
        (nan, 1.0, nan),
        (1.0, nan, nan),
    ];
    for table in tables() {
        let rows = pow.iter().map(|row| (BinaryKernel::Pow, row));
        for (kernel, &(x, y, expected)) in
            rows.chain(atan2.iter().map(|row| (BinaryKernel::Atan2, row)))
        {
            let double = f64::binary_one(table, kernel, x, y);
            assert_eq!(bits(double), bits(expected), "{kernel}({x}, {y}) = {double}");
            let single = f32::binary_one(table, kernel, x as f32, y as f32);
            assert_eq!(bits(single), bits(expected as f32), "{kernel} f32 ({x}, {y}) = {single}");
        }
    }
}
