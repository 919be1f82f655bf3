//! Quotients by one number have the bits of a division, however they are had. Only processors that
//! divide slowly have them as products, and all do where tests ask for it.

mod support;

use probpipe_backend_cpu::Cpu;
use probpipe_trace::{
    Array, ArrayType, Backend, Element, Executable, Subnormals, Value, trace, verify,
    with_subnormals,
};
use std::process::Command;
use support::Random;

/// Elements of an array: whole vectors of any width, and some more.
const N: usize = 1 << 12 | 5;

fn compiled<T: Element>(f: impl Fn(&[Array]) -> Vec<Array>) -> Box<dyn Executable> {
    let types = [ArrayType::new(T::DTYPE, [N]), ArrayType::new(T::DTYPE, [])];
    let graph = trace(&types, f).expect("traces").graph;
    Cpu.compile(verify(&graph).unwrap()).expect("compiles")
}

/// Runs a program; numbers below the normal range are kept, so that there is a division to compare
/// with.
fn keeping(executable: &dyn Executable, inputs: &[&Value]) -> Vec<Value> {
    let results = with_subnormals(Subnormals::Keep, || executable.run(inputs));
    results.expect("runs").into_iter().collect()
}

macro_rules! tests {
    ($float:ident, $bits:ident, $mantissa:literal, $whole:ident, $literals:ident) => {
        mod $float {
            use super::*;

            /// A number with any bits, of moderate size, with few bits, or at an edge.
            fn number(random: &mut Random) -> $float {
                let bits = random.bits() as $bits;
                let mantissa = (1 << $mantissa) - 1;
                let one = (1.0 as $float).to_bits();
                let sign = 1 << ($bits::BITS - 1);
                let edges = [
                    0.0,
                    -0.0,
                    $float::INFINITY,
                    $float::MAX,
                    $float::MIN_POSITIVE,
                    $float::from_bits(1),
                    $float::from_bits(mantissa),
                    $float::NEG_INFINITY,
                    1.0,
                    3.0,
                    $float::EPSILON,
                    10.0,
                ];
                let x = match random.below(8) {
                    // All exponents.
                    0 | 1 => $float::from_bits(bits),
                    // Near one, of either sign.
                    2 | 3 => $float::from_bits(bits & (mantissa | sign) | one),
                    // All ones but for the last few bits.
                    4 => $float::from_bits(one | mantissa ^ (bits & 15)),
                    // Few bits.
                    5 => $float::from_bits(one | bits & (mantissa - (mantissa >> 4)) | bits & sign),
                    6 => (bits % 1000) as $float,
                    _ => edges[random.below(edges.len())],
                };
                // Which bits a NaN has is not defined.
                if x.is_nan() { $float::NAN } else { x }
            }

            /// Numerators for a divisor: as they come, and such that the quotient is a number,
            /// lies halfway between two or next to that, or is at the lower end of the range.
            fn numerators(random: &mut Random, b: $float) -> Vec<$float> {
                let near = |random: &mut Random| {
                    let q = number(random);
                    // The double of an odd number with one bit more than there is room for.
                    let half = q * b + q * b * ($float::EPSILON / 2.0);
                    let off = random.below(5) as $bits;
                    $float::from_bits(half.to_bits().wrapping_add(off).wrapping_sub(2))
                };
                let tiny = |random: &mut Random| {
                    let exponent = random.below(2 * $mantissa + 8) as $bits;
                    let bits = random.bits() as $bits;
                    let mantissa = (1 << $mantissa) - 1;
                    $float::from_bits(bits & mantissa | exponent << $mantissa)
                };
                let x: Vec<$float> = (0..N)
                    .map(|_| match random.below(4) {
                        0 | 1 => near(random),
                        2 => number(random),
                        _ => tiny(random),
                    })
                    .collect();
                x.into_iter().map(|x| if x.is_nan() { $float::NAN } else { x }).collect()
            }

            #[track_caller]
            fn same(got: &Value, x: &[$float], b: $float, want: impl Fn($float) -> $float) {
                let host = got.to_host().expect("on the host");
                for (&x, got) in x.iter().zip(host.elements::<$float>()) {
                    let want = want(x);
                    let same = got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan();
                    assert!(same, "{x:e} / {b:e} is {want:e}, not {got:e}");
                }
            }

            /// By numbers that are arguments, each divided again, at `runs` of them.
            pub(super) fn whole(seed: u64, runs: usize) {
                let f = |x: &[Array]| {
                    let (x, b) = (&x[0], x[1].broadcast_to([N]));
                    let q = x / &b;
                    vec![&q / &b, q]
                };
                let executable = compiled::<$float>(f);
                let mut random = Random::new(seed);
                for _ in 0..runs {
                    let b = number(&mut random);
                    let x = numerators(&mut random, b);
                    let inputs = [
                        Value::from_elements(&x, &[N]).expect("fits"),
                        Value::from_elements(&[b], &[]).expect("fits"),
                    ];
                    let out = keeping(&*executable, &inputs.each_ref());
                    same(&out[1], &x, b, |x| x / b);
                    same(&out[0], &x, b, |x| x / b / b);
                }
            }

            /// By numbers that the program knows.
            pub(super) fn literals(seed: u64, runs: usize) {
                let mut random = Random::new(seed);
                let known = [3.0, -7.0, 4.0, 0.1, 255.0, 1e-30, 0.0, $float::MAX];
                for k in 0..runs {
                    let b = known.get(k).copied().unwrap_or_else(|| number(&mut random));
                    if b.is_nan() {
                        continue;
                    }
                    let executable = compiled::<$float>(|x| vec![&x[0] / b]);
                    let x = numerators(&mut random, b);
                    let x_value = Value::from_elements(&x, &[N]).expect("fits");
                    let one = Value::from_elements(&[1.0 as $float], &[]).expect("fits");
                    let out = keeping(&*executable, &[&x_value, &one]);
                    same(&out[0], &x, b, |x| x / b);
                }
            }
        }

        #[test]
        fn $whole() {
            $float::whole(21, 500);
        }

        #[test]
        fn $literals() {
            $float::literals(22, 40);
        }
    };
}

tests!(f32, u32, 23, arguments_in_single, literals_in_single);
tests!(f64, u64, 52, arguments_in_double, literals_in_double);

/// The tests above once more, with products.
#[test]
fn products() {
    let (name, small) = ("PROBPIPE_TUNE", "small");
    if std::env::var(name).as_deref() != Ok(small) {
        let tests = std::env::current_exe().expect("has a name");
        let output = Command::new(tests).env(name, small).output().expect("starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

/// Reductions whose value does not depend on their order.
#[test]
fn reduced() {
    let f = |x: &[Array]| {
        let (x, b) = (&x[0], x[1].broadcast_to([N]));
        let off = (x + 1.0) / &b / &b;
        vec![(x / &b).sum(), off.max(), off.min()]
    };
    let executable = compiled::<f64>(f);
    let x: Vec<f64> = (0..N).map(|i| 7.0 * (i * 31 % N) as f64).collect();
    let inputs = [
        Value::from_elements(&x, &[N]).expect("fits"),
        Value::from_elements(&[7.0], &[]).expect("fits"),
    ];
    let out = keeping(&*executable, &inputs.each_ref());
    let last = 7.0 * (N - 1) as f64 + 1.0;
    let want = [(N * (N - 1) / 2) as f64, last / 7.0 / 7.0, 1.0 / 7.0 / 7.0];
    for (got, want) in out.iter().zip(want) {
        let host = got.to_host().expect("on the host");
        assert_eq!(host.elements::<f64>(), [want]);
    }
}
