//! An opened device: adapter, queue, pipelines by their text, its pool of memory and the faults
//! that the driver reports. wgpu panics on errors by default; here every creation runs in an error
//! scope, and what no scope catches is kept and returned by the next call that waits or submits.
//! A device that is lost is an error once, and the next call opens another.

use crate::cache::{Cache, PipelineFile, Pipelines};
use crate::kept::Kept;
use crate::lock::lock;
use crate::pool::{MemoryUse, Pool};
use crate::wgsl::{Module, Shader, Target};
use probpipe_trace::{Caps, DType, Error, ErrorKind, LaneForm, Loc, Result};
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::fmt;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

/// Submissions in flight before a new one waits for the oldest: enough to keep the device busy,
/// few enough to bound the memory of command buffers.
const IN_FLIGHT: usize = 16;

/// Bytes of shaders that are worth a thread of their own: about 200 lines, a few milliseconds.
const TEXT_PER_THREAD: usize = 10_000;

/// Mesa's software driver (seen with 22.3.6) leaves every loop of a shader, without a word, once
/// all of them together have gone round 65,535 times.
const SOFTWARE_ROUNDS: usize = 60_000;

/// An opened GPU. Cheap to clone; clones share the device.
#[derive(Clone)]
pub struct Gpu {
    opened: Arc<Opened>,
    /// What its shaders are written for.
    pub(crate) target: Target,
}

/// What clones share.
struct Opened {
    /// The device, another one after it was lost.
    device: Mutex<Arc<Device>>,
    info: Info,
    /// Where pipelines are kept.
    place: Pipelines,
}

/// What is known of an opened GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// The adapter: `NVIDIA H200`, `llvmpipe (LLVM 15.0.6, 256 bits)`.
    pub adapter: String,
    /// The interface: `vulkan`, `metal`, `dx12`.
    pub backend: String,
    /// The driver and its version.
    pub driver: String,
    /// The device is a CPU in disguise.
    pub software: bool,
}

/// The shared state behind [`Gpu`].
pub(crate) struct Device {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub info: Info,
    pub target: Target,
    pub alignment: usize,
    pub pool: Pool,
    pipelines: Mutex<Kept<PipelineKey, Pipeline>>,
    cache: Option<Cache>,
    faults: Arc<Mutex<Option<Error>>>,
    /// Why the device is gone, once it is.
    lost: Arc<OnceLock<String>>,
    /// Whether somebody was told so.
    told: AtomicBool,
    in_flight: Mutex<VecDeque<wgpu::SubmissionIndex>>,
    /// What is bound where nothing is done.
    nothing: OnceLock<[wgpu::Buffer; 2]>,
}

/// A pipeline is its text, what it binds (true: writable) and its bytes of immediates.
type PipelineKey = (String, Vec<bool>, u32);

/// A compute pipeline with the layout of its bind group.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub pipeline: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
}

impl Gpu {
    /// What shaders can run on every adapter: arrays of all types but `f64`, and no work off the
    /// device.
    pub const CAPS: Caps = Caps {
        backend: "gpu",
        dtypes: &[
            DType::F32,
            DType::I32,
            DType::I64,
            DType::U8,
            DType::U32,
            DType::U64,
            DType::Bool,
        ],
        special: true,
        serial: true,
        factors: true,
        conditions: true,
        callbacks: false,
        lanes: LaneForm::Apart,
    };

    /// What shaders can run on this adapter: in `f64`, too, where it computes in double precision
    /// and with integers of 64 bits.
    pub(crate) fn own_caps(&self) -> Caps {
        let dtypes = if self.target.double { &DType::ALL } else { Gpu::CAPS.dtypes };
        Caps { dtypes, ..Gpu::CAPS }
    }

    /// Opens the most capable adapter, a software one if there is no other.
    ///
    /// # Errors
    /// [`ErrorKind::Device`] if there is no adapter or it cannot be opened.
    pub fn open() -> Result<Gpu> {
        Gpu::open_keeping(Pipelines::default())
    }

    /// [`Gpu::open`] with compiled pipelines kept in a folder of choice, where the driver has a
    /// cache of them.
    ///
    /// # Errors
    /// As [`Gpu::open`]. A folder that cannot be read or written is none.
    pub fn open_keeping(place: Pipelines) -> Result<Gpu> {
        let device = Device::open(&place)?;
        let (info, target) = (device.info.clone(), device.target);
        let opened = Opened { device: Mutex::new(Arc::new(device)), info, place };
        Ok(Gpu { opened: Arc::new(opened), target })
    }

