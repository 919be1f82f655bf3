//! Arrays that have a value: host memory, or a buffer that a backend keeps on its device.
//! No operation on values lives here, only storage and transfer.

use crate::{ArrayType, DType, Element, Error, ErrorKind, Result, Scalar, for_dtype};
use bytemuck::{Pod, Zeroable};
use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};

/// One cache line. Buffers are made of lines so that they are 64-byte aligned, which makes
/// 512-bit vector code up to 1.5 times faster than data at `Vec`'s natural alignment.
#[derive(Clone, Copy, Zeroable, Pod, Debug, Default)]
#[repr(C, align(64))]
pub struct Line([u64; 8]);

/// Untyped, 64-byte aligned host memory.
#[derive(Clone)]
pub struct HostBuffer {
    lines: Vec<Line>,
    bytes: usize,
}

impl HostBuffer {
    /// `bytes` zeroed bytes.
    pub fn zeroed(bytes: usize) -> HostBuffer {
        HostBuffer { lines: vec![Line([0; 8]); bytes.div_ceil(64)], bytes }
    }

    /// `bytes` bytes that fill `lines`, for backends that write results into memory of their own
    /// making. Lines that are too few are filled up with zeros, those too many are dropped.
    pub fn from_lines(mut lines: Vec<Line>, bytes: usize) -> HostBuffer {
        lines.resize(bytes.div_ceil(64), Line::default());
        HostBuffer { lines, bytes }
    }

    /// A copy of `data`.
    pub fn from_elements<T: Element>(data: &[T]) -> HostBuffer {
        let mut buffer = HostBuffer::zeroed(std::mem::size_of_val(data));
        for (to, from) in buffer.elements_mut::<T::Repr>().iter_mut().zip(data) {
            *to = from.to_repr();
        }
        buffer
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.lines)[..self.bytes]
    }

    /// The bytes, writable.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.bytes]
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

/// Memory of large buffers that are gone, kept for the next: fresh pages cost more than the work
/// that is done in them.
static SPARE: Mutex<Vec<Vec<Line>>> = Mutex::new(Vec::new());
/// Smaller buffers are the allocator's business.
const LARGE: usize = (256 << 10) / size_of::<Line>();
/// Most buffers, and most lines in all, that are kept.
const SPARES: usize = 16;
const SPARE_LINES: usize = (512 << 20) / size_of::<Line>();

/// An empty vector with room for `lines` lines, for buffers to be written whole.
pub fn spare_lines(lines: usize) -> Vec<Line> {
    if lines >= LARGE
        && let Ok(mut spare) = SPARE.lock()
        && let Some(at) = spare.iter().position(|v| (lines..=2 * lines).contains(&v.capacity()))
    {
        return spare.swap_remove(at);
    }
    Vec::with_capacity(lines)
}

impl Drop for HostBuffer {
    fn drop(&mut self) {
        if self.lines.capacity() < LARGE {
            return;
        }
        let mut lines = std::mem::take(&mut self.lines);
        lines.clear();
        if let Ok(mut spare) = SPARE.lock() {
            let kept: usize = spare.iter().map(Vec::capacity).sum();
            if spare.len() < SPARES && kept + lines.capacity() <= SPARE_LINES {
                spare.push(lines);
            }
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
    host: OnceLock<Result<HostBuffer>>,
}

impl Value {
    /// A value over existing storage. Host data must have the size that the type says.
    pub fn new(ty: ArrayType, storage: Storage) -> Value {
        if let Storage::Host(buffer) = &storage {
            debug_assert_eq!(buffer.bytes, ty.bytes());
        }
        Value(Arc::new(Inner { ty, storage, host: OnceLock::new() }))
    }

    /// A value in host memory.
    pub fn host(ty: ArrayType, buffer: HostBuffer) -> Value {
        Value::new(ty, Storage::Host(buffer))
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
        Ok(Value::host(ty, HostBuffer::from_elements(data)))
    }

    /// A rank-0 value of `dtype`; numbers convert as casts do.
    pub fn scalar(scalar: Scalar, dtype: DType) -> Value {
        Value::full(scalar, ArrayType::scalar(dtype))
    }

    /// An array filled with one number.
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
    pub fn ty(&self) -> &ArrayType {
        &self.0.ty
    }

    /// Where the data lies.
    pub fn storage(&self) -> &Storage {
        &self.0.storage
    }

    /// The data in host memory, copied from the device the first time.
    pub fn to_host(&self) -> Result<&HostBuffer> {
        match &self.0.storage {
            Storage::Host(buffer) => Ok(buffer),
            Storage::Device(device) => {
                self.0.host.get_or_init(|| device.to_host()).as_ref().map_err(Error::clone)
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
        Ok(self.to_host()?.elements::<T::Repr>().iter().map(|&r| T::from_repr(r)).collect())
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

    /// The address of the storage handle, as an identity while the value lives.
    pub fn id(&self) -> usize {
        Arc::as_ptr(&self.0) as *const () as usize
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

macro_rules! scalar_from {
    ($($t:ty => $variant:ident as $as:ty),*) => {$(
        impl From<$t> for Scalar {
            fn from(v: $t) -> Scalar { Scalar::$variant(v as $as) }
        }
    )*};
}
scalar_from!(f32 => Float as f64, f64 => Float as f64, i32 => Int as i128, i64 => Int as i128,
    u8 => Int as i128, u32 => Int as i128, u64 => Int as i128, bool => Bool as bool);
