//! Where compiled programs run: the choice of a backend, and `jit` on the chosen one. What a
//! backend does with a program is its own crate's.

mod auto;
mod placement;

pub use auto::Auto;
pub use placement::{Costs, Machine};
pub use probpipe_backend_cpu::Work;

#[doc(inline)]
pub use probpipe_trace::release_memory;
use probpipe_trace::{
    Array, Backend, Caps, Executable, Interpreter, Profile, Result, Tree, Verified, verify,
    with_interpreted,
};
use std::cell::Cell;
use std::sync::{Arc, OnceLock};

/// A place where programs run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Device {
    /// Native code for this processor.
    #[default]
    Cpu,
    /// Compute shaders through Vulkan, Metal, DX12 or WebGPU. Needs the feature `gpu`. What the
    /// driver compiled is kept in the user's cache folder, where the driver has a cache to be kept;
    /// `PROBPIPE_PIPELINES` names another folder, or is empty for none.
    Gpu,
    /// Each program where it will run faster by what it moves and computes, and by what that takes
    /// on this machine, which is measured when this is first asked for. Where there is no GPU or
    /// one in software, for what a GPU refuses and for `f64`, that is the CPU. [`profile`] says
    /// where a program was put, and why.
    Auto,
    /// The reference interpreter: slow, exact, the measure of the others.
    Interpreter,
}

thread_local! {
    static DEVICE: Cell<Device> = const { Cell::new(Device::Cpu) };
}

/// Runs `f` with [`jit`] compiling for `device` on this thread.
///
/// Operations outside of `jit` are computed where the arrays are, in host memory: large ones by
/// programs of the CPU, one per operation and types, small ones by the interpreter; all by the
/// interpreter where it is the device.
pub fn with_device<R>(device: Device, f: impl FnOnce() -> R) -> R {
    struct Restore(Device);
    impl Drop for Restore {
        fn drop(&mut self) {
            DEVICE.set(self.0);
        }
    }
    let _restore = Restore(DEVICE.replace(device));
    with_interpreted(device == Device::Interpreter, f)
}

impl Device {
    /// The backend of this device. A missing adapter, or a build without the feature, is an error
    /// of every compilation, not of this call.
    pub fn backend(self) -> Arc<dyn Backend> {
        static CPU: OnceLock<Arc<dyn Backend>> = OnceLock::new();
        static GPU: OnceLock<Arc<dyn Backend>> = OnceLock::new();
        static AUTO: OnceLock<Arc<dyn Backend>> = OnceLock::new();
        match self {
            Device::Auto => AUTO.get_or_init(auto).clone(),
            Device::Cpu => CPU.get_or_init(|| Arc::new(probpipe_backend_cpu::Cpu)).clone(),
            Device::Gpu => GPU.get_or_init(gpu).clone(),
            Device::Interpreter => Arc::new(Interpreter),
        }
    }

    /// Whether programs can run there; the reason why not.
    pub fn check(self) -> Result<()> {
        let graph = probpipe_trace::trace(&[], |_| Vec::new())?.graph;
        self.backend().compile(verify(&graph)?).map(|_| ())
    }
}

/// A GPU in software is none to choose: it runs on the processor, by longer ways.
#[cfg(feature = "gpu")]
fn auto() -> Arc<dyn Backend> {
    Arc::new(match probpipe_backend_gpu::Gpu::shared() {
        Ok(gpu) if gpu.info().software => {
            Auto::new(Err(format!("the GPU is one in software, {}", gpu.info().adapter)))
        }
        Ok(_) => Auto::new(Ok(Device::Gpu.backend())),
        Err(_) => Auto::new(Err("there is no GPU".into())),
    })
}

#[cfg(not(feature = "gpu"))]
fn auto() -> Arc<dyn Backend> {
    Arc::new(Auto::new(Err("there is no GPU".into())))
}

#[cfg(feature = "gpu")]
fn gpu() -> Arc<dyn Backend> {
    match probpipe_backend_gpu::Gpu::shared() {
        Ok(gpu) => Arc::new(gpu),
        Err(error) => Arc::new(Missing(error)),
    }
}

