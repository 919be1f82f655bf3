//! Arrays on the device, whose memory returns to its pool when they are dropped.

use crate::device::{Device, Gpu};
use crate::pool::MemoryUse;
use crate::wgsl;
use probpipe_trace::{
    ArrayType, DType, DeviceBuffer, Error, ErrorKind, HostBuffer, Loc, Result, Storage, Value,
};
use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

const USAGES: wgpu::BufferUsages = wgpu::BufferUsages::STORAGE
    .union(wgpu::BufferUsages::COPY_SRC)
    .union(wgpu::BufferUsages::COPY_DST);

/// Device memory that returns to its pool when dropped.
pub(crate) struct Memory {
    device: Arc<Device>,
    /// `Some` until dropped.
    buffer: Option<wgpu::Buffer>,
}

/// An array in the memory of a [`Gpu`].
pub struct GpuBuffer {
    pub(crate) memory: Arc<Memory>,
    ty: ArrayType,
}

/// What memory is for, and where the user's source asks for it; put into words only for errors.
pub(crate) type Need<'a> = &'a dyn Fn() -> (String, Option<Loc>);

impl Memory {
    /// Uninitialised memory for at least `words` words.
    pub fn new(device: &Arc<Device>, words: usize, need: Need<'_>) -> Result<Memory> {
        let most = device.target.binding_bytes & !3;
        if words as u64 * 4 > most {
            return Err(device.short(words, device.pool.memory(), need));
        }
        // Classes of size keep the pool useful; WebGPU has no empty bindings.
        let words_held = words.max(4) as u64;
        let step = (words_held.next_power_of_two() / 4).max(4);
        let bytes = words_held.next_multiple_of(step) * 4;
        let bytes = bytes.min(most).max(words_held * 4);
        let taken = device.pool.take(bytes);
        let buffer = match taken.map_err(|memory| device.short(words, memory, need))? {
            Some(buffer) => buffer,
            None => device.buffer(bytes).map_err(|error| {
                device.pool.give_up(bytes);
                match error.kind() {
                    ErrorKind::Device if !device.is_lost() => {
                        let error = device.short(words, device.pool.memory(), need);
                        error.note("the driver has no more memory", None)
                    }
                    _ => error,
                }
            })?,
        };
        Ok(Memory { device: device.clone(), buffer: Some(buffer) })
    }

    /// Memory that holds `words`.
    pub fn upload(device: &Arc<Device>, words: &[u32], need: Need<'_>) -> Result<Memory> {
        let memory = Memory::new(device, words.len(), need)?;
        if let Some(buffer) = memory.buffer.as_ref().filter(|_| !words.is_empty()) {
            device.checked(|| device.queue.write_buffer(buffer, 0, bytemuck::cast_slice(words)))?;
        }
        Ok(memory)
    }

    /// For bind groups and copies.
    pub fn buffer(&self) -> Result<&wgpu::Buffer> {
        self.buffer
            .as_ref()
            .ok_or_else(|| Error::new(ErrorKind::Internal, "a freed buffer is used"))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if let Some(buffer) = self.buffer.take() {
            self.device.pool.keep(buffer);
        }
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory({} bytes)", self.buffer.as_ref().map_or(0, wgpu::Buffer::size))
    }
}

impl Device {
    /// A fresh buffer. What is kept for others may be what is missing.
    fn buffer(&self, bytes: u64) -> Result<wgpu::Buffer> {
        let create = || {
            self.checked(|| {
                self.device.create_buffer(&wgpu::BufferDescriptor {
                    label: None,
                    size: bytes,
                    usage: USAGES,
                    mapped_at_creation: false,
                })
            })
        };
        create().or_else(|error| {
            if self.is_lost() || self.pool.memory().idle == 0 {
                return Err(error);
            }
            self.pool.forget_idle();
            self.poll(wgpu::PollType::wait_indefinitely())?;
            create()
        })
    }

    /// The error that there is no memory for so many words.
    fn short(&self, words: usize, memory: MemoryUse, need: Need<'_>) -> Error {
        let (what, location) = need();
        let (bytes, most) = (words as u64 * 4, self.target.binding_bytes & !3);
        let message = format!("the GPU is out of memory: {what} needs {bytes} bytes");
        let mut error = Error::new(ErrorKind::Device, message);
        if let Some(location) = location {
            error = error.at(location);
        }
        if bytes > most {
            let adapter = &self.info.adapter;
            let limit = format!("{adapter} has no more than {most} bytes for one array");
            return error.note(limit, None).help("compute in parts, or on the CPU");
        }
        error = error.note(format!("other arrays and programs hold {} bytes", memory.held), None);
        if memory.limit < u64::MAX {
            error = error.note(format!("no more than {} bytes may be held", memory.limit), None);
        }
        error.help("drop arrays that are no longer needed, compute in parts, or on the CPU")
    }

