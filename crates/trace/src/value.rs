//! Arrays that have a value: host memory, or a buffer that a backend keeps on its device.
//! No operation on values lives here, only storage and transfer.

use crate::dtype::{DType, Element, Scalar, for_dtype};
use crate::error::{Error, ErrorKind, Result};
use crate::memory::{Line, keep_lines, no_memory, note_alive, note_gone, spare_lines};
use crate::types::ArrayType;
use bytemuck::Pod;
use smallvec::SmallVec;
use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

/// What fits here lies in the value itself, without memory of its own.
const SMALL: usize = 64;

/// Untyped host memory: 64-byte aligned, or a few words in place.
pub struct HostBuffer {
    memory: Memory,
    bytes: usize,
}

enum Memory {
    Small([u64; SMALL / 8]),
    Lines(Vec<Line>),
}

impl HostBuffer {
    /// Whether a buffer of `bytes` bytes lies in place, without an allocation of its own. It is
    /// aligned to eight bytes then, and to 64 otherwise.
    #[inline]
    pub const fn is_small(bytes: usize) -> bool {
        bytes <= SMALL
    }

    fn new(memory: Memory, bytes: usize) -> HostBuffer {
        if let Memory::Lines(lines) = &memory {
            note_alive(lines);
        }
        HostBuffer { memory, bytes }
    }

    /// `bytes` zeroed bytes, of which there is no doubt that the system has them; see
    /// [`HostBuffer::try_zeroed`].
    pub fn zeroed(bytes: usize) -> HostBuffer {
        HostBuffer::try_zeroed(bytes).unwrap_or_else(|_| HostBuffer::from_lines(Vec::new(), bytes))
    }

    /// `bytes` zeroed bytes. An error where the system does not give so many.
    #[inline]
    pub fn try_zeroed(bytes: usize) -> Result<HostBuffer> {
        if HostBuffer::is_small(bytes) {
            return Ok(HostBuffer { memory: Memory::Small([0; SMALL / 8]), bytes });
        }
        Ok(HostBuffer::from_lines(spare_lines(bytes.div_ceil(size_of::<Line>()))?, bytes))
    }

    /// `bytes` bytes that fill `lines`, for backends that write results into memory of their own
    /// making. Lines that are too few are filled up with zeros, those too many are dropped.
    pub fn from_lines(mut lines: Vec<Line>, bytes: usize) -> HostBuffer {
        lines.resize(bytes.div_ceil(size_of::<Line>()), Line::default());
        HostBuffer::new(Memory::Lines(lines), bytes)
    }

    /// A copy of `data`.
    pub fn from_elements<T: Element>(data: &[T]) -> Result<HostBuffer> {
        let mut buffer = HostBuffer::try_zeroed(std::mem::size_of_val(data))?;
        for (to, from) in buffer.elements_mut::<T::Repr>().iter_mut().zip(data) {
            *to = from.to_repr();
        }
        Ok(buffer)
    }

    /// A copy.
    pub fn try_clone(&self) -> Result<HostBuffer> {
        Ok(match &self.memory {
            Memory::Small(words) => HostBuffer { memory: Memory::Small(*words), bytes: self.bytes },
            Memory::Lines(lines) => {
                let mut memory = spare_lines(lines.len())?;
                memory.extend_from_slice(lines);
                HostBuffer::new(Memory::Lines(memory), self.bytes)
            }
        })
    }

    /// The bytes.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        match &self.memory {
            Memory::Small(words) => &bytemuck::cast_slice(words)[..self.bytes],
            Memory::Lines(lines) => &bytemuck::cast_slice(lines)[..self.bytes],
        }
    }

    /// The bytes, writable.
    #[inline]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        match &mut self.memory {
            Memory::Small(words) => &mut bytemuck::cast_slice_mut(words)[..self.bytes],
            Memory::Lines(lines) => &mut bytemuck::cast_slice_mut(lines)[..self.bytes],
        }
    }

    /// The data as elements in their memory form (`u8` for `bool`).
    pub fn elements<R: Pod>(&self) -> &[R] {
        bytemuck::cast_slice(self.bytes())
    }

    /// The data as writable elements in their memory form.
    pub fn elements_mut<R: Pod>(&mut self) -> &mut [R] {
        bytemuck::cast_slice_mut(self.bytes_mut())
    }
}