#[cfg(not(feature = "gpu"))]
fn gpu() -> Arc<dyn Backend> {
    Arc::new(Missing(
        probpipe_trace::Error::new(
            probpipe_trace::ErrorKind::Device,
            "this build of probpipe has no GPU backend",
        )
        .help("turn on the feature: `cargo add probpipe --features gpu`"),
    ))
}

/// A device that is not there: every compilation gives the reason.
#[derive(Debug)]
struct Missing(probpipe_trace::Error);

impl Backend for Missing {
    fn name(&self) -> &'static str {
        "gpu"
    }

    fn caps(&self) -> Caps {
        Caps::nothing(self.name())
    }

    fn compile(&self, _: Verified<'_>) -> Result<Box<dyn Executable>> {
        Err(self.0.clone())
    }
}

/// Compiles a function at its first call with arguments of each structure and type, and runs the
/// compiled program from then on. On the device of [`with_device`], else on the CPU.
///
/// What is passed is given up: on the CPU and on the GPU a result may be written into the memory
/// of a large array of which no other handle is left, so that `x = f(x)` in a loop works in place.
/// Pass a clone, which copies no data, to keep an array.
///
/// Programs on the CPU whose floats are all `f32` take numbers below 1.2e-38 for zero, which saves
/// what many processors lose on them; [`with_subnormals`](crate::with_subnormals) chooses
/// otherwise. Operations round one by one; under
/// [`with_rounding`](crate::with_rounding) they may be contracted, which is faster.
///
/// A clone of the function shares its programs; [`recompiles`](crate::recompiles) says why there is
/// more than one.
///
/// ```
/// use probpipe::prelude::*;
/// let f = jit(|x: Array| (x.sin() * 2.0).sum());
/// assert!((f(array([0.5, 1.0])).item::<f32>()? - 2.6417928).abs() < 1e-6);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[track_caller]
pub fn jit<A: Tree, R: Tree>(f: impl Fn(A) -> R) -> impl Fn(A) -> R + Clone {
    jit_on(DEVICE.get(), f)
}

/// [`jit`] for a device.
#[track_caller]
pub fn jit_on<A: Tree, R: Tree>(device: Device, f: impl Fn(A) -> R) -> impl Fn(A) -> R + Clone {
    probpipe_transforms::jit_on(device.backend(), f)
}

/// The forms that `f` goes through on its way to a program for the device of [`with_device`], on
/// arguments like `x`, by name: `traced`, `simplified`, and those of the device.
///
/// ```
/// use probpipe::prelude::*;
/// let stages = probpipe::stages_of(|x: Array| x.sin(), &array([0.5, 1.0]))?;
/// let names: Vec<&str> = stages.iter().map(|(name, _)| *name).collect();
/// assert_eq!(names, ["traced", "simplified", "program", "clif", "machine"]);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[track_caller]
pub fn stages_of<A: Tree, R: Tree>(
    f: impl Fn(A) -> R,
    x: &A,
) -> Result<Vec<(&'static str, String)>> {
    probpipe_transforms::stages_of(&*DEVICE.get().backend(), f, x)
}

/// Where the compiled form of `f` spends its time on the argument `x`: the time of each region of
/// the program (a fused loop nest, a library call, a loop), how often it runs, what it reads and
/// writes, and the lines of yours that it comes from. It prints as a table, the longest first. For
/// the device of [`with_device`]: the CPU; the interpreter, equation by equation; of the GPU, which
/// does not tell its parts, how long a call takes until its results can be read. On
/// [`Device::Auto`] it says where the program was put too, with what a call was guessed to take on
/// either device.
///
/// ```
/// use probpipe::prelude::*;
/// let loss = |x: Array| (x.sin() * 2.0).square().mean();
/// let profile = probpipe::profile(grad(loss), &ones([10_000]))?;
/// println!("{profile}");
/// let shares: f64 = profile.regions.iter().map(|region| profile.share(region)).sum();
/// assert!((shares - 1.0).abs() < 1e-9);
/// # Ok::<(), probpipe::Error>(())
/// ```
#[track_caller]
pub fn profile<A: Tree, R: Tree>(f: impl Fn(A) -> R, x: &A) -> Result<Profile> {
    probpipe_transforms::profile(&*DEVICE.get().backend(), f, x)
}

/// Keeps the signature of compiled functions honest: arrays cross threads.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Array>();
    shared::<Device>();
};
