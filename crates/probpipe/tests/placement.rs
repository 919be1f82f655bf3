//! Where `Device::Auto` puts programs, with costs that are given rather than measured and a GPU
//! that is the interpreter: what decides, what a GPU refuses, what a profile says.

use probpipe::device::{Auto, Costs, Machine, Work};
use probpipe::graph::eval::profile_calls;
use probpipe::graph::{Backend, Caps, Executable, Interpreter, LaneForm, Value, Values, Verified};
use probpipe::prelude::*;
use probpipe::{DType, ErrorKind, Profile, profile, with_device};
use probpipe_testing::says;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Runs what a GPU runs, on the interpreter; counts programs.
#[derive(Debug, Default)]
struct Pretended {
    programs: AtomicUsize,
    /// Whether it gives up when it compiles.
    broken: bool,
    /// Whether it computes in double precision.
    double: bool,
}

impl Backend for Pretended {
    fn name(&self) -> &'static str {
        "gpu"
    }

    fn caps(&self) -> Caps {
        let single: &[DType] = &[DType::F32, DType::I32, DType::U32, DType::Bool];
        let dtypes = if self.double { &DType::ALL } else { single };
        Caps { dtypes, lanes: LaneForm::Apart, ..Caps::everything("gpu") }
    }

    fn compile(&self, graph: Verified<'_>) -> Result<Box<dyn Executable>> {
        if self.broken {
            return Err(probpipe::Error::new(ErrorKind::Backend, "the arrays are too many"));
        }
        self.programs.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(Whole(Interpreter.compile(graph)?)))
    }
}

/// A program that does not tell its parts.
#[derive(Debug)]
struct Whole(Box<dyn Executable>);

impl Executable for Whole {
    fn run(&self, inputs: &[&Value]) -> Result<Values> {
        self.0.run(inputs)
    }

    fn profile(&self, inputs: &[&Value]) -> Result<Profile> {
        profile_calls("gpu", || self.run(inputs))
    }
}

/// A core and a large GPU, in microseconds, roughly.
const MACHINE: Machine = Machine {
    cpu: Costs {
        call: 0.1,
        moved: 0.0,
        launch: 0.02,
        asked: 0.01,
        operation: 1e-4,
        touched: 5e-5,
        flop: 2e-5,
        alone: 1e-3,
    },
    gpu: Costs {
        call: 30.0,
        moved: 1e-4,
        launch: 5.0,
        asked: 30.0,
        operation: 2e-7,
        touched: 5e-7,
        flop: 1e-7,
        alone: 4e-3,
    },
};

fn auto() -> (Arc<Auto>, Arc<Pretended>) {
    let gpu = Arc::new(Pretended::default());
    (Arc::new(Auto::with_costs(gpu.clone(), MACHINE)), gpu)
}

fn placed(backend: &dyn Backend, f: impl Fn(Array) -> Array, x: &Array) -> Result<Profile> {
    probpipe_transforms::profile(backend, f, x)
}

/// The device and the reason of a program.
#[track_caller]
fn device(f: impl Fn(Array) -> Array, x: &Array) -> (&'static str, Option<String>) {
    let placement = placed(&*auto().0, f, x).expect("it runs").placement.expect("it was placed");
    (placement.device, placement.reason)
}

fn vector(n: usize) -> Array {
    linspace(0.0, 1.0, n).cast(DType::F32)
}

#[test]
fn estimates_add_up() {
    let work = Work {
        moved: 2e6,
        launches: 10.0,
        asked: 3.0,
        operations: 1e9,
        touched: 1e6,
        flops: 1e7,
        alone: 1e4,
    };
    // 30 + 200 + 50 + 90 + the most of 200, 0.5 and 40 + 1
    assert_eq!(MACHINE.gpu.estimate(&work), Duration::from_micros(571));
    let nothing = MACHINE.cpu.estimate(&Work::default());
    assert_eq!(nothing, Duration::from_nanos(100));
}

