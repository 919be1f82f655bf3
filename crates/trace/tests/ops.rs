//! Every row of the elementwise op table, on every element type it takes: the result against
//! formulas that share no code with the interpreter, and the table itself.

mod common;

use common::{floats, one_op, round_trip, run, ulps, value, vector};
use probpipe_trace::op::{Accepts, Oracle, Spec};
use probpipe_trace::{
    ArrayType, BinaryOp, CompareOp, DType, LinalgOp, Op, ReduceOp, Scalar, SpecialOp, UnaryOp,
    Value,
};

fn specs() -> Vec<&'static Spec> {
    let unary = UnaryOp::ALL.iter().map(|op| op.spec());
    let binary = BinaryOp::ALL.iter().map(|op| op.spec());
    unary.chain(binary).chain(CompareOp::ALL.iter().map(|op| op.spec())).collect()
}

/// Points in the domain of an operand, and whole numbers and zero where they lie in it.
fn points(domain: (f64, f64), dtype: DType, offset: usize) -> Vec<f64> {
    let (low, high) = domain;
    let n = 97;
    let even = (0..n).map(|i| {
        // Steps through the points in another order for each operand.
        let i = (i * (7 + 24 * offset)) % n;
        low + (high - low) * i as f64 / (n - 1) as f64
    });
    let special = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-10, -1e-3];
    let mut list: Vec<f64> = even.collect();
    list.extend(
        special.iter().cycle().skip(offset * 3).take(22).filter(|&&x| low <= x && x <= high),
    );
    if dtype == DType::F32 {
        list.iter_mut().for_each(|x| *x = f64::from(*x as f32));
    }
    list
}

