//! The WebGPU backend: programs as WGSL compute shaders, arrays that stay on the device between
//! calls, and one queue submission per call. It runs wherever wgpu does (Vulkan, Metal, DX12).
//!
//! Element types are all but `f64`, which is an error at compile that names the op; 64-bit integers
//! are pairs of words. It does no fusion and no planning of its own: that is `probpipe-lowering`.

// But to hand the driver what it gave before; see `cache.rs`.
#![deny(unsafe_code)]

mod buffer;
mod cache;
mod call;
mod device;
mod executable;
mod kept;
mod lock;
mod pool;
pub mod wgsl;

pub use buffer::GpuBuffer;
pub use cache::{PipelineFile, Pipelines};
pub use device::{Gpu, Info};
pub use executable::GpuProgram;
pub use pool::MemoryUse;
