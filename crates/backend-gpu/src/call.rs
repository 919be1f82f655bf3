//! One call of a program: what it binds, and how its steps are encoded and submitted. Whose memory
//! arguments and results take is decided in `executable.rs`.

use crate::buffer::Memory;
use crate::device::{Device, Pipeline};
use crate::wgsl::{Module, Slot, Step};
use probpipe_trace::{Error, ErrorKind, Result};
use std::sync::Arc;

/// Dispatches per submission: command buffers of long loops would otherwise grow without bound.
const DISPATCHES: usize = 4096;
/// Iterations of a conditional loop between two looks at its condition.
const UNASKED: usize = 32;

/// A program as it lies on a device.
pub(crate) struct Form<'a> {
    pub device: &'a Device,
    pub module: &'a Module,
    pub pipelines: &'a [Arc<Pipeline>],
    pub consts: &'a Memory,
    pub arena: &'a Memory,
}

/// One call under way.
struct Call<'a> {
    form: &'a Form<'a>,
    groups: Vec<wgpu::BindGroup>,
    /// Indices of the loops around the step at hand.
    indices: Vec<i32>,
    encoder: Option<wgpu::CommandEncoder>,
    pass: Option<wgpu::ComputePass<'static>>,
    dispatches: usize,
}

impl Form<'_> {
    /// Has the device do all of it. A call is submitted in several pieces where it has long loops,
    /// so the caller sees to it that no other uses the arena meanwhile.
    pub fn call(&self, inputs: &[Arc<Memory>], outputs: &[Arc<Memory>]) -> Result<()> {
        let mut call = Call {
            form: self,
            groups: self.bind(inputs, outputs)?,
            indices: Vec::new(),
            encoder: None,
            pass: None,
            dispatches: 0,
        };
        call.copy(inputs, outputs, true)?;
        call.steps(&self.module.steps)?;
        call.copy(inputs, outputs, false)?;
        call.submit()
    }

    fn bind(
        &self,
        inputs: &[Arc<Memory>],
        outputs: &[Arc<Memory>],
    ) -> Result<Vec<wgpu::BindGroup>> {
        let missing = || Error::new(ErrorKind::Internal, "a program lacks an argument");
        let mut groups = Vec::new();
        for (i, slots) in self.module.groups.iter().enumerate() {
            let mut entries = Vec::new();
            for (binding, slot) in (0..).zip(slots) {
                let memory = match slot {
                    Slot::Input(i) => &**inputs.get(*i).ok_or_else(missing)?,
                    Slot::Output(i) => &**outputs.get(*i).ok_or_else(missing)?,
                    Slot::Consts => self.consts,
                    Slot::Arena => self.arena,
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
        Step::Dispatch { .. } | Step::Clear { .. } => false,
        Step::Loop { body, .. } => asks(body),
        Step::While { .. } => true,
    })
}

impl Call<'_> {
    /// Copies arguments into the arena, or results out of it.
    fn copy(&mut self, inputs: &[Arc<Memory>], outputs: &[Arc<Memory>], into: bool) -> Result<()> {
        self.pass = None;
        let arena = self.form.arena.buffer()?;
        for copied in self.form.module.copies.iter().filter(|copied| copied.words > 0) {
            let (word, bytes) = (copied.word as u64 * 4, copied.words as u64 * 4);
            let encoder = self.encoder();
            match copied.slot {
                Slot::Input(i) if into => {
                    encoder.copy_buffer_to_buffer(inputs[i].buffer()?, 0, arena, word, bytes);
                }
                Slot::Output(i) if !into => {
                    encoder.copy_buffer_to_buffer(arena, word, outputs[i].buffer()?, 0, bytes);
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
                Step::Clear { word } => self.clear(*word)?,
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

    fn clear(&mut self, word: usize) -> Result<()> {
        self.pass = None;
        let arena = self.form.arena.buffer()?;
        self.encoder().clear_buffer(arena, word as u64 * 4, Some(4));
        Ok(())
    }

    fn encoder(&mut self) -> &mut wgpu::CommandEncoder {
        let device = &self.form.device.device;
        self.encoder.get_or_insert_with(|| device.create_command_encoder(&Default::default()))
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
        let arena = self.form.arena.buffer()?;
        self.form.device.download(arena, at as u64 * 4, 4, |bytes| word.copy_from_slice(bytes))?;
        Ok(u32::from_le_bytes(word))
    }

    fn dispatch(&mut self, shader: usize, grid: [u32; 2]) -> Result<()> {
        if self.dispatches == DISPATCHES {
            self.submit()?;
        }
        if self.pass.is_none() {
            let pass = self.encoder().begin_compute_pass(&Default::default());
            self.pass = Some(pass.forget_lifetime());
        }
        let Some(pass) = &mut self.pass else { return Ok(()) };
        let group = self.form.module.shaders[shader].group;
        pass.set_pipeline(&self.form.pipelines[shader].pipeline);
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
            Some(encoder) => self.form.device.submit(encoder.finish()),
            None => Ok(()),
        }
    }
}