/// `erf` by its series of positive terms: `2/sqrt(pi) e^(-x^2) sum 2^n x^(2n+1) / (2n+1)!!`.
fn erf_series(x: f64) -> f64 {
    let mut term = x;
    let mut sum = x;
    for n in 1..200 {
        term *= 2.0 * x * x / f64::from(2 * n + 1);
        sum += term;
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

/// `erfc` for `x > 1` by its continued fraction.
fn erfc_fraction(x: f64) -> f64 {
    let tail = (1..400).rev().fold(x, |t, k| x + f64::from(k) / 2.0 / t);
    (-x * x).exp() / (std::f64::consts::PI.sqrt() * tail)
}

/// `log gamma` by Stirling's series of a shifted argument, less the sum of the logarithms that the
/// shift divides by, exact where it vanishes.
fn lgamma(x: f64) -> f64 {
    if x == 1.0 || x == 2.0 {
        return 0.0;
    }
    let shift: f64 = (0..30).map(|k| (x + f64::from(k)).ln()).sum();
    let y = x + 30.0;
    let series = 1.0 / (12.0 * y) - 1.0 / (360.0 * y.powi(3)) + 1.0 / (1260.0 * y.powi(5));
    (y - 0.5) * y.ln() - y + (2.0 * std::f64::consts::PI).ln() / 2.0 + series - shift
}

/// `digamma` by its asymptotic series, of a shifted argument.
fn digamma(x: f64) -> f64 {
    let shift: f64 = (0..30).map(|k| 1.0 / (x + f64::from(k))).sum();
    let y = x + 30.0;
    let series = 1.0 / (12.0 * y * y) - 1.0 / (120.0 * y.powi(4)) + 1.0 / (252.0 * y.powi(6));
    y.ln() - 0.5 / y - series - shift
}

/// The formula for an op whose row leaves it to the tests.
fn reference(op: UnaryOp, x: f64) -> f64 {
    match op.spec().name {
        "sign" => f64::from(u8::from(x > 0.0)) - f64::from(u8::from(x < 0.0)),
        "round" => {
            let low = x.floor();
            let up = x - low > 0.5 || x - low == 0.5 && low % 2.0 != 0.0;
            low + f64::from(u8::from(up))
        }
        "is_finite" => f64::from(u8::from(x.abs() < f64::INFINITY)),
        "asinh" => {
            let a = x.abs();
            (a + a * a / (1.0 + (1.0 + a * a).sqrt())).ln_1p().copysign(x)
        }
        "acosh" => ((x - 1.0) + ((x - 1.0) * (x + 1.0)).sqrt()).ln_1p(),
        "atanh" => (x.ln_1p() - (-x).ln_1p()) / 2.0,
        "erf" => erf_series(x),
        "erfc" if x > 1.0 => erfc_fraction(x),
        "erfc" => 1.0 - erf_series(x),
        // Its own inverse is the check, made in the caller.
        "erf_inv" => x,
        "lgamma" => lgamma(x),
        "digamma" => digamma(x),
        name => panic!("the row of `{name}` says that a formula stands here"),
    }
}

/// What an op shall give, and the ulp that this may itself be wrong by.
fn oracle(op: UnaryOp, x: f64) -> (f64, f64) {
    match op.spec().oracle {
        Oracle::Unary(function, slack) => (function(x), slack),
        Oracle::Reference(slack) => (reference(op, x), slack),
        Oracle::Binary(..) => panic!("{op:?} has one operand"),
    }
}

fn reals(data: &[f64], dtype: DType) -> Value {
    vector(&data.iter().map(|&x| Scalar::Float(x)).collect::<Vec<_>>(), dtype)
}

#[test]
fn functions_are_nan_where_they_have_no_value() {
    let below_one = [-1.0, -0.5, 0.0, 0.999, -1.5, -2.0, -23761.5, -1e9, -1e30, f64::NEG_INFINITY];
    let beyond_one = [1.001, -1.001, 2.0, -3.0, 1e9, -1e30, f64::INFINITY, f64::NEG_INFINITY];
    let negative = [-5e-324, -0.5, -1.0, -23761.5, -1e30, f64::NEG_INFINITY];
    let below_minus_one = [-1.001, -2.0, -23761.5, -1e30, f64::NEG_INFINITY];
    let infinite = [f64::INFINITY, f64::NEG_INFINITY];
    for (op, xs) in [
        (UnaryOp::Acosh, &below_one[..]),
        (UnaryOp::Asin, &beyond_one),
        (UnaryOp::Acos, &beyond_one),
        (UnaryOp::Atanh, &beyond_one),
        (UnaryOp::ErfInv, &beyond_one),
        (UnaryOp::Log, &negative),
        (UnaryOp::Log2, &negative),
        (UnaryOp::Sqrt, &negative),
        (UnaryOp::Log1p, &below_minus_one),
        (UnaryOp::Sin, &infinite),
        (UnaryOp::Cos, &infinite),
        (UnaryOp::Tan, &infinite),
    ] {
        let out = floats(&run(&Op::Unary(op), &[reals(xs, DType::F64)])[0]);
        for (x, y) in xs.iter().zip(out) {
            assert!(y.is_nan(), "{op:?}({x:e}) is {y:e}");
        }
    }
}

#[test]
fn unary_on_floats() {
    for &op in UnaryOp::ALL {
        for dtype in [DType::F32, DType::F64] {
            if !op.spec().accepts.contains(dtype) {
                continue;
            }
            let xs = points(op.spec().domain[0], dtype, 0);
            let out = floats(&run(&Op::Unary(op), &[reals(&xs, dtype)])[0]);
            for (&x, &y) in xs.iter().zip(&out) {
                let (want, slack) = oracle(op, x);
                let have = if op == UnaryOp::ErfInv { erf_series(y) } else { y };
                // In `f32` the formulas are exact enough: what is left is the rounding to `f32`,
                // which `erf_inv` makes before the check. Where nothing is rounded, nothing is
                // left.
                let limit = match (op, dtype) {
                    _ if op.spec().ulp == 0.0 => 0.0,
                    (UnaryOp::ErfInv, DType::F32) => 2.0,
                    (_, DType::F32) => 0.5001,
                    _ => slack,
                };
                let error = match (op, dtype) {
                    (UnaryOp::Lgamma | UnaryOp::Digamma, DType::F64) => {
                        (have - want).abs() / (f64::EPSILON * want.abs().max(1.0))
                    }
                    _ => ulps(have, want, dtype),
                };
                assert!(error <= limit, "{op:?}({x}) is {y} in {dtype}: {error} ulp from {want}");
            }
        }
    }
}

#[test]
fn binary_on_floats() {
    for &op in BinaryOp::ALL {
        for dtype in [DType::F32, DType::F64] {
            let spec = op.spec();
            if !spec.accepts.contains(dtype) {
                continue;
            }
            let (xs, ys) = (points(spec.domain[0], dtype, 0), points(spec.domain[1], dtype, 1));
            let n = xs.len().min(ys.len());
            let (xs, ys) = (&xs[..n], &ys[..n]);
            let out = floats(&run(&Op::Binary(op), &[reals(xs, dtype), reals(ys, dtype)])[0]);
            for ((&x, &y), &z) in xs.iter().zip(ys).zip(&out) {
                let (want, slack) = match spec.oracle {
                    Oracle::Binary(function, slack) => (function(x, y), slack),
                    oracle => panic!("{op:?} of floats has the oracle {oracle:?}"),
                };
                let limit = if dtype == DType::F32 { 0.5001 } else { slack };
                let error = ulps(z, want, dtype);
                assert!(error <= limit, "{op:?}({x}, {y}) is {z} in {dtype}, not {want}");
            }
        }
    }
}

/// The interpreter's logarithm to base 2 is the exponent at every power of two, in both types.
#[test]
fn logarithms_to_base_two_are_exact_at_powers_of_two() {
    let double = |k: i32| if k < -1022 { 1 << (k + 1074) } else { ((k + 1023) as u64) << 52 };
    for (dtype, least, most) in [(DType::F32, -149, 127), (DType::F64, -1074, 1023)] {
        let powers: Vec<f64> = (least..=most).map(|k| f64::from_bits(double(k))).collect();
        let logs = floats(&run(&Op::Unary(UnaryOp::Log2), &[reals(&powers, dtype)])[0]);
        assert!(logs.iter().copied().eq((least..=most).map(f64::from)), "{dtype}");
    }
}

const INTEGERS: [DType; 5] = [DType::I32, DType::I64, DType::U8, DType::U32, DType::U64];

/// The integer of `dtype` that is equal to `v` modulo its range.
fn wrap(v: i128, dtype: DType) -> i128 {
    match dtype {
        DType::I32 => (v as i32).into(),
        DType::I64 => (v as i64).into(),
        DType::U8 => (v as u8).into(),
        DType::U32 => (v as u32).into(),
        DType::U64 => (v as u64).into(),
        DType::F32 | DType::F64 | DType::Bool => unreachable!("an integer type"),
    }
}

fn integers(dtype: DType) -> Vec<i128> {
    let bits = dtype.size() * 8;
    let mut list: Vec<i128> = (-4..=9).collect();
    list.extend([bits as i128 - 1, bits as i128, bits as i128 + 1, 100, -100]);
    list.extend([1 << (bits - 1), (1 << (bits - 1)) - 1, (1 << bits) - 1, 0x1234_5678_9abc_def1]);
    list.into_iter().map(|v| wrap(v, dtype)).collect()
}

fn whole(data: &[i128], dtype: DType) -> Value {
    vector(&data.iter().map(|&v| Scalar::Int(v)).collect::<Vec<_>>(), dtype)
}

fn as_integers(v: &Value) -> Vec<i128> {
    v.to_scalars().unwrap().into_iter().map(Scalar::as_i128).collect()
}

#[test]
fn unary_on_integers() {
    for &op in UnaryOp::ALL {
        for dtype in INTEGERS.into_iter().filter(|&d| op.spec().accepts.contains(d)) {
            let xs = integers(dtype);
            let out = as_integers(&run(&Op::Unary(op), &[whole(&xs, dtype)])[0]);
            let want: Vec<i128> = xs
                .iter()
                .map(|&x| match op {
                    UnaryOp::Neg => wrap(-x, dtype),
                    UnaryOp::Abs => wrap(x.abs(), dtype),
                    UnaryOp::Sign => x.signum(),
                    UnaryOp::Not => wrap(-x - 1, dtype),
                    _ => panic!("{op:?} takes {dtype} and has no check here"),
                })
                .collect();
            assert_eq!(out, want, "{op:?} of {xs:?} in {dtype}");
        }
    }
}

#[test]
fn binary_on_integers() {
    for &op in BinaryOp::ALL {
        for dtype in INTEGERS.into_iter().filter(|&d| op.spec().accepts.contains(d)) {
            let numbers = integers(dtype);
            let pairs: Vec<(i128, i128)> =
                numbers.iter().flat_map(|&x| numbers.iter().map(move |&y| (x, y))).collect();
            let side = |f: fn(&(i128, i128)) -> i128| {
                whole(&pairs.iter().map(f).collect::<Vec<_>>(), dtype)
            };
            let out = as_integers(&run(&Op::Binary(op), &[side(|p| p.0), side(|p| p.1)])[0]);
            let width = dtype.size() as i128 * 8;
            for (&(x, y), &z) in pairs.iter().zip(&out) {
                let inside = (0..width).contains(&y);
                let want = match op {
                    BinaryOp::Add => x + y,
                    BinaryOp::Sub => x - y,
                    BinaryOp::Mul => x.wrapping_mul(y),
                    BinaryOp::Div if y == 0 => -1,
                    BinaryOp::Div => x / y,
                    BinaryOp::Rem if y == 0 => x,
                    BinaryOp::Rem => x % y,
                    BinaryOp::Max => {
                        if x > y {
                            x
                        } else {
                            y
                        }
                    }
                    BinaryOp::Min => {
                        if x < y {
                            x
                        } else {
                            y
                        }
                    }
                    BinaryOp::And => x & y,
                    BinaryOp::Or => x | y,
                    BinaryOp::Xor => x ^ y,
                    BinaryOp::Shl => {
                        if inside {
                            x << y
                        } else {
                            0
                        }
                    }
                    BinaryOp::Shr => x >> if inside { y } else { 127 },
                    BinaryOp::Pow | BinaryOp::Atan2 => panic!("{op:?} takes {dtype}"),
                };
                assert_eq!(z, wrap(want, dtype), "{op:?}({x}, {y}) in {dtype}");
            }
        }
    }
}

#[test]
fn bits_of_bool() {
    let x = value(&[false, false, true, true], &[4]);
    let y = value(&[false, true, false, true], &[4]);
    let check = |op: Op, inputs: &[Value], want: [bool; 4]| {
        assert_eq!(run(&op, inputs)[0].to_vec::<bool>().unwrap(), want, "{op:?}");
    };
    check(Op::Unary(UnaryOp::Not), std::slice::from_ref(&x), [true, true, false, false]);
    let both = [x, y];
    check(Op::Binary(BinaryOp::And), &both, [false, false, false, true]);
    check(Op::Binary(BinaryOp::Or), &both, [false, true, true, true]);
    check(Op::Binary(BinaryOp::Xor), &both, [false, true, true, false]);
    check(Op::Compare(CompareOp::Eq), &both, [true, false, false, true]);
    check(Op::Compare(CompareOp::Ne), &both, [false, true, true, false]);
    let c = value(&[true, false, false, true], &[4]);
    check(Op::Select, &[c, both[0].clone(), both[1].clone()], [false, true, false, true]);
}

#[test]
fn comparisons() {
    let numbers = [0.0, 1.0, 2.0, 3.0, 200.0];
    for &op in CompareOp::ALL {
        for dtype in DType::ALL.into_iter().filter(|&d| d.is_number()) {
            assert!(op.spec().accepts.contains(dtype));
            let mut xs: Vec<f64> = numbers.iter().flat_map(|&x| [x; 5]).collect();
            let mut ys = numbers.repeat(5);
            if dtype.is_signed() {
                xs.extend([-1.0, -1.0, 1.0]);
                ys.extend([-2.0, 1.0, -1.0]);
            }
            if dtype.is_float() {
                xs.extend([f64::NAN, f64::NAN, 1.0, 0.0, f64::INFINITY]);
                ys.extend([f64::NAN, 1.0, f64::NAN, -0.0, f64::INFINITY]);
            }
            let [x, y] = [&xs, &ys].map(|data| run(&Op::Cast(dtype), &[reals(data, DType::F64)]));
            let out = run(&Op::Compare(op), &[x[0].clone(), y[0].clone()]);
            let want: Vec<bool> = xs
                .iter()
                .zip(&ys)
                .map(|(x, y)| match op {
                    CompareOp::Eq => x == y,
                    CompareOp::Ne => x != y,
                    CompareOp::Lt => x < y,
                    CompareOp::Le => x <= y,
                    CompareOp::Gt => x > y,
                    CompareOp::Ge => x >= y,
                })
                .collect();
            assert_eq!(out[0].to_vec::<bool>().unwrap(), want, "{op:?} in {dtype}");
        }
    }
}

/// Points where conventions differ between systems; these are the documented ones.
#[test]
fn special_points_of_floats() {
    let unary = |op, x: f64| floats(&run(&Op::Unary(op), &[value(&[x], &[])])[0])[0];
    let binary = |op, x: f64, y: f64| {
        floats(&run(&Op::Binary(op), &[value(&[x], &[]), value(&[y], &[])])[0])[0]
    };
    let same = |have: f64, want: f64| {
        assert!(
            have.to_bits() == want.to_bits() || have.is_nan() && want.is_nan(),
            "{have} {want}"
        );
    };
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    same(unary(UnaryOp::Sign, -0.0), -0.0);
    same(unary(UnaryOp::Sign, nan), nan);
    same(unary(UnaryOp::Sign, -inf), -1.0);
    same(unary(UnaryOp::Neg, 0.0), -0.0);
    same(unary(UnaryOp::Abs, -0.0), 0.0);
    same(unary(UnaryOp::Round, -0.5), -0.0);
    same(unary(UnaryOp::Round, 3.5), 4.0);
    same(unary(UnaryOp::Sqrt, -1.0), nan);
    same(unary(UnaryOp::Log, 0.0), -inf);
    same(unary(UnaryOp::Log, -1.0), nan);
    same(unary(UnaryOp::ErfInv, 1.0), inf);
    same(unary(UnaryOp::ErfInv, -1.0), -inf);
    same(unary(UnaryOp::ErfInv, 1.5), nan);
    same(unary(UnaryOp::IsFinite, nan), 0.0);
    same(unary(UnaryOp::IsFinite, -inf), 0.0);
    same(unary(UnaryOp::IsFinite, f64::MAX), 1.0);
    for op in [BinaryOp::Max, BinaryOp::Min] {
        same(binary(op, nan, 1.0), nan);
        same(binary(op, 1.0, nan), nan);
        same(binary(op, inf, inf), inf);
        same(binary(op, -inf, nan), nan);
    }
    same(binary(BinaryOp::Max, -0.0, 0.0), 0.0);
    same(binary(BinaryOp::Min, 0.0, -0.0), -0.0);
    same(binary(BinaryOp::Max, 1e308, 1e308), 1e308);
    same(binary(BinaryOp::Rem, -5.0, 3.0), -2.0);
    same(binary(BinaryOp::Rem, 5.0, 0.0), nan);
    same(binary(BinaryOp::Div, 1.0, -0.0), -inf);
    same(binary(BinaryOp::Pow, 0.0, 0.0), 1.0);
    same(binary(BinaryOp::Pow, -8.0, 3.0), -512.0);
}

#[test]
fn erf_inv_near_one() {
    for (x, want) in common::erf_inv::ERF_INV {
        let y = floats(&run(&Op::Unary(UnaryOp::ErfInv), &[value(&[x], &[])])[0])[0];
        let error = ulps(y, want, DType::F64);
        assert!(error <= 2.0, "erf_inv({x:e}) is {y}, {error} ulp from {want}");
    }
}

#[test]
fn casts() {
    let cast = |x: Value, to| run(&Op::Cast(to), &[x]).remove(0);
    let wild = value(&[1.9, -1.9, 300.5, -0.0, f64::NAN, f64::INFINITY, -1e30, 3e9], &[8]);
    let ints = |dtype| as_integers(&cast(wild.clone(), dtype));
    let (min, max) = (i128::from(i32::MIN), i128::from(i32::MAX));
    assert_eq!(ints(DType::I32), [1, -1, 300, 0, 0, max, min, max]);
    assert_eq!(ints(DType::U8), [1, 0, 255, 0, 0, 255, 0, 255]);
    assert_eq!(ints(DType::U32), [1, 0, 300, 0, 0, (1 << 32) - 1, 0, 3_000_000_000]);
    assert_eq!(
        cast(wild, DType::Bool).to_vec::<bool>().unwrap(),
        [true, true, true, false, true, true, true, true]
    );
    let wrapped = cast(value(&[-1i64, 256, 1 << 40, i64::MIN], &[4]), DType::U8);
    assert_eq!(wrapped.to_vec::<u8>().unwrap(), [255, 0, 0, 0]);
    assert_eq!(as_integers(&cast(value(&[-1i32], &[1]), DType::U64)), [(1 << 64) - 1]);
    // One rounding, also where a detour over f64 would make two.
    let big = (1i64 << 60) + (1 << 36) + 1;
    assert_eq!(floats(&cast(value(&[big], &[]), DType::F32)), [f64::from(big as f32)]);
    for from in DType::ALL {
        for to in DType::ALL {
            let x = cast(value(&[0.0, 1.0, 1.0], &[3]), from);
            assert_eq!(floats(&cast(x, to)), [0.0, 1.0, 1.0], "{from} to {to}");
        }
    }
}

#[test]
fn bitcasts() {
    let bits = run(&Op::Bitcast(DType::U32), &[value(&[1.0f32, -0.0], &[2])]).remove(0);
    assert_eq!(bits.to_vec::<u32>().unwrap(), [0x3f80_0000, 0x8000_0000]);
    let back = run(&Op::Bitcast(DType::F32), &[bits]).remove(0);
    assert_eq!(back.to_vec::<f32>().unwrap(), [1.0, -0.0]);
}

#[test]
fn the_table_is_in_order() {
    let mut names: Vec<&str> = specs().iter().map(|s| s.name).collect();
    names.extend(ReduceOp::ALL.iter().map(|op| op.name()));
    let scalar = ArrayType::new(DType::F32, [1]);
    let other = [
        Op::Select,
        Op::Cast(DType::F32),
        Op::Bitcast(DType::F32),
        Op::Threefry2x32,
        Op::Reshape { shape: Default::default() },
        Op::Iota { ty: scalar, axis: 0 },
        Op::Concat { axis: 0 },
        Op::Linalg(LinalgOp::Cholesky),
    ];
    names.extend(other.iter().map(Op::name));
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), names.len(), "names repeat in {names:?}");
    for spec in specs() {
        let name = spec.name;
        assert!(spec.doc.ends_with('.'), "the doc of {name} ends with a full stop");
        assert!(spec.domain[0].0 < spec.domain[0].1, "the domain of {name}");
        assert!(DType::ALL.iter().any(|&d| spec.accepts.contains(d)));
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
        assert!(spec.ulp >= 0.0 && spec.ulp.is_finite());
        assert!(!spec.differentiable || spec.accepts.contains(DType::F32), "{name}");
    }
    for op in BinaryOp::ALL {
        assert!(op.spec().domain[1].0 < op.spec().domain[1].1, "{op:?} has two operands");
    }
    assert!(UnaryOp::ALL.iter().all(|&op| UnaryOp::by_name(op.spec().name) == Some(op)));
}