impl Drop for HostBuffer {
    fn drop(&mut self) {
        if let Memory::Lines(lines) = &mut self.memory {
            note_gone(lines);
            keep_lines(std::mem::take(lines));
        }
    }
}

impl fmt::Debug for HostBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostBuffer({} bytes)", self.bytes)
    }
}

/// Memory on a device, owned by the backend that made it.
pub trait DeviceBuffer: Send + Sync + fmt::Debug {
    /// Copies the data to the host.
    fn to_host(&self) -> Result<HostBuffer>;
    /// For the owning backend to recognise its own buffers.
    fn as_any(&self) -> &dyn Any;
}

/// Where the data of a value lies.
#[derive(Debug)]
pub enum Storage {
    /// In host memory.
    Host(HostBuffer),
    /// On a device.
    Device(Box<dyn DeviceBuffer>),
}

/// An array with a value. Immutable, reference-counted.
#[derive(Clone)]
pub struct Value(Arc<Inner>);

struct Inner {
    ty: ArrayType,
    storage: Storage,
    /// The host copy of device data, made when first asked for.
    host: OnceLock<Box<Result<HostBuffer>>>,
    /// What was found out about the data; see [`Value::note`].
    facts: AtomicU32,
}

impl Value {
    /// A value over existing storage. Host data must have the size that the type says.
    #[inline]
    pub fn new(ty: ArrayType, storage: Storage) -> Value {
        if let Storage::Host(buffer) = &storage {
            debug_assert_eq!(buffer.bytes, ty.bytes());
        }
        Value(Arc::new(Inner { ty, storage, host: OnceLock::new(), facts: AtomicU32::new(0) }))
    }

    /// A value in host memory.
    #[inline]
    pub fn host(ty: ArrayType, buffer: HostBuffer) -> Value {
        Value::new(ty, Storage::Host(buffer))
    }

    /// Zeros in host memory.
    #[inline]
    pub fn zeroed(ty: ArrayType) -> Result<Value> {
        let buffer = HostBuffer::try_zeroed(ty.bytes())?;
        Ok(Value::host(ty, buffer))
    }

    /// The bytes of a value in host memory, writable while this is its only handle.
    #[inline]
    pub fn bytes_mut(&mut self) -> Option<&mut [u8]> {
        let inner = Arc::get_mut(&mut self.0)?;
        *inner.facts.get_mut() = 0;
        match &mut inner.storage {
            Storage::Host(buffer) => Some(buffer.bytes_mut()),
            Storage::Device(_) => None,
        }
    }

    /// Whether this is the only handle to the data, wherever that lies.
    #[inline]
    pub fn is_unshared(&mut self) -> bool {
        Arc::get_mut(&mut self.0).is_some()
    }

    /// A value from elements in row-major order; fails when their number does not fit the shape.
    pub fn from_elements<T: Element>(data: &[T], shape: &[usize]) -> Result<Value> {
        let ty = ArrayType::new(T::DTYPE, shape);
        if ty.size() != data.len() {
            return Err(Error::new(
                ErrorKind::Shape,
                format!("{} elements cannot fill {ty}, which has {}", data.len(), ty.size()),
            )
            .help("give as many elements as the product of the extents"));
        }
        Ok(Value::host(ty, HostBuffer::from_elements(data)?))
    }

    /// A rank-0 value of `dtype`; numbers convert as casts do.
    pub fn scalar(scalar: Scalar, dtype: DType) -> Value {
        Value::full(scalar, ArrayType::scalar(dtype))
    }

    /// An array filled with one number, of a size that fits without doubt.
    pub fn full(scalar: Scalar, ty: ArrayType) -> Value {
        let mut buffer = HostBuffer::zeroed(ty.bytes());
        macro_rules! fill {
            ($t:ty, $v:expr) => {
                buffer.elements_mut::<$t>().fill($v)
            };
        }
        match ty.dtype {
            DType::F32 => fill!(f32, scalar.as_f64() as f32),
            DType::F64 => fill!(f64, scalar.as_f64()),
            DType::I32 => fill!(i32, scalar.as_i128() as i32),
            DType::I64 => fill!(i64, scalar.as_i128() as i64),
            DType::U8 => fill!(u8, scalar.as_i128() as u8),
            DType::U32 => fill!(u32, scalar.as_i128() as u32),
            DType::U64 => fill!(u64, scalar.as_i128() as u64),
            DType::Bool => fill!(u8, u8::from(scalar.as_f64() != 0.0)),
        }
        Value::host(ty, buffer)
    }