#[test]
fn work_decides() {
    let few = |x: Array| x.sin() + 1.0;
    assert_eq!(device(few, &vector(100)), ("cpu", None));
    // One pass over memory is sooner done than the way there and back.
    assert_eq!(device(|x| x + 1.0, &vector(1 << 20)), ("cpu", None));
    let chain = |x: Array| (0..20).fold(x, |y, _| (y.sin() + y.cos()) * 0.5);
    assert_eq!(device(chain, &vector(100)), ("cpu", None));
    assert_eq!(device(chain, &vector(1 << 16)), ("gpu", None));
    let product = |x: Array| x.matmul(&x);
    assert_eq!(device(product, &vector(32 * 32).reshape([32, 32])), ("cpu", None));
    assert_eq!(device(product, &vector(256 * 256).reshape([256, 256])), ("gpu", None));
}

#[test]
fn many_small_kernels_stay() {
    // Sixteen operations on a thousand elements, a thousand times: each needs the sum before it.
    let steps = |x: Array| {
        fori_loop(1000, x, |_, y: Array| (0..4).fold(y, |y, _| &y * 0.5 + y.sum() * 1e-3))
    };
    assert_eq!(device(steps, &vector(1000)), ("cpu", None));
    let asks = |x: Array| while_loop(|y: Array| y.sum().gt(1e-3), |y: Array| y * 0.5, x);
    assert_eq!(device(asks, &vector(1000)), ("cpu", None));
}

/// Where each goes its own way, no look is taken at the loops of others.
#[test]
fn many_lanes_with_loops_of_their_own_go() -> Result<()> {
    let lane = |x: Array| {
        let more = |(y, i): (Array, Array)| y.gt(1e-3) & i.lt(20);
        let next = |(y, i): (Array, Array)| ((0..16).fold(y, |y, _| y.sin() * 0.99), i + 1);
        while_loop(more, next, (x, array(0))).0
    };
    let lanes = vmap(lane);
    assert_eq!(device(&lanes, &vector(8)), ("cpu", None));
    assert_eq!(device(&lanes, &vector(1 << 16)), ("gpu", None));
    // Either form gives what the loops give.
    for n in [8, 5000] {
        let (auto, _) = auto();
        let got = probpipe_transforms::jit_on(auto, &lanes)(vector(n)).to_vec::<f32>()?;
        let want = jit_on(Device::Interpreter, &lanes)(vector(n)).to_vec::<f32>()?;
        for (got, want) in got.iter().zip(&want) {
            assert!((got - want).abs() <= 1e-6, "{got} and {want}");
        }
    }
    Ok(())
}

#[test]
fn what_a_gpu_refuses_goes_to_the_cpu() -> Result<()> {
    let (auto, gpu) = auto();
    let x = linspace(0.0, 1.0, 1 << 16).cast(DType::F64);
    let chain = |x: Array| (0..20).fold(x, |y, _| (y.sin() + y.cos()) * 0.5);
    let profile = placed(&*auto, chain, &x)?;
    let placement = profile.placement.expect("it was placed");
    assert_eq!(placement.device, "cpu");
    says(placement.to_string().as_str(), &["put on the cpu", "no f64"]);
    assert_eq!(gpu.programs.load(Ordering::Relaxed), 0);
    // No word of it in a call.
    let y = probpipe_transforms::jit_on(auto, chain)(x.clone());
    let want = jit_on(Device::Cpu, chain)(x);
    assert_eq!(y.to_vec::<f64>()?, want.to_vec::<f64>()?);
    Ok(())
}

#[test]
fn what_a_gpu_cannot_compile_goes_to_the_cpu() -> Result<()> {
    let gpu = Arc::new(Pretended { broken: true, ..Pretended::default() });
    let auto = Auto::with_costs(gpu, MACHINE);
    let chain = |x: Array| (0..20).fold(x, |y, _| (y.sin() + y.cos()) * 0.5);
    let placement = placed(&auto, chain, &vector(1 << 16))?.placement.expect("it was placed");
    assert_eq!(placement.device, "cpu");
    assert_eq!(placement.reason.as_deref(), Some("the arrays are too many"));
    assert!(placement.gpu < placement.cpu);
    Ok(())
}

