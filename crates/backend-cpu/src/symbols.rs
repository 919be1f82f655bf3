//! The functions that compiled code calls: the kernel table of this machine, and the doors to
//! everything else. Every one is `extern "C"`, never unwinds, and gives the upper halves of vector
//! registers back clean. There is no other way to make a [`Door`], so none forgets that.

use crate::crossing::Leaving;
use crate::library::{self, Descriptor, Factors, HostCall, Indexing};
use crate::threads::{self, PartFn};
use probpipe_kernels::{ArithmeticKernel, BinaryKernel, UnaryKernel, table};
use probpipe_trace::op::Cost;
use probpipe_trace::{BinaryOp, DType, UnaryOp};

/// The address of a function that compiled code may call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Door(usize);

impl Door {
    /// A kernel. The compiler itself puts the instruction that cleans the registers before every
    /// return of a function that it compiles for wide ones.
    fn to_kernel(address: usize) -> Door {
        Door(address)
    }

    /// As compiled code has it.
    pub(crate) fn address(self) -> i64 {
        self.0 as i64
    }
}

/// Doors, with the mode that what is behind them computes in.
macro_rules! doors {
    ($($(#[$doc:meta])*
        $leaving:ident $name:ident($($arg:ident: $ty:ty),*) $(-> $out:ty)? = $body:expr;)*) => {
        $(
            $(#[$doc])*
            pub(crate) fn $name() -> Door {
                unsafe extern "C" fn door($($arg: $ty),*) $(-> $out)? {
                    let _leaving = Leaving::$leaving();
                    // SAFETY: compiled code promises what is asked for there.
                    #[allow(unused_unsafe, reason = "some ask for nothing")]
                    unsafe {
                        $body($($arg),*)
                    }
                }
                Door(door as *const () as usize)
            }
        )*
    };
}

doors! {
    /// Dense linear algebra: `fn(descriptor, x, y, out)`.
    in_mode_of_program library(
        descriptor: *const Descriptor, x: *const u8, y: *const u8, out: *mut u8
    ) = library::library;
    /// Decompositions: `fn(descriptor, addresses)`.
    in_mode_of_program factors(descriptor: *const Factors, addresses: *const usize)
        = library::factors;
    /// Scatters, running reductions, sorts, special functions: `fn(descriptor, addresses)`.
    keeping_subnormals indexing(descriptor: *const Indexing, addresses: *const usize)
        = library::indexing;
    /// A function of the host: `fn(descriptor, addresses)`.
    in_mode_of_user host_call(descriptor: *const HostCall, addresses: *const usize)
        = library::host_call;
    /// Every part of a kernel: `fn(part, table, extent, points of a part, bytes of scratch)`.
    in_mode_of_program run_parts(
        function: PartFn, table: *const u64, extent: usize, part: usize, scratch_bytes: usize
    ) = threads::run_parts;
    in_mode_of_program remainder_single(x: f32, y: f32) -> f32 = std::ops::Rem::rem;
    in_mode_of_program remainder_double(x: f64, y: f64) -> f64 = std::ops::Rem::rem;
}

/// The kernel of a function has the name of its op.
fn unary_kernel(op: UnaryOp) -> Option<UnaryKernel> {
    let spec = op.spec();
    if spec.cost == Cost::Function { UnaryKernel::by_name(spec.name) } else { None }
}

fn binary_kernel(op: BinaryOp) -> Option<BinaryKernel> {
    let spec = op.spec();
    if spec.cost == Cost::Function { BinaryKernel::by_name(spec.name) } else { None }
}

/// `fn(x) -> y`, for the ops that are calls.
pub(crate) fn unary_scalar(op: UnaryOp, dtype: DType) -> Option<Door> {
    let kernel = unary_kernel(op)?;
    match dtype {
        DType::F32 => Some(Door::to_kernel(table().unary_scalar_f32(kernel) as usize)),
        DType::F64 => Some(Door::to_kernel(table().unary_scalar_f64(kernel) as usize)),
        _ => None,
    }
}

/// `fn(x, y) -> z`, for the ops that are calls.
pub(crate) fn binary_scalar(op: BinaryOp, dtype: DType) -> Option<Door> {
    let kernel = binary_kernel(op)?;
    match dtype {
        DType::F32 => Some(Door::to_kernel(table().binary_scalar_f32(kernel) as usize)),
        DType::F64 => Some(Door::to_kernel(table().binary_scalar_f64(kernel) as usize)),
        _ => None,
    }
}

/// `fn(dst, src, n)`, for the ops that are calls; `dst` and `src` do not overlap.
pub(crate) fn unary_tile(op: UnaryOp, dtype: DType) -> Option<Door> {
    let kernel = unary_kernel(op)?;
    match dtype {
        DType::F32 => Some(Door::to_kernel(table().unary_f32(kernel) as usize)),
        DType::F64 => Some(Door::to_kernel(table().unary_f64(kernel) as usize)),
        _ => None,
    }
}

/// `fn(dst, x, y, n)`, for the ops that are calls; `dst` overlaps neither.
pub(crate) fn binary_tile(op: BinaryOp, dtype: DType) -> Option<Door> {
    let kernel = binary_kernel(op)?;
    match dtype {
        DType::F32 => Some(Door::to_kernel(table().binary_f32(kernel) as usize)),
        DType::F64 => Some(Door::to_kernel(table().binary_f64(kernel) as usize)),
        _ => None,
    }
}

/// `fn(dst, x, y, n)` for float arithmetic, where a call is preferred to inline code.
pub(crate) fn arithmetic_tile(op: BinaryOp, dtype: DType) -> Option<Door> {
    let kernel = ArithmeticKernel::by_name(op.spec().name)?;
    match dtype {
        DType::F32 => Some(Door::to_kernel(table().arithmetic_f32(kernel) as usize)),
        DType::F64 => Some(Door::to_kernel(table().arithmetic_f64(kernel) as usize)),
        _ => None,
    }
}

/// `fn(dst, x, y, rows, columns, stride)`: a matrix times a vector, or with the vector on the left.
pub(crate) fn product(left: bool, dtype: DType) -> Option<Door> {
    match (dtype, left) {
        (DType::F32, false) => Some(Door::to_kernel(table().matrix_vector_f32() as usize)),
        (DType::F32, true) => Some(Door::to_kernel(table().vector_matrix_f32() as usize)),
        (DType::F64, false) => Some(Door::to_kernel(table().matrix_vector_f64() as usize)),
        (DType::F64, true) => Some(Door::to_kernel(table().vector_matrix_f64() as usize)),
        _ => None,
    }
}

/// `fn(dst0, dst1, k0, k1, x0, x1, n)`, with arrays of keys.
pub(crate) fn threefry() -> Door {
    Door::to_kernel(table().threefry() as usize)
}

/// `fn(dst0, dst1, k0, k1, x0, x1, n)`, with one key.
pub(crate) fn threefry_one_key() -> Door {
    Door::to_kernel(table().threefry_one_key() as usize)
}

/// `fn(x, y) -> x rem y` of floats.
pub(crate) fn remainder(dtype: DType) -> Option<Door> {
    match dtype {
        DType::F32 => Some(remainder_single()),
        DType::F64 => Some(remainder_double()),
        _ => None,
    }
}
