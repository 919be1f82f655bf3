//! Every device computes what the interpreter computes: transforms nested, long loops, and random
//! programs. Tolerances are those of rounding in sums and of the elementary functions' few ulp.

mod golden;

use golden::{assert_close, devices, floats};
use probpipe::graph::{Backend, Value, verify};
use probpipe::prelude::*;
use probpipe::{Subnormals, with_subnormals};
use probpipe_testing::{Config, Tolerance, close, random_graph, random_inputs};

/// Runs `f` compiled on every device and compares with the interpreter.
#[track_caller]
fn agree(what: &str, rtol: f64, f: impl Fn(Array) -> Array, x: &Array) {
    let want = floats(&jit_on(Device::Interpreter, &f)(x.clone()));
    for device in devices() {
        let have = jit_on(device, &f)(x.clone());
        assert!(have.error().is_none(), "{what} on {device:?}: {have}");
        let scale = want.iter().fold(1.0f64, |m, v| m.max(v.abs()));
        assert_close(&format!("{what} on {device:?}"), &floats(&have), &want, rtol, rtol * scale);
    }
}

#[test]
fn derivatives_of_derivatives_mapped() {
    let f = |x: Array| x.sin() * (-&x).exp() + x.pow(3) / (x.square() + 1.0);
    let xs = linspace(-2.0, 2.0, 37);
    agree("grad", 2e-6, vmap(grad(f)), &xs);
    agree("grad of grad", 1e-5, vmap(grad(grad(f))), &xs);
    agree("sum of mapped", 1e-5, |x| vmap(grad(f))(x).sum(), &xs);
}

#[test]
fn hessians() {
    let rosenbrock = |x: Array| {
        let (a, b) = (x.slice_axis(0, 0..4), x.slice_axis(0, 1..5));
        ((&b - a.square()).square() * 100.0 + (1.0 - &a).square()).sum()
    };
    agree("hessian", 1e-5, hessian(rosenbrock), &array([0.5, -0.3, 1.2, 0.9, 1.1]));
    let covariance = array([[2.0, 0.5, 0.1], [0.5, 1.0, 0.2], [0.1, 0.2, 1.5]]);
    let log_prob = |x: Array| {
        MultivariateNormal::new([0.0, 1.0, -1.0], &covariance + x.outer(&x) * 0.1).log_prob(&x)
    };
    agree("hessian through cholesky", 2e-5, hessian(log_prob), &array([0.3, 0.7, -0.2]));
}

/// Symmetric functions of eigenvalues and singular values where these repeat: closed forms.
#[test]
fn spectra_with_repeated_values() {
    let half = [-0.25, 0.0, 0.0, 0.0, 0.0, -0.125, -0.125, 0.0];
    let rest = [0.0, -0.125, -0.125, 0.0, 0.0, 0.0, 0.0, -0.25];
    let log = [half, rest].concat();
    let squares: Vec<f64> = (0..16).map(|i| if i % 5 == 0 { 2.0 } else { 0.0 }).collect();
    for device in [Device::Interpreter, Device::Cpu] {
        for (dtype, tolerance) in [(DType::F64, 1e-14), (DType::F32, 1e-6)] {
            let a = eye(2).cast(dtype) * 2.0;
            let check = |what: &str, f: fn(Array) -> Array, want: &[f64]| {
                let have = floats(&jit_on(device, hessian(f))(a.clone()));
                assert_close(&format!("{what} on {device:?}"), &have, want, 0.0, tolerance);
            };
            check("log", |a| a.eigvalsh().log().sum(), &log);
            check("squares", |a| a.svdvals().square().sum(), &squares);
        }
    }
}

#[test]
fn gradient_of_ten_thousand_steps() {
    let f = |x: Array| fori_loop(10_000, x.clone() * 0.0, |_, c| c.sin() * 0.9 + &x * 0.1);
    agree("value", 1e-5, f, &array(0.5).cast(DType::F32));
    agree("gradient", 1e-4, grad(f), &array(0.5).cast(DType::F32));
}

#[test]
fn monte_carlo_gradients_mapped() {
    let loss = |loc: Array| Normal::new(loc, 1.0).sample(Key::new(42), [500]).square().mean();
    agree("mapped loss", 1e-5, vmap(loss), &linspace(-3.0, 3.0, 7));
    agree("mapped gradient", 1e-5, vmap(grad(loss)), &linspace(-3.0, 3.0, 7));
}

#[test]
fn loops_with_stacked_inputs_and_outputs() {
    let f = |x: Array| {
        let step = |c: Array, row: Array| {
            let next = (&c * 0.5 + &row).tanh();
            (next.clone(), (&next * &row).sum())
        };
        let (last, sums) = scan(x.at(0), x.clone(), step);
        let (first, back) = probpipe::scan_reverse(x.at(1), x.clone(), step);
        (last * first).sum() + (sums * back).sum()
    };
    let x = linspace(-1.0, 1.0, 30).reshape([10, 3]);
    agree("loops", 1e-5, f, &x);
    agree("gradient of loops", 1e-5, grad(f), &x);
    let xs = linspace(-1.0, 1.0, 120).reshape([4, 10, 3]);
    agree("mapped gradient of loops", 1e-5, vmap(grad(f)), &xs);
}

/// Random graphs on a device and on the interpreter. In f32 without ops that jump: there a
/// difference of one ulp before a jump is a difference of one after it.
fn random_programs(device: Device, seeds: std::ops::Range<u64>, float: DType) {
    let backend = device.backend();
    let reference = Device::Interpreter.backend();
    let tolerance = if float == DType::F64 { 1e-9 } else { 2e-4 };
    let caps = backend.caps();
    let kinks = float == DType::F64;
    let config = Config {
        float,
        kinks,
        serial: caps.serial,
        factors: caps.factors,
        conditions: caps.conditions,
        ..Config::default()
    };
    for seed in seeds {
        let graph = random_graph(seed, config).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        let inputs = random_inputs(seed, &graph).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        let inputs: Vec<&Value> = inputs.iter().collect();
        let run = |backend: &dyn Backend| {
            let program = backend.compile(verify(&graph).unwrap());
            program
                .and_then(|program| with_subnormals(Subnormals::Keep, || program.run(&inputs)))
                .unwrap_or_else(|e| panic!("seed {seed} on {}: {e}\n{graph}", backend.name()))
        };
        let (want, have) = (run(&*reference), run(&*backend));
        for (i, (want, have)) in want.iter().zip(&have).enumerate() {
            let what = format!("seed {seed} output {i} on {device:?}\n{graph}");
            close(
                what,
                have,
                want,
                Tolerance { relative: tolerance, ..Tolerance::largest(tolerance) },
            );
        }
    }
}

#[test]
fn random_programs_on_the_cpu() {
    random_programs(Device::Cpu, 0..300, DType::F64);
    random_programs(Device::Cpu, 300..500, DType::F32);
}

#[test]
fn random_programs_on_the_gpu() {
    if golden::gpu() {
        random_programs(Device::Gpu, 0..60, DType::F32);
    }
}
