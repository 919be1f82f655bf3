//! The memory of a device that no array holds any more, kept for the next one of its size. What is
//! allocated, and how large, is decided in `buffer.rs`.

use crate::lock::lock;
use rustc_hash::FxHashMap;
use std::sync::Mutex;

/// Idle memory that a device keeps for reuse.
const POOL_BYTES: u64 = 256 << 20;

/// Idle buffers by size. Reuse needs no fence: the queue runs submissions in order.
#[derive(Debug, Default)]
pub(crate) struct Pool(Mutex<Idle>);

#[derive(Debug, Default)]
struct Idle {
    bytes: u64,
    buffers: FxHashMap<u64, Vec<wgpu::Buffer>>,
}

impl Pool {
    /// An idle buffer of this size.
    pub fn take(&self, bytes: u64) -> Option<wgpu::Buffer> {
        let mut idle = lock(&self.0);
        let found = idle.buffers.get_mut(&bytes).and_then(Vec::pop);
        if found.is_some() {
            idle.bytes -= bytes;
        }
        found
    }

    /// Keeps a buffer that nobody uses, or lets go of it where enough is kept.
    pub fn keep(&self, buffer: wgpu::Buffer) {
        let mut idle = lock(&self.0);
        if idle.bytes + buffer.size() <= POOL_BYTES {
            idle.bytes += buffer.size();
            idle.buffers.entry(buffer.size()).or_default().push(buffer);
        }
    }
}
