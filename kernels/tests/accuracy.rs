//! Every kernel of every instruction set against correctly rounded reference values.

#[path = "support/mod.rs"]
mod support;

use probpipe_kernels::{Isa, UnaryKernel, table_for};
use support::{Real, cases, error_ulp, promised, worst};

#[test]
fn errors_are_within_what_is_promised() {
    let mut failures = Vec::new();
    for isa in Isa::ALL.iter().copied() {
        let Some(table) = table_for(isa) else {
            println!("SKIP {isa}: this processor does not have it");
            continue;
        };
        for case in cases() {
            let single = case.precision == "f32";
            let goal = promised(&case.function);
            let goal = if single { goal.0 } else { goal.1 };
            let (error, x, y) =
                if single { worst::<f32>(table, &case) } else { worst::<f64>(table, &case) };
            println!("{isa} {} {}: {error:.2} ulp at {x:e} {y:e}", case.function, case.precision);
            if error > goal {
                failures.push(format!(
                    "{isa} {} {}: {error} ulp at {x:e} {y:e}",
                    case.function, case.precision
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The f64 kernels are a reference for the f32 ones at far more points than the file has.
#[test]
fn single_precision_follows_double_over_all_numbers() {
    let table = probpipe_kernels::table();
    // A prime step, so that all exponents and low bits are met.
    let x: Vec<f32> = (0..u32::MAX).step_by(15_013).map(f32::from_bits).collect();
    let wide: Vec<f64> = x.iter().map(|&v| f64::from(v)).collect();
    let (mut got, mut reference) = (vec![0.0_f32; x.len()], vec![0.0_f64; x.len()]);
    let mut failures = Vec::new();
    for &kernel in UnaryKernel::ALL {
        f32::unary(table, kernel, &mut got, &x);
        f64::unary(table, kernel, &mut reference, &wide);
        let mut worst = (0.0, 0.0);
        for i in 0..x.len() {
            let rounded = reference[i] as f32;
            // Where the reference is not a normal f32, its rounding is the value.
            let rest = (reference[i] - f64::from(rounded)) / rounded.ulp();
            let rest = if rest.is_finite() { rest } else { 0.0 };
            let error = error_ulp(got[i], f64::from(rounded), rest);
            if error > worst.0 {
                worst = (error, x[i]);
            }
        }
        println!("{kernel}: {:.2} ulp at {:e}", worst.0, worst.1);
        if worst.0 > promised(kernel.name()).0 {
            failures.push(format!("{kernel}: {} ulp at {:e}", worst.0, worst.1));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
