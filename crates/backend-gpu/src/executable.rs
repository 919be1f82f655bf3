//! Compiled programs: what they have on a device, whose memory arguments and results of a call
//! take. How a call is encoded is in `call.rs`.

use crate::buffer::{GpuBuffer, Memory, on_device};
use crate::call::Form;
use crate::device::{Device, Gpu, Pipeline};
use crate::lock::lock;
use crate::wgsl::{self, Module, origin};
use probpipe_lowering::lower;
use probpipe_lowering::{BufferId, Donation, Options, Place, Program, called, donate, donations};
use probpipe_trace::eval::profile_calls;
use probpipe_trace::{
    Backend, Caps, Executable, Given, Profile, Result, Storage, Value, Values, Verified,
};
use smallvec::SmallVec;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

/// Contractions of this many multiplications go to the matrix product shader.
const LIBRARY_MATMUL: usize = 1 << 15;
/// But for those with a matrix of up to so many elements.
const SMALL_MATRIX: usize = 256;
/// Equations that a special function counts for: eight make a kernel.
const SPECIAL_EQNS: usize = 64;
/// Padding up to this many elements is fused.
const GUARDED: usize = usize::MAX;
/// Arguments of at least this many bytes are kept on the device, in case the next call has them
/// again: the data of a model is passed at every step.
const KEEP_BYTES: usize = 4096;
/// Arguments of at least this many elements lend their memory to results: the program that does
/// so has shaders of its own.
const TAKEN: usize = 1 << 18;

impl Backend for Gpu {
    fn name(&self) -> &'static str {
        "gpu"
    }

    fn caps(&self) -> Caps {
        self.own_caps()
    }

    fn compile(&self, graph: Verified<'_>) -> Result<Box<dyn Executable>> {
        self.own_caps().check(&graph)?;
        let options = Options {
            element_bytes: wgsl::element_bytes,
            alignment: self.device()?.alignment.max(4),
            library_matmul: Some(LIBRARY_MATMUL),
            small_matrix: SMALL_MATRIX,
            guarded: GUARDED,
            special_inline: true,
            special_eqns: SPECIAL_EQNS,
            ..Options::default()
        };
        let program = lower(graph, &options)?;
        Ok(Box::new(self.load(program)?))
    }
}

impl Gpu {
    /// Compiles a lowered program.
    ///
    /// # Errors
    /// If the device cannot hold or run it.
    pub fn load(&self, program: Program) -> Result<GpuProgram> {
        let module = wgsl::emit(&program, &self.target)?;
        let loaded = Loaded::new(self.device()?, &program, &module)?;
        let lent = lendable(&program, &module);
        Ok(GpuProgram {
            gpu: self.clone(),
            program,
            module,
            lent,
            given: AtomicBool::new(false),
            taking: OnceLock::new(),
            loaded: Mutex::new(Arc::new(loaded)),
        })
    }
}

/// The inputs whose memory results may take.
fn lendable(program: &Program, module: &Module) -> SmallVec<[usize; 4]> {
    let mut inputs = SmallVec::new();
    // Where arguments are copied into the arena, nothing is gained by it.
    for (at, buffer) in program.buffers.iter().enumerate().filter(|_| module.copies.is_empty()) {
        let Place::Input(k) = buffer.place else { continue };
        let large = buffer.ty.size() >= TAKEN;
        if large && !called(&program.body, BufferId(at as u32)) {
            inputs.push(k);
        }
    }
    if donations(program, |k| inputs.contains(&k)).is_empty() {
        inputs.clear();
    }
    inputs
}

/// A host value and its copy on the device.
type Kept = (Value, Arc<Memory>);

/// A program, on whichever device there is.
pub struct GpuProgram {
    gpu: Gpu,
    program: Program,
    module: Module,
    /// The inputs that results may take the memory of.
    lent: SmallVec<[usize; 4]>,
    /// Whether arguments were given up before.
    given: AtomicBool,
    taking: OnceLock<Result<Taking>>,
    loaded: Mutex<Arc<Loaded>>,
}

