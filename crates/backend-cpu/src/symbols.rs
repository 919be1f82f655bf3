//! Addresses of the functions that compiled code calls: the kernel table of this machine, and the
//! few functions that it does not have. Every one is `extern "C"` and never unwinds.

use probpipe_kernels::{ArithmeticKernel, BinaryKernel, UnaryKernel, table};
use probpipe_trace::op::Cost;
use probpipe_trace::{BinaryOp, DType, UnaryOp};

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
pub(crate) fn unary_scalar(op: UnaryOp, dtype: DType) -> Option<usize> {
    let kernel = unary_kernel(op)?;
    match dtype {
        DType::F32 => Some(table().unary_scalar_f32(kernel) as usize),
        DType::F64 => Some(table().unary_scalar_f64(kernel) as usize),
        _ => None,
    }
}

/// `fn(x, y) -> z`, for the ops that are calls.
pub(crate) fn binary_scalar(op: BinaryOp, dtype: DType) -> Option<usize> {
    let kernel = binary_kernel(op)?;
    match dtype {
        DType::F32 => Some(table().binary_scalar_f32(kernel) as usize),
        DType::F64 => Some(table().binary_scalar_f64(kernel) as usize),
        _ => None,
    }
}

/// `fn(dst, src, n)`, for the ops that are calls; `dst` and `src` do not overlap.
pub(crate) fn unary_tile(op: UnaryOp, dtype: DType) -> Option<usize> {
    let kernel = unary_kernel(op)?;
    match dtype {
        DType::F32 => Some(table().unary_f32(kernel) as usize),
        DType::F64 => Some(table().unary_f64(kernel) as usize),
        _ => None,
    }
}

/// `fn(dst, x, y, n)`, for the ops that are calls; `dst` overlaps neither.
pub(crate) fn binary_tile(op: BinaryOp, dtype: DType) -> Option<usize> {
    let kernel = binary_kernel(op)?;
    match dtype {
        DType::F32 => Some(table().binary_f32(kernel) as usize),
        DType::F64 => Some(table().binary_f64(kernel) as usize),
        _ => None,
    }
}

/// `fn(dst, x, y, n)` for float arithmetic, where a call is preferred to inline code.
pub(crate) fn arithmetic_tile(op: BinaryOp, dtype: DType) -> Option<usize> {
    let kernel = ArithmeticKernel::by_name(op.spec().name)?;
    match dtype {
        DType::F32 => Some(table().arithmetic_f32(kernel) as usize),
        DType::F64 => Some(table().arithmetic_f64(kernel) as usize),
        _ => None,
    }
}

/// `fn(dst, x, y, rows, columns, stride)`: a matrix times a vector, or with the vector on the left.
pub(crate) fn product(left: bool, dtype: DType) -> Option<usize> {
    match (dtype, left) {
        (DType::F32, false) => Some(table().matrix_vector_f32() as usize),
        (DType::F32, true) => Some(table().vector_matrix_f32() as usize),
        (DType::F64, false) => Some(table().matrix_vector_f64() as usize),
        (DType::F64, true) => Some(table().vector_matrix_f64() as usize),
        _ => None,
    }
}

/// `fn(dst0, dst1, k0, k1, x0, x1, n)`, with arrays of keys.
pub(crate) fn threefry() -> usize {
    table().threefry() as usize
}

/// `fn(dst0, dst1, k0, k1, x0, x1, n)`, with one key.
pub(crate) fn threefry_one_key() -> usize {
    table().threefry_one_key() as usize
}

/// `fn(x, y) -> x rem y` of floats.
pub(crate) fn remainder(dtype: DType) -> Option<usize> {
    extern "C" fn single(x: f32, y: f32) -> f32 {
        x % y
    }
    extern "C" fn double(x: f64, y: f64) -> f64 {
        x % y
    }
    match dtype {
        DType::F32 => Some(single as *const () as usize),
        DType::F64 => Some(double as *const () as usize),
        _ => None,
    }
}
