//! What every distribution does as a tree: it is an argument and a result of compiled functions,
//! the carry of a loop, a lane of `vmap`, and lies in containers; in both float types.
#![allow(dead_code)]

use probpipe::prelude::*;
use probpipe_testing::{Numbers, Tolerance, close};

fn narrow<T: Tree>(tree: T) -> T {
    let of = |x: &Array| if x.dtype() == DType::F64 { x.cast(DType::F32) } else { x.clone() };
    tree.map(of)
}

/// Compares log-densities of `d`, whose parameters are arrays of `f64`, on all these ways with the
/// one outside of all, and in `f32` to `rtol`.
#[track_caller]
pub fn travels<D>(what: &str, d: &D, x: &D::Value, rtol: f64)
where
    D: LogProb + Tree + Clone,
    D::Value: Clone,
{
    let want = d.log_prob(x).numbers();
    let same = |how: &str, have: Array, tolerance: f64| {
        close(
            &format!("{what}: {how}"),
            &have.numbers(),
            &want,
            Tolerance::within(tolerance, tolerance),
        );
    };
    for device in [Device::Interpreter, Device::Cpu] {
        let inside = |(all, x): (Vec<D>, D::Value)| all[0].log_prob(&x);
        let how = |way: &str| format!("{way} on {device:?}");
        same(&how("argument"), jit_on(device, inside)((vec![d.clone()], x.clone())), 1e-12);
        let carried = |(d, x): (D, D::Value)| {
            let (last, each) = scan_n(2, d, |d: D| {
                let density = d.log_prob(&x);
                (d, density)
            });
            (last, each)
        };
        let (last, each) = jit_on(device, carried)((d.clone(), x.clone()));
        same(&how("carry"), each.at(1), 1e-12);
        same(&how("result"), last.log_prob(x), 1e-12);
        let small = (vec![narrow(d.clone())], narrow(x.clone()));
        same(&how("f32"), jit_on(device, inside)(small), rtol);
    }
    let twice = d.clone().map(|leaf| stack([leaf, leaf], 0));
    let lanes: D = vmap(|d: D| d)(twice);
    same("lane", vmap(|d: D| d.log_prob(x))(lanes).at(1), 1e-12);
}

/// Slopes in all floats of the distribution and of the points, which must be finite.
#[track_caller]
pub fn slopes<D>(what: &str, d: &D, x: &Array)
where
    D: LogProb<Value = Array> + Tree + Clone,
{
    let loss = |(d, x): (D, Array)| {
        let density = d.log_prob(&x);
        let some = density.gt(f64::NEG_INFINITY);
        select(&some, density, 0.0).sum()
    };
    for slope in grad(loss)((d.clone(), x.clone())).leaves() {
        let numbers = slope.numbers();
        assert!(numbers.iter().all(|x| x.is_finite()), "{what}: {slope}");
    }
}

pub fn f64s<const N: usize>(data: [f64; N]) -> Array {
    Array::from_slice(&data, [N])
}

pub fn one(x: f64) -> Array {
    f64s([x]).squeeze(0)
}

/// Draws of numbers against a distribution function, by the largest distance between the shares of
/// draws and it (Kolmogorov and Smirnov); of a right sampler it is larger once in ten thousand.
#[track_caller]
pub fn draws_follow<D>(what: &str, d: &D)
where
    D: Sample<Value = Array> + Cdf,
{
    let n = 20_000;
    let draws = d.sample(Key::new(11), [n]).sort(0);
    let share = d.cdf(&draws).numbers();
    let off = share.iter().enumerate().map(|(k, p)| {
        let (low, high) = (k as f64 / n as f64, (k + 1) as f64 / n as f64);
        (p - low).abs().max((p - high).abs())
    });
    let off = off.fold(0.0, f64::max);
    assert!(off < 2.3 / (n as f64).sqrt(), "{what}: {off}");
}

#[track_caller]
pub fn said(array: Array) -> String {
    array.value().unwrap_err().message().to_string()
}