/// The program with results in the memory of arguments.
struct Taking {
    donations: Vec<Donation>,
    module: Module,
}

/// What a program has on one device.
struct Loaded {
    device: Arc<Device>,
    pipelines: Vec<Arc<Pipeline>>,
    /// Those of the program that takes memory of arguments.
    taking: OnceLock<Result<Vec<Arc<Pipeline>>>>,
    consts: Memory,
    /// Calls share it: the queue runs them one after another.
    arena: Memory,
    /// Held while a call is encoded and submitted, since a long loop takes several submissions.
    turn: Mutex<()>,
    /// The last host value of each argument and its copy on the device.
    kept: Mutex<Vec<Option<Kept>>>,
}

impl fmt::Debug for GpuProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let adapter = &self.gpu.info().adapter;
        write!(f, "GpuProgram({} shaders, {adapter})", self.module.shaders.len())
    }
}

impl Loaded {
    fn new(device: Arc<Device>, program: &Program, module: &Module) -> Result<Loaded> {
        let pipelines = device.pipelines(module)?;
        let need = || ("the constants of a program".to_string(), None);
        let consts = Memory::upload(&device, &module.consts, &need)?;
        let need = || {
            let largest = origin::largest_intermediate(program);
            ("all that a program computes in between".to_string(), largest.and_then(|(_, at)| at))
        };
        let arena = Memory::new(&device, module.arena_words, &need)?;
        let kept = Mutex::new(vec![None; program.inputs]);
        let (taking, turn) = (OnceLock::new(), Mutex::default());
        Ok(Loaded { device, pipelines, taking, consts, arena, turn, kept })
    }

    /// An argument on the device.
    fn argument(&self, i: usize, value: &Value, program: &Program) -> Result<Arc<Memory>> {
        if let Some(memory) = on_device(&self.device, value) {
            return Ok(memory);
        }
        let keep = value.ty().bytes() >= KEEP_BYTES;
        if keep
            && let Some(Some((known, memory))) = lock(&self.kept).get(i)
            && known.same(value)
        {
            return Ok(memory.clone());
        }
        let need = || {
            let location =
                origin::of_place(program, |place| matches!(place, Place::Input(k) if *k == i));
            (format!("argument {i}, {},", value.ty()), location)
        };
        let memory = Memory::upload(&self.device, &wgsl::to_words(value)?, &need)?;
        let memory = Arc::new(memory);
        if keep && let Some(slot) = lock(&self.kept).get_mut(i) {
            *slot = Some((value.clone(), memory.clone()));
        }
        Ok(memory)
    }

    /// Memory for a result.
    fn result(&self, i: usize, program: &Program) -> Result<Arc<Memory>> {
        let ty = &program.outputs[i];
        let need = || {
            let location =
                origin::of_place(program, |place| matches!(place, Place::Output(k) if *k == i));
            (format!("result {i}, {ty},"), location)
        };
        Memory::new(&self.device, wgsl::words(ty), &need).map(Arc::new)
    }
}

impl Executable for GpuProgram {
    fn run(&self, inputs: &[&Value]) -> Result<Values> {
        let loaded = self.loaded()?;
        let inputs = inputs.iter().enumerate();
        let inputs: Vec<Arc<Memory>> = inputs
            .map(|(i, value)| loaded.argument(i, value, &self.program))
            .collect::<Result<_>>()?;
        let outputs: Vec<Arc<Memory>> = (0..self.program.outputs.len())
            .map(|i| loaded.result(i, &self.program))
            .collect::<Result<_>>()?;
        self.call(&loaded, &self.module, &loaded.pipelines, &inputs, outputs)
    }

    fn reuses(&self) -> bool {
        !self.lent.is_empty()
    }

