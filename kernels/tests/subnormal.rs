//! No kernel computes with subnormal numbers on its way from a normal argument to a normal result
//! or to zero. The processor says so itself: it flags operands and results that are subnormal.
#![cfg(target_arch = "x86_64")]

#[path = "support/mod.rs"]
mod support;

use probpipe_kernels::{BinaryKernel, Isa, KernelTable, UnaryKernel, table_for};
use std::arch::asm;
use support::Real;

/// The flags of a subnormal operand and of a result that was too small.
const FLAGS: u32 = 1 << 1 | 1 << 4;

/// Whether `work` computed with subnormal numbers.
fn meets_subnormals(work: impl FnOnce()) -> bool {
    let mut word = 0_u32;
    // SAFETY: reads the control word, and writes it back without flags of the past.
    unsafe {
        asm!("stmxcsr [{}]", in(reg) &mut word);
        word &= !0x3f;
        asm!("ldmxcsr [{}]", in(reg) &word);
    }
    work();
    // SAFETY: reads the control word.
    unsafe { asm!("stmxcsr [{}]", in(reg) &mut word) };
    word & FLAGS != 0
}

/// Numbers of both signs from `low` to `high` in magnitude, evenly by their exponents.
fn magnitudes<T: Real>(low: f64, high: f64) -> Vec<T> {
    let (first, last) = (low.ln(), high.ln());
    let at = |i| (first + (last - first) * f64::from(i) / 250.0).exp();
    let sizes = (0..=250).map(at).map(move |x| x.clamp(low, high));
    sizes.flat_map(|x| [x, -x]).map(T::from_f64).collect()
}

/// Numbers from `low` to `high`, evenly.
fn range<T: Real>(low: f64, high: f64) -> Vec<T> {
    (0..=1000).map(|i| T::from_f64(low + (high - low) * f64::from(i) / 1000.0)).collect()
}

fn tables() -> impl Iterator<Item = &'static KernelTable> {
    Isa::ALL.iter().filter_map(|&isa| table_for(isa))
}

/// Which arguments a kernel is asked about: those whose results are normal or zero.
fn arguments<T: Real>(kernel: UnaryKernel, double: bool) -> Vec<T> {
    use UnaryKernel::*;
    let (least, most) = if double { (1e-307, 1e308) } else { (2e-38, 3e38) };
    // From where on e^x is normal, and from where on it is zero.
    let (normal, none) = if double { (-708.0, -745.9) } else { (-87.3, -104.7) };
    match kernel {
        Exp => {
            let far = range(4.0 * none, none);
            // The square of what is far nearer to zero is subnormal, which to ask for would cost
            // all others more.
            let near = if double { 1e-150 } else { 1e-18 };
            [far, range(normal, 100.0), magnitudes(near, 80.0)].concat()
        }
        Erfc => {
            let (normal, none) = if double { (26.5, 27.23) } else { (9.1, 10.06) };
            [range(none, 100.0), range(-10.0, normal), magnitudes(least, normal)].concat()
        }
        Log | Log2 | Lgamma | Digamma | Acosh => {
            // Of larger numbers the inverse is subnormal.
            let most = if double { 2e307 } else { 4e37 };
            magnitudes::<T>(least, most).into_iter().filter(|x| x.to_f64() > 0.0).collect()
        }
        // As for e^x.
        Sin | Cos | Tan => magnitudes(if double { 1e-70 } else { 1e-8 }, 1e4),
        Asin | Acos | Atanh => magnitudes(if double { 1e-100 } else { 1e-12 }, 1.0),
        Atan | Asinh => magnitudes(if double { 1e-100 } else { 1e-12 }, most),
        Sinh | Cosh | Tanh | Expm1 | Log1p | Erf => magnitudes(least, most),
        ErfInv => magnitudes(least, 1.0),
    }
}

/// The least and the largest fault.
fn note(faults: &mut Vec<String>, what: &str, mut list: Vec<f64>) {
    list.sort_by(f64::total_cmp);
    if let (Some(first), Some(last)) = (list.first(), list.last()) {
        faults.push(format!("{what}: {} from {first:e} to {last:e}", list.len()));
    }
}

fn check<T: Real>(double: bool) -> Vec<String> {
    let mut faults = Vec::new();
    for table in tables() {
        // What rounds products on their way twice has errors of its own to carry.
        if table.isa() == Isa::Portable {
            continue;
        }
        let mut out = vec![T::default(); 1];
        for &kernel in UnaryKernel::ALL {
            let mut list = arguments::<T>(kernel, double);
            list.retain(|&x| meets_subnormals(|| T::unary(table, kernel, &mut out, &[x])));
            let list = list.into_iter().map(T::to_f64).collect();
            note(&mut faults, &format!("{} {kernel} {}", table.isa(), T::NAME), list);
        }
        let (least, most) = if double { (1e-307, 1e308) } else { (2e-38, 3e38) };
        let none = if double { -1100.0 } else { -160.0 };
        let two = T::from_f64(2.0);
        let mut power = |x: T, y: T| {
            meets_subnormals(|| T::binary(table, BinaryKernel::Pow, &mut out, &[x], &[y]))
        };
        let list = magnitudes::<T>(least, most);
        let faulty = |f: &mut dyn FnMut(T) -> bool| -> Vec<f64> {
            list.iter().filter(|&&x| f(x)).map(|x| x.to_f64()).collect()
        };
        let what = |what: &str| format!("{} {what} {}", table.isa(), T::NAME);
        let zero = faulty(&mut |x| power(two, T::from_f64(none * (1.0 + x.to_f64().abs()))));
        note(&mut faults, &what("pow to zero"), zero);
        for y in [0.5, 1.0, -0.5, 0.0] {
            let found = faulty(&mut |x| power(x, T::from_f64(y)));
            note(&mut faults, &what(&format!("pow {y}")), found);
        }
        let small = faulty(&mut |x| x.to_f64().abs() < 100.0 && power(two, x));
        note(&mut faults, &what("pow of two"), small);
    }
    faults
}

#[test]
fn kernels_meet_no_subnormal_numbers() {
    let faults = [check::<f32>(false), check::<f64>(true)].concat();
    assert!(faults.is_empty(), "{faults:#?}");
}