    /// The device. One that was lost is opened anew, once somebody was told.
    pub(crate) fn device(&self) -> Result<Arc<Device>> {
        let mut device = lock(&self.opened.device);
        if device.is_lost() && device.told.load(Ordering::Relaxed) {
            let limit = device.pool.memory().limit;
            *device = Arc::new(Device::open(&self.opened.place)?);
            device.pool.limit(limit);
        }
        Ok(device.clone())
    }

    /// Gives the device up, as a driver does that resets it: what runs there ends in an error, and
    /// so does the next call; the one after it works on another device. Arrays that lie there are
    /// gone.
    pub fn destroy(&self) {
        let device = lock(&self.opened.device).clone();
        device.device.destroy();
        device.lost.get_or_init(|| "it was destroyed".into());
    }

    /// How much memory arrays and programs hold. Idle memory is not of the device's arrays, but
    /// still taken from others.
    pub fn memory(&self) -> MemoryUse {
        lock(&self.opened.device).pool.memory()
    }

    /// Has arrays and programs hold no more than so many bytes. More is an error that says what
    /// for.
    pub fn limit_memory(&self, bytes: u64) {
        lock(&self.opened.device).pool.limit(bytes);
    }

    /// Begins anew to watch for the most that is held.
    pub fn forget_peak(&self) {
        lock(&self.opened.device).pool.forget_peak();
    }

    /// The device that this process shares, opened when first asked for.
    ///
    /// # Errors
    /// As [`Gpu::open`]; the first outcome is kept.
    pub fn shared() -> Result<Gpu> {
        static SHARED: OnceLock<Result<Gpu>> = OnceLock::new();
        SHARED.get_or_init(Gpu::open).clone()
    }

    /// The file that compiled pipelines are kept in between processes, where the driver has a cache
    /// of them and there is a folder.
    pub fn pipeline_file(&self) -> Option<PipelineFile> {
        lock(&self.opened.device).cache.as_ref().map(|cache| cache.file.clone())
    }

    /// What shaders are written for.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The same device, with shaders as for one with other properties.
    #[must_use]
    pub fn written_for(&self, target: Target) -> Gpu {
        Gpu { opened: self.opened.clone(), target }
    }

    /// The adapter and the interface that it is driven through.
    pub fn info(&self) -> &Info {
        &self.opened.info
    }
}

impl fmt::Debug for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gpu({}, {})", self.info().adapter, self.info().backend)
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Device({})", self.info.adapter)
    }
}

fn convert(error: wgpu::Error) -> Error {
    match error {
        wgpu::Error::OutOfMemory { .. } => {
            Error::new(ErrorKind::Device, "the GPU is out of memory")
                .help("drop arrays that are no longer needed, or use smaller ones")
        }
        wgpu::Error::Validation { description, .. } => {
            Error::new(ErrorKind::Internal, format!("the GPU refused a command: {description}"))
        }
        wgpu::Error::Internal { description, .. } => {
            Error::new(ErrorKind::Device, format!("the GPU driver failed: {description}"))
        }
    }
}