/// Types that a row does not list are refused, with its name and a remedy in the message.
#[test]
fn other_types_are_refused() {
    let all = [Accepts::Floats, Accepts::Signed, Accepts::Numbers, Accepts::Integers];
    assert!(all.iter().all(|a| !a.contains(DType::Bool)));
    for dtype in DType::ALL {
        let ty = ArrayType::new(dtype, [2]);
        for &op in UnaryOp::ALL {
            let known = probpipe_trace::op::infer(&Op::Unary(op), &[&ty]);
            assert_eq!(known.is_ok(), op.spec().accepts.contains(dtype), "{op:?} of {dtype}");
            if known.is_ok() {
                round_trip(&one_op(&Op::Unary(op), &[&ty]));
            }
        }
        for &op in BinaryOp::ALL {
            let known = probpipe_trace::op::infer(&Op::Binary(op), &[&ty, &ty]);
            assert_eq!(known.is_ok(), op.spec().accepts.contains(dtype), "{op:?} of {dtype}");
        }
    }
}

/// A special function gives what its crate gives, has the types of its rule, and reads back from
/// text with its orders. `run` checks the latter two.
#[test]
fn special_functions() {
    for &op in SpecialOp::ALL {
        assert_eq!(SpecialOp::by_name(op.name(), &orders(op)), Some(op));
        for dtype in [DType::F32, DType::F64] {
            let columns: Vec<Vec<f64>> =
                (0..op.arity()).map(|i| points(op.domain()[i], dtype, i)).collect();
            let n = columns.iter().map(Vec::len).min().unwrap_or(0);
            let inputs: Vec<Value> = columns.iter().map(|x| reals(&x[..n], dtype)).collect();
            let out = floats(&run(&Op::Special(op), &inputs)[0]);
            for (j, &y) in out.iter().enumerate() {
                let mut x = [0.0; 3];
                columns.iter().enumerate().for_each(|(i, column)| x[i] = column[j]);
                let want = op.value(x);
                let want = if dtype == DType::F32 { f64::from(want as f32) } else { want };
                assert!(y == want || y.is_nan() && want.is_nan(), "{op:?} at {x:?}");
            }
        }
        let whole = ArrayType::new(DType::I32, [2]);
        let fault = probpipe_trace::op::infer(&Op::Special(op), &vec![&whole; op.arity()]);
        assert!(fault.is_err(), "{op:?} took integers");
    }
    for op in [SpecialOp::Betainc { orders: [1, 2] }, SpecialOp::Erfcx { order: 7 }] {
        round_trip(&one_op(&Op::Special(op), &vec![&ArrayType::scalar(DType::F64); op.arity()]));
    }
    assert_eq!(SpecialOp::by_name("gammainc", &[]), None);
    assert_eq!(SpecialOp::by_name("betainc", &[1, 300]), None);
}

fn orders(op: SpecialOp) -> Vec<usize> {
    op.orders().unwrap_or_default().into_iter().map(usize::from).collect()
}
