//! The memory of a device: how much arrays hold, and what none holds any more, kept for the next
//! one of its size. What is allocated, and how large, is decided in `buffer.rs`.

use crate::lock::lock;
use rustc_hash::FxHashMap;
use std::sync::Mutex;

/// Idle memory that a device keeps for reuse.
const POOL_BYTES: u64 = 256 << 20;

/// What the memory of a device is used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MemoryUse {
    /// Bytes that arrays and programs hold.
    pub held: u64,
    /// Bytes that nobody holds, kept for reuse.
    pub idle: u64,
    /// The most that was held since the device was opened, or since
    /// [`Gpu::forget_peak`](crate::Gpu::forget_peak).
    pub peak: u64,
    /// The most that may be held and kept; see [`Gpu::limit_memory`](crate::Gpu::limit_memory).
    pub limit: u64,
}

/// Idle buffers by size. Reuse needs no fence: the queue runs submissions in order.
#[derive(Debug)]
pub(crate) struct Pool(Mutex<State>);

#[derive(Debug)]
struct State {
    memory: MemoryUse,
    buffers: FxHashMap<u64, Vec<wgpu::Buffer>>,
}

impl Pool {
    /// Nothing, of no more than so many bytes.
    pub fn new(limit: u64) -> Pool {
        let memory = MemoryUse { held: 0, idle: 0, peak: 0, limit };
        Pool(Mutex::new(State { memory, buffers: FxHashMap::default() }))
    }

    /// Counts so many bytes as held: those of an idle buffer, or where there is none of this size,
    /// of one that the caller makes. Where there may be no more, what is held.
    pub fn take(&self, bytes: u64) -> Result<Option<wgpu::Buffer>, MemoryUse> {
        let mut state = lock(&self.0);
        let found = state.buffers.get_mut(&bytes).and_then(Vec::pop);
        if found.is_some() {
            state.memory.idle -= bytes;
        } else {
            let MemoryUse { held, idle, limit, .. } = state.memory;
            if held.saturating_add(bytes) > limit {
                return Err(state.memory);
            }
            if held + idle + bytes > limit {
                state.forget_idle();
            }
        }
        state.memory.held += bytes;
        state.memory.peak = state.memory.peak.max(state.memory.held);
        Ok(found)
    }

    /// Takes back that so many bytes are held: they were not to be had.
    pub fn give_up(&self, bytes: u64) {
        lock(&self.0).memory.held -= bytes;
    }

    /// Keeps a buffer that nobody uses, or lets go of it where enough is kept.
    pub fn keep(&self, buffer: wgpu::Buffer) {
        let mut state = lock(&self.0);
        let bytes = buffer.size();
        state.memory.held -= bytes;
        let MemoryUse { held, idle, limit, .. } = state.memory;
        if idle + bytes <= POOL_BYTES && held + idle + bytes <= limit {
            state.memory.idle += bytes;
            state.buffers.entry(bytes).or_default().push(buffer);
        }
    }

    /// Lets go of all idle buffers.
    pub fn forget_idle(&self) {
        lock(&self.0).forget_idle();
    }

    pub fn memory(&self) -> MemoryUse {
        lock(&self.0).memory
    }

    pub fn limit(&self, bytes: u64) {
        let mut state = lock(&self.0);
        state.memory.limit = bytes;
        if state.memory.held + state.memory.idle > bytes {
            state.forget_idle();
        }
    }

    pub fn forget_peak(&self) {
        let mut state = lock(&self.0);
        state.memory.peak = state.memory.held;
    }
}

impl State {
    fn forget_idle(&mut self) {
        self.buffers.clear();
        self.memory.idle = 0;
    }
}