    /// Hands on what is in a buffer once all that was submitted is done.
    pub fn download(
        &self,
        source: &wgpu::Buffer,
        offset: u64,
        bytes: u64,
        read: impl FnOnce(&[u8]),
    ) -> Result<()> {
        let staging = self.checked(|| {
            let staging = self.device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: bytes,
                usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            let mut encoder = self.device.create_command_encoder(&Default::default());
            encoder.copy_buffer_to_buffer(source, offset, &staging, 0, bytes);
            self.queue.submit([encoder.finish()]);
            staging
        })?;
        let (answer, answered) = std::sync::mpsc::channel();
        // Sending fails only once this call has given up.
        staging.map_async(wgpu::MapMode::Read, .., move |result| drop(answer.send(result)));
        self.fault()?;
        self.poll(wgpu::PollType::wait_indefinitely())?;
        self.fault()?;
        let failed = |what: String| Error::new(ErrorKind::Device, what);
        // Another thread's poll may be the one that is about to deliver the answer.
        match answered.recv_timeout(Duration::from_secs(10)) {
            Ok(Ok(())) => {}
            Ok(Err(e)) => return Err(failed(format!("reading the GPU failed: {e}"))),
            Err(_) => return Err(failed("the GPU did not answer".into())),
        }
        let view = staging
            .get_mapped_range(..)
            .map_err(|e| failed(format!("reading the GPU failed: {e}")))?;
        read(&view);
        drop(view);
        staging.unmap();
        Ok(())
    }
}

impl GpuBuffer {
    pub(crate) fn new(memory: Arc<Memory>, ty: ArrayType) -> GpuBuffer {
        GpuBuffer { memory, ty }
    }

    /// Whether it lies on this very device.
    pub(crate) fn is_on(&self, device: &Arc<Device>) -> bool {
        Arc::ptr_eq(&self.memory.device, device)
    }
}

impl fmt::Debug for GpuBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GpuBuffer({}, {})", self.ty, self.memory.device.info.adapter)
    }
}

impl DeviceBuffer for GpuBuffer {
    fn to_host(&self) -> Result<HostBuffer> {
        let device = &self.memory.device;
        device.fault()?;
        let mut host = HostBuffer::try_zeroed(self.ty.bytes())?;
        let bytes = wgsl::words(&self.ty) as u64 * 4;
        if bytes == 0 {
            return Ok(host);
        }
        device.download(self.memory.buffer()?, 0, bytes, |view| {
            // Of words for these, no more than the first byte is used.
            let narrow = matches!(self.ty.dtype, DType::Bool | DType::U8);
            if !narrow {
                return host.bytes_mut().copy_from_slice(view);
            }
            for (to, from) in host.bytes_mut().iter_mut().zip(view.chunks_exact(4)) {
                *to = from[0];
            }
        })?;
        Ok(host)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Gpu {
    /// Copies a value to this device, unless it is there already.
    ///
    /// # Errors
    /// If the element type is not one of the device's, or memory runs out.
    pub fn put(&self, value: &Value) -> Result<Value> {
        let device = self.device()?;
        if on_device(&device, value).is_some() {
            return Ok(value.clone());
        }
        self.own_caps().check_type(value.ty(), || "the array".into())?;
        let need = || (format!("an array, {},", value.ty()), None);
        let memory = Memory::upload(&device, &wgsl::to_words(value)?, &need)?;
        let buffer = GpuBuffer::new(Arc::new(memory), value.ty().clone());
        Ok(Value::new(value.ty().clone(), Storage::Device(Box::new(buffer))))
    }
}

/// The memory of a value that lies on this device.
pub(crate) fn on_device(device: &Arc<Device>, value: &Value) -> Option<Arc<Memory>> {
    match value.storage() {
        Storage::Device(buffer) => {
            let buffer = buffer.as_any().downcast_ref::<GpuBuffer>()?;
            buffer.is_on(device).then(|| buffer.memory.clone())
        }
        Storage::Host(_) => None,
    }
}