    fn run_taking(&self, mut given: Given) -> Result<Values> {
        let loaded = self.loaded()?;
        let mut own: SmallVec<[usize; 4]> = SmallVec::new();
        for &k in &self.lent {
            let mine = |value: &mut Value| {
                value.is_unshared() && on_device(&loaded.device, value).is_some()
            };
            if given.get_mut(k).is_some_and(mine) {
                own.push(k);
            }
        }
        let Some((taking, pipelines)) = self.taking(&loaded, &own) else {
            let inputs: SmallVec<[&Value; 8]> = given.iter().collect();
            return self.run(&inputs);
        };
        let mut inputs: Vec<Arc<Memory>> = (given.iter().enumerate())
            .map(|(i, value)| loaded.argument(i, value, &self.program))
            .collect::<Result<_>>()?;
        let mut outputs: Vec<Option<Arc<Memory>>> = vec![None; self.program.outputs.len()];
        let nothing = || ("a place without elements".to_string(), None);
        for donation in &taking.donations {
            // Shaders read it as the output: one buffer must not be bound twice.
            let none = Arc::new(Memory::new(&loaded.device, 0, &nothing)?);
            let memory = std::mem::replace(&mut inputs[donation.input], none);
            outputs[donation.output] = Some(memory);
        }
        let outputs: Vec<Arc<Memory>> = (outputs.into_iter().enumerate())
            .map(|(i, taken)| taken.map_or_else(|| loaded.result(i, &self.program), Ok))
            .collect::<Result<_>>()?;
        self.call(&loaded, &taking.module, pipelines, &inputs, outputs)
    }

    fn profile(&self, inputs: &[&Value]) -> Result<Profile> {
        profile_calls("gpu", || self.run(inputs))
    }

    fn stages(&self) -> Vec<(&'static str, String)> {
        let shaders: Vec<&str> = self.module.shaders.iter().map(|s| s.text.as_str()).collect();
        vec![("program", self.program.to_string()), ("wgsl", shaders.join("\n// ----\n"))]
    }
}

impl GpuProgram {
    /// What it has on the device, made anew where that is another than before.
    fn loaded(&self) -> Result<Arc<Loaded>> {
        let mut loaded = lock(&self.loaded);
        let device = self.gpu.device()?;
        device.fault()?;
        if !Arc::ptr_eq(&device, &loaded.device) {
            *loaded = Arc::new(Loaded::new(device, &self.program, &self.module)?);
        }
        Ok(loaded.clone())
    }

    /// The program that takes the memory of these arguments, if that is worth its shaders: what is
    /// called once is not.
    fn taking<'a>(
        &'a self,
        loaded: &'a Loaded,
        own: &[usize],
    ) -> Option<(&'a Taking, &'a [Arc<Pipeline>])> {
        let early = self.taking.get().is_none() && !self.given.swap(true, Ordering::Relaxed);
        if own.is_empty() || early {
            return None;
        }
        let make = || {
            let donations = donations(&self.program, |k| own.contains(&k));
            let module = wgsl::emit(&donate(&self.program, &donations), &self.gpu.target)?;
            Ok(Taking { donations, module })
        };
        // What cannot be made is left: without it, results have memory of their own.
        let taking = self.taking.get_or_init(make).as_ref().ok()?;
        let fits = taking.module.arena_words <= self.module.arena_words
            && taking.module.consts == self.module.consts;
        let all = taking.donations.iter().all(|donation| own.contains(&donation.input));
        if !fits || !all || taking.donations.is_empty() {
            return None;
        }
        let make = || loaded.device.pipelines(&taking.module);
        let pipelines = loaded.taking.get_or_init(make).as_ref().ok()?;
        Some((taking, pipelines))
    }

    fn call(
        &self,
        loaded: &Loaded,
        module: &Module,
        pipelines: &[Arc<Pipeline>],
        inputs: &[Arc<Memory>],
        outputs: Vec<Arc<Memory>>,
    ) -> Result<Values> {
        if !module.steps.is_empty() {
            let Loaded { device, consts, arena, .. } = loaded;
            let form = Form { device, module, pipelines, consts, arena };
            let turn = lock(&loaded.turn);
            form.call(inputs, &outputs)?;
            drop(turn);
        }
        let values = outputs.into_iter().zip(&self.program.outputs).map(|(memory, ty)| {
            let buffer = GpuBuffer::new(memory, ty.clone());
            Value::new(ty.clone(), Storage::Device(Box::new(buffer)))
        });
        Ok(values.collect())
    }
}