impl Device {
    /// Opens the most capable adapter.
    fn open(place: &Pipelines) -> Result<Device> {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        descriptor.backends = wgpu::Backends::PRIMARY;
        let instance = wgpu::Instance::new(descriptor);
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..Default::default()
        };
        let adapter = pollster::block_on(instance.request_adapter(&options)).map_err(|e| {
            Error::new(ErrorKind::Device, format!("no GPU adapter was found: {e}"))
                .help("install a Vulkan driver; on Debian mesa-vulkan-drivers gives a software one")
        })?;
        let limits = adapter.limits();
        // In shaders, bits of `f64` are integers of 64 bits.
        let double = wgpu::Features::SHADER_F64 | wgpu::Features::SHADER_INT64;
        let wanted = wgpu::Features::IMMEDIATES | wgpu::Features::PIPELINE_CACHE | double;
        let features = adapter.features() & wanted;
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("probpipe"),
            required_features: features,
            required_limits: limits.clone(),
            ..Default::default()
        };
        let about = adapter.get_info();
        let (device, queue) =
            pollster::block_on(adapter.request_device(&descriptor)).map_err(|e| {
                Error::new(ErrorKind::Device, format!("cannot open `{}`: {e}", about.name))
                    .help("update the driver, or choose another device")
            })?;
        let faults: Arc<Mutex<Option<Error>>> = Arc::default();
        let sink = faults.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            lock(&sink).get_or_insert_with(|| convert(error));
        }));
        let lost: Arc<OnceLock<String>> = Arc::default();
        let sink = lost.clone();
        // It comes, too, when the last handle is dropped, and then nobody is left to ask.
        device.set_device_lost_callback(move |_, message| {
            sink.get_or_init(|| message);
        });
        let cache = Cache::open(&device, &about, place);
        let software = about.device_type == wgpu::DeviceType::Cpu;
        let has_immediates = features.contains(wgpu::Features::IMMEDIATES);
        let target = Target {
            software,
            storage_buffers: limits.max_storage_buffers_per_shader_stage as usize,
            binding_bytes: limits.max_storage_buffer_binding_size.min(limits.max_buffer_size),
            immediate_bytes: if has_immediates { limits.max_immediate_size as usize } else { 0 },
            workgroups: limits.max_compute_workgroups_per_dimension as usize,
            rounds: if software { SOFTWARE_ROUNDS } else { 1 << 24 },
            double: features.contains(double),
        };
        Ok(Device {
            device,
            queue,
            info: Info {
                adapter: about.name,
                backend: about.backend.to_string(),
                driver: format!("{} {}", about.driver, about.driver_info).trim().to_string(),
                software,
            },
            target,
            alignment: limits.min_storage_buffer_offset_alignment as usize,
            pool: Pool::new(u64::MAX),
            pipelines: Mutex::default(),
            cache,
            faults,
            lost,
            told: AtomicBool::new(false),
            in_flight: Mutex::default(),
            nothing: OnceLock::new(),
        })
    }

    /// Whether it is gone.
    pub fn is_lost(&self) -> bool {
        self.lost.get().is_some()
    }

    /// Runs a creation and gives its error, if any, instead of letting it reach the handler.
    pub fn checked<T>(&self, create: impl FnOnce() -> T) -> Result<T> {
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let internal = self.device.push_error_scope(wgpu::ErrorFilter::Internal);
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let made = create();
        let faults =
            [validation.pop().await_now(), internal.pop().await_now(), memory.pop().await_now()];
        // What is made on a device that is gone is nothing, without an error.
        self.alive()?;
        match faults.into_iter().flatten().next() {
            Some(error) => Err(convert(error)),
            None => Ok(made),
        }
    }

    /// An error where it is gone.
    fn alive(&self) -> Result<()> {
        let Some(why) = self.lost.get() else { return Ok(()) };
        self.told.store(true, Ordering::Relaxed);
        Err(Error::new(ErrorKind::Device, format!("the GPU was lost: {why}"))
            .help("call again, which opens it anew; arrays that were there have to be made again"))
    }

    /// A fault that the driver reported outside of any scope.
    pub fn fault(&self) -> Result<()> {
        self.alive()?;
        match &*lock(&self.faults) {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    /// Submits commands; waits for the oldest submission if too many are in flight.
    pub fn submit(&self, commands: wgpu::CommandBuffer) -> Result<()> {
        let index = self.queue.submit([commands]);
        self.fault()?;
        let oldest = {
            let mut in_flight = lock(&self.in_flight);
            in_flight.push_back(index);
            if in_flight.len() > IN_FLIGHT { in_flight.pop_front() } else { None }
        };
        match oldest {
            Some(index) => {
                self.poll(wgpu::PollType::Wait { submission_index: Some(index), timeout: None })?;
            }
            None => self.poll(wgpu::PollType::Poll)?,
        }
        self.fault()
    }

    /// Drives the device. wgpu panics where a device is lost while it waits.
    pub fn poll(&self, kind: wgpu::PollType) -> Result<()> {
        let polled = catch_unwind(AssertUnwindSafe(|| self.device.poll(kind)));
        let failed = |why: String| {
            Err(Error::new(ErrorKind::Device, format!("waiting for the GPU failed: {why}")))
        };
        match polled {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(e)) => self.alive().and_then(|()| failed(e.to_string())),
            Err(_) => {
                self.lost.get_or_init(|| "it failed while it was waited for".into());
                self.alive()
            }
        }
    }

    /// The pipelines of all shaders.
    pub fn pipelines(&self, module: &Module) -> Result<Vec<Arc<Pipeline>>> {
        let pipelines = self.made(module);
        if let Some(cache) = &self.cache {
            cache.write();
        }
        pipelines
    }

    /// Drivers compile when a pipeline is made, each on the thread that asks for it, so several
    /// threads ask.
    fn made(&self, module: &Module) -> Result<Vec<Arc<Pipeline>>> {
        let one = |shader: &Shader| {
            let slots = module.groups[shader.group].iter();
            let writable: Vec<bool> = slots.map(|slot| slot.writable()).collect();
            self.pipeline(&shader.text, &writable, shader.loops as u32 * 4, shader.location)
        };
        let lines: usize = module.shaders.iter().map(|shader| shader.text.len()).sum();
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        let threads = threads.min(module.shaders.len()).min(lines / TEXT_PER_THREAD);
        if threads <= 1 {
            return module.shaders.iter().map(one).collect();
        }
        // The long ones first, so that no thread is left with one at the end.
        let mut order: Vec<usize> = (0..module.shaders.len()).collect();
        order.sort_by_key(|&i| Reverse(module.shaders[i].text.len()));
        let next = AtomicUsize::new(0);
        let made: Vec<OnceLock<Result<Arc<Pipeline>>>> =
            module.shaders.iter().map(|_| OnceLock::new()).collect();
        let work = || {
            while let Some(&i) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                made[i].get_or_init(|| one(&module.shaders[i]));
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
        let missing = || Err(Error::new(ErrorKind::Internal, "a pipeline was not made"));
        made.into_iter().map(|made| made.into_inner().unwrap_or_else(missing)).collect()
    }

    /// The pipeline of a shader, compiled unless a program of this device has used it of late.
    fn pipeline(
        &self,
        text: &str,
        writable: &[bool],
        immediate_bytes: u32,
        location: Loc,
    ) -> Result<Arc<Pipeline>> {
        let key = (text.to_string(), writable.to_vec(), immediate_bytes);
        if let Some(known) = lock(&self.pipelines).get(&key) {
            return Ok(known);
        }
        let entries: Vec<wgpu::BindGroupLayoutEntry> = (0..)
            .zip(writable)
            .map(|(binding, &writable)| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Storage { read_only: !writable },
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            })
            .collect();
        let made = self.checked(|| {
            let module = self.device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: None,
                source: wgpu::ShaderSource::Wgsl(text.into()),
            });
            let layout = self.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: None,
                entries: &entries,
            });
            let pipeline_layout =
                self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                    label: None,
                    bind_group_layouts: &[Some(&layout)],
                    immediate_size: immediate_bytes,
                });
            let pipeline = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: None,
                layout: Some(&pipeline_layout),
                module: &module,
                entry_point: Some("main"),
                compilation_options: Default::default(),
                cache: self.cache.as_ref().map(|cache| &cache.cache),
            });
            Pipeline { pipeline, layout }
        });
        let made = Arc::new(made.map_err(|e| e.at(location))?);
        if self.info.software {
            self.begin(&made, writable, immediate_bytes)?;
        }
        lock(&self.pipelines).insert(key, made.clone());
        if let Some(cache) = &self.cache {
            cache.note();
        }
        Ok(made)
    }

    /// Has a driver compile a pipeline now that would when it is first dispatched: Mesa's software
    /// driver does so on a thread of its own, which may as well work while others are made.
    fn begin(&self, made: &Pipeline, writable: &[bool], immediate_bytes: u32) -> Result<()> {
        // WGSL does not let a buffer be read under two names that one writes.
        let [read, written] = self.nothing.get_or_init(|| {
            [(); 2].map(|()| {
                self.device.create_buffer(&wgpu::BufferDescriptor {
                    label: None,
                    size: 16,
                    usage: wgpu::BufferUsages::STORAGE,
                    mapped_at_creation: false,
                })
            })
        });
        let entries: Vec<wgpu::BindGroupEntry<'_>> = (0..)
            .zip(writable)
            .map(|(binding, &writable)| wgpu::BindGroupEntry {
                binding,
                resource: if writable { written } else { read }.as_entire_binding(),
            })
            .collect();
        let commands = self.checked(|| {
            let group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: None,
                layout: &made.layout,
                entries: &entries,
            });
            let mut encoder = self.device.create_command_encoder(&Default::default());
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.set_pipeline(&made.pipeline);
            pass.set_bind_group(0, &group, &[]);
            if immediate_bytes > 0 {
                pass.set_immediates(0, &vec![0; immediate_bytes as usize]);
            }
            pass.dispatch_workgroups(0, 1, 1);
            drop(pass);
            encoder.finish()
        })?;
        self.submit(commands)
    }
}

/// Error scopes resolve at once on native devices.
trait AwaitNow: Future + Sized {
    fn await_now(self) -> Self::Output {
        pollster::block_on(self)
    }
}

impl<F: Future> AwaitNow for F {}
