//! Profiles: their regions, runs, bytes and lines. Never the times.

use probpipe_backend_cpu::Cpu;
use probpipe_testing::{Tolerance, close};
use probpipe_trace::{
    Array, ErrorKind, Profile, Region, RegionKind, array, cond, fori_loop, scan, while_loop,
};
use probpipe_transforms::{Jit, grad, profile};
use std::sync::Arc;

/// Regions of a kind.
fn of(profile: &Profile, kind: RegionKind) -> Vec<&Region> {
    profile.regions.iter().filter(|region| region.kind == kind).collect()
}

fn lines(region: &Region) -> Vec<u32> {
    let mut lines: Vec<u32> = region.lines.iter().map(|location| location.line()).collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

/// What holds of every profile.
#[track_caller]
fn check(profile: &Profile) {
    let shares: f64 = profile.regions.iter().map(|region| profile.share(region)).sum();
    close(&profile, shares, 1.0, Tolerance::absolute(1e-9));
    assert!(profile.calls > 0 && profile.time.as_nanos() > 0, "{profile}");
    for (k, region) in profile.regions.iter().enumerate() {
        assert!(region.inside.is_none_or(|outer| outer < k), "{profile}");
        assert!(region.lines.iter().all(|l| l.file().ends_with("profile.rs")), "{profile}");
    }
    let outer = (0..profile.regions.len()).filter(|&k| profile.regions[k].inside.is_none());
    let whole: f64 = outer.map(|k| profile.inclusive(k).as_secs_f64()).sum();
    close(&profile, profile.total().as_secs_f64(), whole, Tolerance::relative(1e-6));
    // A title, the heads of the columns, a row for each region.
    assert_eq!(profile.to_string().lines().count(), 2 + profile.regions.len(), "{profile}");
}

#[test]
fn a_fused_kernel_has_all_of_its_lines() {
    let first = line!() + 2;
    let f = |x: Array| {
        let y = x.sin();
        let z = y * 2.0;
        z + 1.0
    };
    let profile = profile(&Cpu, f, &array(vec![0.5f32; 1000])).unwrap();
    check(&profile);
    let kernels = of(&profile, RegionKind::Kernel);
    assert_eq!(kernels.len(), 1, "{profile}");
    assert_eq!(lines(kernels[0]), [first, first + 1, first + 2]);
    assert_eq!(kernels[0].runs, 1.0);
    assert_eq!((kernels[0].read, kernels[0].written), (4000.0, 4000.0));
    assert_eq!(kernels[0].name, "[1000]: sin, mul, add");
    assert_eq!(of(&profile, RegionKind::Call).len(), 1);
}

#[test]
fn runs_are_counted_through_loops() {
    let at = line!() + 2;
    let f = |x: Array| {
        fori_loop(30, x, |_, x: Array| {
            let inner = fori_loop(7, x.clone(), |_, y: Array| y.cos() * 0.5);
            x + inner.sum()
        })
    };
    let profile = profile(&Cpu, f, &array(vec![0.5f32; 500])).unwrap();
    check(&profile);
    let loops = of(&profile, RegionKind::Loop);
    assert_eq!(loops.iter().map(|l| l.runs).collect::<Vec<_>>(), [1.0, 30.0], "{profile}");
    assert_eq!(loops[0].lines[0].line(), at);
    let cos = profile.regions.iter().find(|r| r.name.contains("cos")).unwrap();
    assert_eq!(cos.runs, 210.0, "{profile}");
    assert_eq!(lines(cos), [at + 1]);
    let inside = cos.inside.and_then(|k| profile.regions[k].inside).unwrap();
    assert_eq!(profile.regions[inside].runs, 1.0);
}

#[test]
fn conditions_count_what_ran() {
    let halve = |x: Array| while_loop(|x: Array| x.sum().gt(100.0), |x| x * 0.5, x);
    let counted = profile(&Cpu, halve, &array(vec![1.0f32; 800])).unwrap();
    check(&counted);
    // 800, 400 and 200 are more than 100.
    let half = counted.regions.iter().find(|r| r.name.contains("mul")).unwrap();
    assert_eq!(half.runs, 3.0, "{counted}");

    let either = |x: Array| cond(&x.sum().gt(0.0), x, |x: Array| x.exp(), |x: Array| x.sin());
    let counted = profile(&Cpu, either, &array(vec![1.0f32; 800])).unwrap();
    check(&counted);
    let runs = |name| counted.regions.iter().find(|r| r.name.contains(name)).map(|r| r.runs);
    assert_eq!((runs("exp"), runs("sin")), (Some(1.0), Some(0.0)), "{counted}");
    assert_eq!(of(&counted, RegionKind::Branch)[0].runs, 1.0);
}

#[test]
fn libraries_and_small_kernels_have_regions() {
    let f = |x: Array| {
        let y = x.matmul(&x);
        (y.cholesky().sum(), fori_loop(20, array([1.0f32, 2.0]), |_, p: Array| p.tanh() + 0.1))
    };
    let profile = profile(&Cpu, f, &(probpipe_trace::eye(64) * 2.0)).unwrap();
    check(&profile);
    let matmul = profile.regions.iter().find(|r| r.name == "matmul 64x64x64").unwrap();
    assert_eq!((matmul.kind, matmul.runs), (RegionKind::Library, 1.0));
    assert_eq!((matmul.read, matmul.written), (2.0 * 16384.0, 16384.0));
    assert!(profile.regions.iter().any(|r| r.name == "cholesky 64x64"), "{profile}");
    assert_eq!(profile.regions.iter().find(|r| r.name.contains("tanh")).unwrap().runs, 20.0);
}

#[test]
fn gradients_point_at_the_lines_of_the_function() {
    let first = line!() + 2;
    let loss = |x: Array| {
        let y = scan(x.at(0), x.clone(), |c: Array, x: Array| {
            let c = c.sin() + &x;
            (c.clone(), c * x)
        });
        y.1.sum()
    };
    let last = line!() + 1;
    let f = Jit::new(Arc::new(Cpu), grad(loss));
    let profile = f.profile(&array(vec![0.5f32; 300])).unwrap();
    check(&profile);
    let own = |l: u32| (first..=last).contains(&l);
    let all: Vec<u32> = profile.regions.iter().flat_map(lines).collect();
    assert!(all.iter().all(|&l| own(l)), "{all:?} {first}\n{profile}");
    assert!(all.contains(&(first + 1)), "{profile}");
}

#[test]
fn what_cannot_run_is_an_error() {
    let bad = profile(&Cpu, |x: Array| x + array([1.0, 2.0, 3.0]), &array([1.0, 2.0]));
    assert_eq!(bad.unwrap_err().kind(), ErrorKind::Shape);
}

#[test]
fn the_interpreter_tells_equations_apart() {
    let at = line!() + 1;
    let f = |x: Array| (x.sin() * 2.0).sum();
    let profile = profile(&probpipe_trace::Interpreter, f, &array(vec![0.5f32; 100])).unwrap();
    check(&profile);
    assert!(profile.regions.iter().all(|r| r.runs == 1.0 && lines(r) == [at]), "{profile}");
    let sum = profile.regions.iter().find(|r| r.name == "sum to f32[]").unwrap();
    assert_eq!((sum.read, sum.written), (400.0, 4.0));
}
