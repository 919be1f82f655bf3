//! Compiled programs: their pipelines, and how a call encodes and submits them.

use crate::buffer::{GpuBuffer, Memory, on_device};
use crate::device::{Device, Gpu, Pipeline};
use crate::lock::lock;
use crate::wgsl::{self, Module, Slot, Step};
use probpipe_lowering::{Options, Program, lower};
use probpipe_trace::{
    ArrayType, Backend, Caps, DType, Error, ErrorKind, Executable, Result, Storage, Value, Values,
    Verified,
};
use std::fmt;
use std::sync::{Arc, Mutex};

/// Contractions of this many multiplications go to the matrix product shader.
const LIBRARY_MATMUL: usize = 1 << 15;
/// Padding up to this many elements is fused.
const GUARDED: usize = usize::MAX;
/// Dispatches per submission: command buffers of long loops would otherwise grow without bound.
const DISPATCHES: usize = 4096;
/// Iterations of a conditional loop between two looks at its condition.
const UNASKED: usize = 32;
/// Arguments of at least this many bytes are kept on the device, in case the next call has them
/// again: the data of a model is passed at every step.
const KEEP_BYTES: usize = 4096;

impl Backend for Gpu {
    fn name(&self) -> &'static str {
        "gpu"
    }

    fn caps(&self) -> Caps {
        // What goes on for as long as it wants is driven by the host where loops are cut off.
        Caps { lanes: self.target.rounds_guessed, ..Gpu::CAPS }
    }

    fn compile(&self, graph: Verified<'_>) -> Result<Box<dyn Executable>> {
        Gpu::CAPS.check(&graph)?;
        let options = Options {
            element_bytes: |_: DType| 4,
            alignment: self.device.alignment.max(4),
            library_matmul: Some(LIBRARY_MATMUL),
            guarded: GUARDED,
            special_inline: true,
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
        let pipelines = self.device.pipelines(&module)?;
        let consts = Memory::upload(&self.device, &module.consts)?;
        let arena = Memory::new(&self.device, module.arena_words)?;
        let kept = Mutex::new(vec![None; program.inputs]);
        Ok(GpuProgram {
            device: self.device.clone(),
            program,
            module,
            pipelines,
            consts,
            arena,
            turn: Mutex::default(),
            kept,
        })
    }
}

/// A host value and its copy on the device.
type Kept = (Value, Arc<Memory>);

/// A program on a device.
pub struct GpuProgram {
    device: Arc<Device>,
    program: Program,
    module: Module,
    pipelines: Vec<Arc<Pipeline>>,
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
        write!(f, "GpuProgram({} shaders, {})", self.module.shaders.len(), self.device.info.adapter)
    }
}

/// One call under way.
struct Call<'a> {
    program: &'a GpuProgram,
    groups: Vec<wgpu::BindGroup>,
    /// Indices of the loops around the step at hand.
    indices: Vec<i32>,
    encoder: Option<wgpu::CommandEncoder>,
    pass: Option<wgpu::ComputePass<'static>>,
    dispatches: usize,
}

impl GpuProgram {
    fn argument(&self, i: usize, value: &Value) -> Result<Arc<Memory>> {
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
        let memory = Arc::new(Memory::upload(&self.device, &wgsl::to_words(value)?)?);
        if keep && let Some(slot) = lock(&self.kept).get_mut(i) {
            *slot = Some((value.clone(), memory.clone()));
        }
        Ok(memory)
    }
}

impl Executable for GpuProgram {
    fn run(&self, inputs: &[&Value]) -> Result<Values> {
        let device = &self.device;
        device.fault()?;
        let inputs: Vec<Arc<Memory>> =
            inputs.iter().enumerate().map(|(i, v)| self.argument(i, v)).collect::<Result<_>>()?;
        let outputs: Vec<(Arc<Memory>, &ArrayType)> = (self.program.outputs.iter())
            .map(|ty| Ok((Arc::new(Memory::new(device, ty.size())?), ty)))
            .collect::<Result<_>>()?;
        if !self.module.steps.is_empty() {
            let groups = self.bind(&inputs, &outputs)?;
            let turn = lock(&self.turn);
            let mut call = Call {
                program: self,
                groups,
                indices: Vec::new(),
                encoder: None,
                pass: None,
                dispatches: 0,
            };
            call.copy(&inputs, &outputs, true)?;
            call.steps(&self.module.steps)?;
            call.copy(&inputs, &outputs, false)?;
            call.submit()?;
            drop(turn);
        }
        Ok(outputs
            .into_iter()
            .map(|(memory, ty)| {
                let buffer = GpuBuffer::new(memory, ty.clone());
                Value::new(ty.clone(), Storage::Device(Box::new(buffer)))
            })
            .collect())
    }

    fn stages(&self) -> Vec<(&'static str, String)> {
        let shaders: Vec<&str> = self.module.shaders.iter().map(|s| s.text.as_str()).collect();
        vec![("program", self.program.to_string()), ("wgsl", shaders.join("\n// ----\n"))]
    }
}