    /// Element type and shape.
    #[inline]
    pub fn ty(&self) -> &ArrayType {
        &self.0.ty
    }

    /// Where the data lies.
    pub fn storage(&self) -> &Storage {
        &self.0.storage
    }

    /// The data in host memory, copied from the device the first time.
    #[inline]
    pub fn to_host(&self) -> Result<&HostBuffer> {
        match &self.0.storage {
            Storage::Host(buffer) => Ok(buffer),
            Storage::Device(device) => {
                let host = self.0.host.get_or_init(|| Box::new(device.to_host()));
                host.as_ref().as_ref().map_err(Error::clone)
            }
        }
    }

    /// Reads the elements; `T` must be the array's element type.
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        if T::DTYPE != self.ty().dtype {
            return Err(Error::new(
                ErrorKind::DType,
                format!("cannot read {} as {}", self.ty(), T::DTYPE),
            )
            .help(format!(
                "read it as `{0}`, or convert it first with `.cast(DType::{1:?})`",
                self.ty().dtype,
                T::DTYPE
            )));
        }
        let elements = self.to_host()?.elements::<T::Repr>();
        let mut list = Vec::new();
        let short = |_| no_memory(std::mem::size_of_val(elements));
        list.try_reserve_exact(elements.len()).map_err(short)?;
        list.extend(elements.iter().map(|&r| T::from_repr(r)));
        Ok(list)
    }

    /// Every element as a [`Scalar`], in row-major order.
    pub fn to_scalars(&self) -> Result<Vec<Scalar>> {
        for_dtype!(self.ty().dtype, T => {
            Ok(self.to_vec::<T>()?.into_iter().map(Scalar::from).collect())
        })
    }

    /// True if both handles share one storage.
    pub fn same(&self, other: &Value) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Notes facts about the data, as bits of a number whose meaning is the caller's, so that what
    /// was found out once need not be found out again. All handles share them; who writes to the
    /// data erases them.
    pub fn note(&self, facts: u32) {
        self.0.facts.fetch_or(facts, Ordering::Relaxed);
    }

    /// Whether all of these facts were noted; see [`Value::note`].
    #[inline]
    pub fn noted(&self, facts: u32) -> bool {
        self.0.facts.load(Ordering::Relaxed) & facts == facts
    }

    /// The address of the storage handle, as an identity while the value lives.
    pub fn id(&self) -> usize {
        Arc::as_ptr(&self.0) as *const () as usize
    }

    /// The same data under a type of the same size, without a copy where this is the only handle.
    /// Fails for another size.
    pub fn with_shape_of(self, ty: &ArrayType) -> Result<Value> {
        if self.ty() == ty {
            return Ok(self);
        }
        if self.ty().bytes() != ty.bytes() {
            let message = format!("a {} has not the size of a {ty}", self.ty());
            return Err(Error::new(ErrorKind::Shape, message)
                .help("ask for a type with as many elements of the same width"));
        }
        Ok(match self.into_host_buffer() {
            Ok(buffer) => Value::host(ty.clone(), buffer),
            Err(shared) => Value::host(ty.clone(), shared.to_host()?.try_clone()?),
        })
    }

    /// Takes the host buffer out if this is the only handle to it.
    pub fn into_host_buffer(self) -> std::result::Result<HostBuffer, Value> {
        match Arc::try_unwrap(self.0) {
            Ok(Inner { storage: Storage::Host(buffer), .. }) => Ok(buffer),
            Ok(inner) => Err(Value(Arc::new(inner))),
            Err(shared) => Err(Value(shared)),
        }
    }
}

/// Results of a program.
pub type Values = SmallVec<[Value; 4]>;

/// Arguments of a program that its caller gives up.
pub type Given = SmallVec<[Value; 8]>;

/// Bit equality of type and data (NaN equals the same NaN, 0.0 differs from -0.0).
impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        self.same(other)
            || self.ty() == other.ty()
                && match (self.to_host(), other.to_host()) {
                    (Ok(a), Ok(b)) => a.bytes() == b.bytes(),
                    _ => false,
                }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({})", self.ty())
    }
}