#[test]
fn without_a_gpu_all_is_on_the_cpu() -> Result<()> {
    let profile = placed(&Auto::new(Err("none is wanted".into())), |x| x.sin(), &vector(10))?;
    let text = profile.to_string();
    says(text.as_str(), &["put on the cpu: none is wanted", "on the cpu"]);
    Ok(())
}

#[test]
fn a_program_is_always_put_to_the_same_place() {
    let chain = |x: Array| (0..20).fold(x, |y, _| (y.sin() + y.cos()) * 0.5);
    let (auto, gpu) = auto();
    for n in [100, 1 << 16] {
        let places: Vec<_> =
            (0..3).map(|_| placed(&*auto, chain, &vector(n)).expect("it runs").placement).collect();
        assert!(places.iter().all(|place| place.is_some() && *place == places[0]), "{places:?}");
    }
    assert_eq!(gpu.programs.load(Ordering::Relaxed), 3);
}

#[test]
fn profiles_say_where_and_why() -> Result<()> {
    let chain = |x: Array| (0..20).fold(x, |y, _| (y.sin() + y.cos()) * 0.5);
    let (auto, _) = auto();
    let profile = placed(&*auto, chain, &vector(1 << 16))?;
    assert_eq!((profile.device, profile.regions.len()), ("gpu", 1));
    let text = profile.to_string();
    says(text.as_str(), &["put on the gpu, by estimate", "a call on the cpu", "on the gpu\n"]);
    let profile = placed(&*auto, chain, &vector(100))?;
    assert_eq!(profile.device, "cpu");
    says(profile.to_string().as_str(), &["put on the cpu, by estimate"]);
    Ok(())
}

#[test]
fn double_precision_stays() -> Result<()> {
    let gpu = Arc::new(Pretended { double: true, ..Pretended::default() });
    let auto = Auto::with_costs(gpu, MACHINE);
    let chain = |x: Array| (0..20).fold(x, |y, _| (y.sin() + y.cos()) * 0.5);
    let x = linspace(0.0, 1.0, 1 << 16).cast(DType::F64);
    let placement = placed(&auto, chain, &x)?.placement.expect("it was placed");
    says(placement.to_string().as_str(), &["put on the cpu", "`f64`"]);
    // Also in between, and in loops.
    let within = |x: Array| {
        let y = fori_loop(3, x.cast(DType::F64), |_, y: Array| y.sin());
        chain(x) + y.cast(DType::F32)
    };
    let placement = placed(&auto, within, &vector(1 << 16))?.placement.expect("it was placed");
    says(placement.to_string().as_str(), &["put on the cpu", "`f64`"]);
    Ok(())
}

#[test]
fn costs_are_measured() -> Result<()> {
    let mut devices = vec![Device::Cpu];
    devices.extend(Some(Device::Gpu).filter(|gpu| gpu.check().is_ok()));
    for device in devices {
        let costs = Costs::measured(&*device.backend())?;
        let all = [costs.call, costs.operation, costs.touched, costs.alone, costs.flop];
        assert!(all.iter().all(|cost| (0.0..1e6).contains(cost)), "{device:?}: {costs:?}");
        assert!(costs.call > 0.0, "{device:?}: {costs:?}");
    }
    Ok(())
}

/// Whatever this machine has.
#[test]
fn the_device_itself() -> Result<()> {
    let f = |x: Array| (x.sin() * 2.0).sum();
    let x = vector(1000);
    let (on, want) = (jit_on(Device::Auto, f)(x.clone()), jit_on(Device::Cpu, f)(x.clone()));
    assert!((on.item::<f32>()? - want.item::<f32>()?).abs() < 1e-3);
    let profile = with_device(Device::Auto, || profile(f, &x))?;
    let placement = profile.placement.clone().expect("it was placed");
    assert_eq!(placement.device, profile.device);
    assert!(placement.reason.is_some() || placement.cpu.is_some() && placement.gpu.is_some());
    let double = jit_on(Device::Auto, |x: Array| x * 2.0)(linspace(0.0, 1.0, 5).cast(DType::F64));
    assert_eq!(double.to_vec::<f64>()?[4], 2.0);
    Ok(())
}