impl GpuProgram {
    fn bind(
        &self,
        inputs: &[Arc<Memory>],
        outputs: &[(Arc<Memory>, &ArrayType)],
    ) -> Result<Vec<wgpu::BindGroup>> {
        let missing = || Error::new(ErrorKind::Internal, "a program lacks an argument");
        let mut groups = Vec::new();
        for (i, slots) in self.module.groups.iter().enumerate() {
            let mut entries = Vec::new();
            for (binding, slot) in (0..).zip(slots) {
                let memory = match slot {
                    Slot::Input(i) => &**inputs.get(*i).ok_or_else(missing)?,
                    Slot::Output(i) => &*outputs.get(*i).ok_or_else(missing)?.0,
                    Slot::Consts => &self.consts,
                    Slot::Arena => &self.arena,
                };
                let resource = memory.buffer()?.as_entire_binding();
                entries.push(wgpu::BindGroupEntry { binding, resource });
            }
            let user = self.module.shaders.iter().position(|s| s.group == i);
            let layout = &self.pipelines[user.ok_or_else(missing)?].layout;
            groups.push(self.device.checked(|| {
                self.device.device.create_bind_group(&wgpu::BindGroupDescriptor {
                    label: None,
                    layout,
                    entries: &entries,
                })
            })?);
        }
        Ok(groups)
    }
}

/// Whether steps wait for words.
fn asks(steps: &[Step]) -> bool {
    steps.iter().any(|step| match step {
        Step::Dispatch { .. } => false,
        Step::Loop { body, .. } => asks(body),
        Step::While { .. } => true,
    })
}

impl Call<'_> {
    /// Copies arguments into the arena, or results out of it.
    fn copy(
        &mut self,
        inputs: &[Arc<Memory>],
        outputs: &[(Arc<Memory>, &ArrayType)],
        into: bool,
    ) -> Result<()> {
        self.pass = None;
        let arena = self.program.arena.buffer()?;
        let device = &self.program.device.device;
        for copied in self.program.module.copies.iter().filter(|copied| copied.words > 0) {
            let (word, bytes) = (copied.word as u64 * 4, copied.words as u64 * 4);
            let encoder = self
                .encoder
                .get_or_insert_with(|| device.create_command_encoder(&Default::default()));
            match copied.slot {
                Slot::Input(i) if into => {
                    encoder.copy_buffer_to_buffer(inputs[i].buffer()?, 0, arena, word, bytes);
                }
                Slot::Output(i) if !into => {
                    encoder.copy_buffer_to_buffer(arena, word, outputs[i].0.buffer()?, 0, bytes);
                }
                Slot::Input(_) | Slot::Output(_) | Slot::Consts | Slot::Arena => {}
            }
        }
        Ok(())
    }

    fn steps(&mut self, steps: &[Step]) -> Result<()> {
        for step in steps {
            match step {
                Step::Dispatch { shader, grid } => self.dispatch(*shader, *grid)?,
                Step::Loop { slot, length, body } => {
                    for t in 0..*length {
                        self.indices.truncate(*slot);
                        self.indices.push(t as i32);
                        self.steps(body)?;
                    }
                    self.indices.truncate(*slot);
                }
                Step::While { cond, word, body } => self.repeat(cond, *word, body)?,
            }
        }
        Ok(())
    }

    /// Asks for the word ever more seldom, since what is done after it has become 0 does nothing.
    /// What asks for words of its own, which takes longer than anything else, is not done in vain.
    fn repeat(&mut self, cond: &[Step], word: usize, body: &[Step]) -> Result<()> {
        self.steps(cond)?;
        let most = if [cond, body].iter().any(|steps| asks(steps)) { 1 } else { UNASKED };
        let mut count = 1;
        while self.word(word)? == 1 {
            for _ in 0..count {
                self.steps(body)?;
                self.steps(cond)?;
            }
            count = most.min(2 * count);
        }
        Ok(())
    }

    /// A word of the arena after what has been encoded.
    fn word(&mut self, at: usize) -> Result<u32> {
        self.submit()?;
        let mut word = [0; 4];
        let arena = self.program.arena.buffer()?;
        self.program
            .device
            .download(arena, at as u64 * 4, 4, |bytes| word.copy_from_slice(bytes))?;
        Ok(u32::from_le_bytes(word))
    }

    fn dispatch(&mut self, shader: usize, grid: [u32; 2]) -> Result<()> {
        if self.dispatches == DISPATCHES {
            self.submit()?;
        }
        let device = &self.program.device.device;
        let pass = match &mut self.pass {
            Some(pass) => pass,
            None => {
                let encoder = self
                    .encoder
                    .get_or_insert_with(|| device.create_command_encoder(&Default::default()));
                self.pass.insert(encoder.begin_compute_pass(&Default::default()).forget_lifetime())
            }
        };
        let group = self.program.module.shaders[shader].group;
        pass.set_pipeline(&self.program.pipelines[shader].pipeline);
        pass.set_bind_group(0, &self.groups[group], &[]);
        if !self.indices.is_empty() {
            pass.set_immediates(0, bytemuck::cast_slice(&self.indices));
        }
        pass.dispatch_workgroups(grid[0], grid[1], 1);
        self.dispatches += 1;
        Ok(())
    }

    fn submit(&mut self) -> Result<()> {
        self.pass = None;
        self.dispatches = 0;
        match self.encoder.take() {
            Some(encoder) => self.program.device.submit(encoder.finish()),
            None => Ok(()),
        }
    }
}
