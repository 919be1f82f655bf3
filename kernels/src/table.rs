//! The kernel table: one set of function pointers per instruction set, chosen once per process.
//!
//! AVX2 and AVX-512 run the same scalar formulas with fused multiply-adds and give the same bits.
//! The portable table rounds `a * b + c` twice unless the whole program is built with FMA (as it
//! always is on aarch64), so its last bits may differ.

use crate::functions::{arithmetic_functions, binary_functions, reductions, unary_functions};
use crate::instances;
#[cfg(target_arch = "x86_64")]
use crate::lane::{Fused32, Fused64};
use crate::lane::{Portable32, Portable64};
use crate::reduce;
use crate::tile;
use crate::vector;
use core::fmt;
use std::sync::OnceLock;

/// A unary tile kernel: `(dst, src, n)`.
///
/// # Safety
/// `dst` is valid for writes and `src` for reads of `n` elements, and the two do not overlap (not
/// even exactly: equal pointers are not allowed). No alignment beyond the element's is needed,
/// though 64 bytes is faster.
pub type UnaryTile<T> = unsafe extern "C" fn(*mut T, *const T, usize);
/// A binary tile kernel: `(dst, x, y, n)`. `x` and `y` may overlap each other, neither `dst`.
///
/// # Safety
/// As [`UnaryTile`].
pub type BinaryTile<T> = unsafe extern "C" fn(*mut T, *const T, *const T, usize);
/// A reduction kernel: `(src, n)`; `n` may be zero.
///
/// # Safety
/// `src` is valid for reads of `n` elements.
pub type ReduceTile<T> = unsafe extern "C" fn(*const T, usize) -> T;
/// A product of a matrix with contiguous rows and a vector: `(dst, x, y, rows, columns, stride)`,
/// the stride from row to row in elements.
///
/// # Safety
/// The matrix `x` and the vector `y` are valid for reads, `dst` is for writes and overlaps neither.
pub type ProductKernel<T> = unsafe extern "C" fn(*mut T, *const T, *const T, usize, usize, isize);
/// The scalar form of a unary kernel; the same bits as the tile.
pub type UnaryScalar<T> = extern "C" fn(T) -> T;
/// The scalar form of a binary kernel; the same bits as the tile.
pub type BinaryScalar<T> = extern "C" fn(T, T) -> T;
/// Threefry-2x32-20: `(dst0, dst1, k0, k1, x0, x1, n)`, arrays of keys and counters.
///
/// # Safety
/// All arrays have `n` elements; neither destination overlaps any other array.
pub type ThreefryTile =
    unsafe extern "C" fn(*mut u32, *mut u32, *const u32, *const u32, *const u32, *const u32, usize);
/// Threefry-2x32-20 under one key: `(dst0, dst1, k0, k1, x0, x1, n)`.
///
/// # Safety
/// As [`ThreefryTile`].
pub type ThreefryOneKeyTile =
    unsafe extern "C" fn(*mut u32, *mut u32, u32, u32, *const u32, *const u32, usize);

/// An enum with a variant for each row of a list.
macro_rules! kernel_enum {
    ($(#[$doc:meta])* $name:ident $($(#[$row:meta])* $variant:ident $text:literal
        $formula:path $(, rare $is_rare:path => $rare:path)?
        $(, easy $is_easy:path => $easy:path $(, also in blocks $blocks:literal)?)?;)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$row])* $variant,)*
        }
        impl $name {
            /// Every kernel, in the order of the list.
            pub const ALL: &[$name] = &[$($name::$variant,)*];

            /// The name in lower case, as in the text form of graphs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $($name::$variant => $text,)*
                }
            }

            /// The kernel with this name.
            #[must_use]
            pub fn by_name(name: &str) -> Option<$name> {
                match name {
                    $($text => Some($name::$variant),)*
                    _ => None,
                }
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

unary_functions!(kernel_enum!(
    /// The unary functions.
    UnaryKernel
));
binary_functions!(kernel_enum!(
    /// The binary functions.
    BinaryKernel
));
arithmetic_functions!(kernel_enum!(
    /// Arithmetic, which compiled code mostly has inline; a call is less to compile.
    ArithmeticKernel
));
reductions!(kernel_enum!(
    /// The reductions.
    ReduceKernel
));

const UNARY: usize = UnaryKernel::ALL.len();
const BINARY: usize = BinaryKernel::ALL.len();
const ARITHMETIC: usize = ArithmeticKernel::ALL.len();
const REDUCE: usize = ReduceKernel::ALL.len();

/// The kernels of one scalar type.
#[derive(Debug)]
struct Kernels<T: 'static> {
    unary: [UnaryTile<T>; UNARY],
    unary_scalar: [UnaryScalar<T>; UNARY],
    binary: [BinaryTile<T>; BINARY],
    binary_scalar: [BinaryScalar<T>; BINARY],
    arithmetic: [BinaryTile<T>; ARITHMETIC],
    reduce: [ReduceTile<T>; REDUCE],
    matrix_vector: ProductKernel<T>,
    vector_matrix: ProductKernel<T>,
}

/// An instruction set that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Isa {
    /// AVX-512 F, DQ, VL and BW.
    Avx512,
    /// AVX2 and FMA.
    Avx2,
    /// Whatever the program itself is compiled for.
    Portable,
}

impl Isa {
    /// Every instruction set, the widest first.
    pub const ALL: &[Isa] = &[Isa::Avx512, Isa::Avx2, Isa::Portable];

    /// The name that `PROBPIPE_ISA` takes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Isa::Avx512 => "avx512",
            Isa::Avx2 => "avx2",
            Isa::Portable => "portable",
        }
    }

    /// Whether this processor has it.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Isa::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma")
                    && is_x86_feature_detected!("bmi1")
                    && is_x86_feature_detected!("bmi2")
                    && is_x86_feature_detected!("lzcnt")
                    && is_x86_feature_detected!("popcnt")
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => {
                Isa::Avx2.is_available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512bw")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Isa::Avx2 | Isa::Avx512 => false,
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The kernels of one instruction set.
#[derive(Debug)]
pub struct KernelTable {
    isa: Isa,
    f32: Kernels<f32>,
    f64: Kernels<f64>,
    threefry: ThreefryTile,
    threefry_one_key: ThreefryOneKeyTile,
}

impl KernelTable {
    /// The instruction set.
    #[must_use]
    pub fn isa(&self) -> Isa {
        self.isa
    }
    /// The tile kernel of a unary function on `f32`.
    #[must_use]
    pub fn unary_f32(&self, kernel: UnaryKernel) -> UnaryTile<f32> {
        self.f32.unary[kernel as usize]
    }
    /// The tile kernel of a unary function on `f64`.
    #[must_use]
    pub fn unary_f64(&self, kernel: UnaryKernel) -> UnaryTile<f64> {
        self.f64.unary[kernel as usize]
    }
    /// The scalar form of a unary function on `f32`.
    #[must_use]
    pub fn unary_scalar_f32(&self, kernel: UnaryKernel) -> UnaryScalar<f32> {
        self.f32.unary_scalar[kernel as usize]
    }
    /// The scalar form of a unary function on `f64`.
    #[must_use]
    pub fn unary_scalar_f64(&self, kernel: UnaryKernel) -> UnaryScalar<f64> {
        self.f64.unary_scalar[kernel as usize]
    }
    /// The tile kernel of a binary function on `f32`.
    #[must_use]
    pub fn binary_f32(&self, kernel: BinaryKernel) -> BinaryTile<f32> {
        self.f32.binary[kernel as usize]
    }
    /// The tile kernel of a binary function on `f64`.
    #[must_use]
    pub fn binary_f64(&self, kernel: BinaryKernel) -> BinaryTile<f64> {
        self.f64.binary[kernel as usize]
    }
    /// The scalar form of a binary function on `f32`.
    #[must_use]
    pub fn binary_scalar_f32(&self, kernel: BinaryKernel) -> BinaryScalar<f32> {
        self.f32.binary_scalar[kernel as usize]
    }
    /// The scalar form of a binary function on `f64`.
    #[must_use]
    pub fn binary_scalar_f64(&self, kernel: BinaryKernel) -> BinaryScalar<f64> {
        self.f64.binary_scalar[kernel as usize]
    }
    /// The tile kernel of an arithmetic operation on `f32`.
    #[must_use]
    pub fn arithmetic_f32(&self, kernel: ArithmeticKernel) -> BinaryTile<f32> {
        self.f32.arithmetic[kernel as usize]
    }
    /// The tile kernel of an arithmetic operation on `f64`.
    #[must_use]
    pub fn arithmetic_f64(&self, kernel: ArithmeticKernel) -> BinaryTile<f64> {
        self.f64.arithmetic[kernel as usize]
    }
    /// The reduction of an `f32` tile.
    #[must_use]
    pub fn reduce_f32(&self, kernel: ReduceKernel) -> ReduceTile<f32> {
        self.f32.reduce[kernel as usize]
    }
    /// The reduction of an `f64` tile.
    #[must_use]
    pub fn reduce_f64(&self, kernel: ReduceKernel) -> ReduceTile<f64> {
        self.f64.reduce[kernel as usize]
    }
    /// `dst[i] = sum_j x[i, j] y[j]` for `f32`.
    #[must_use]
    pub fn matrix_vector_f32(&self) -> ProductKernel<f32> {
        self.f32.matrix_vector
    }
    /// `dst[i] = sum_j x[i, j] y[j]` for `f64`.
    #[must_use]
    pub fn matrix_vector_f64(&self) -> ProductKernel<f64> {
        self.f64.matrix_vector
    }
    /// `dst[j] = sum_i x[i, j] y[i]` for `f32`.
    #[must_use]
    pub fn vector_matrix_f32(&self) -> ProductKernel<f32> {
        self.f32.vector_matrix
    }
    /// `dst[j] = sum_i x[i, j] y[i]` for `f64`.
    #[must_use]
    pub fn vector_matrix_f64(&self) -> ProductKernel<f64> {
        self.f64.vector_matrix
    }
    /// Threefry with a key per counter.
    #[must_use]
    pub fn threefry(&self) -> ThreefryTile {
        self.threefry
    }
    /// Threefry with one key.
    #[must_use]
    pub fn threefry_one_key(&self) -> ThreefryOneKeyTile {
        self.threefry_one_key
    }
}

/// The array of one instantiation of each row of a list.
macro_rules! instantiated {
    ($module:ident::$instance:ident, $lane:ty, $formulas:ident; $($(#[$row:meta])*
        $variant:ident $text:literal $formula:path $(, rare $is_rare:path => $rare:path)?
        $(, easy $is_easy:path => $easy:path $(, also in blocks $blocks:literal)?)?;)*) => {
        [$(instances::$module::$instance::<$lane, $formulas::$variant>),*]
    };
}

macro_rules! kernels {
    ($module:ident, $lane:ty, $scalar:ty, $vector:ty) => {
        Kernels {
            unary: unary_functions!(instantiated!($module::unary_tile, $lane, tile;)),
            unary_scalar: unary_functions!(instantiated!($module::unary_scalar, $lane, tile;)),
            binary: binary_functions!(instantiated!($module::binary_tile, $lane, tile;)),
            binary_scalar: binary_functions!(instantiated!($module::binary_scalar, $lane, tile;)),
            arithmetic: arithmetic_functions!(instantiated!($module::binary_tile, $lane, tile;)),
            reduce: reductions!(instantiated!($module::reduce_tile, $scalar, reduce;)),
            matrix_vector: instances::$module::matrix_vector_product::<$vector>,
            vector_matrix: instances::$module::vector_matrix_product::<$vector>,
        }
    };
}

macro_rules! table {
    ($name:ident, $isa:ident, $module:ident,
        $lane32:ty, $lane64:ty, $vector32:ty, $vector64:ty) => {
        static $name: KernelTable = KernelTable {
            isa: Isa::$isa,
            f32: kernels!($module, $lane32, f32, $vector32),
            f64: kernels!($module, $lane64, f64, $vector64),
            threefry: instances::$module::threefry,
            threefry_one_key: instances::$module::threefry_one_key,
        };
    };
}

table!(PORTABLE, Portable, portable, Portable32, Portable64, vector::Array32, vector::Array64);
#[cfg(target_arch = "x86_64")]
table!(AVX2, Avx2, avx2, Fused32, Fused64, vector::Avx2F32, vector::Avx2F64);
#[cfg(target_arch = "x86_64")]
table!(AVX512, Avx512, avx512, Fused32, Fused64, vector::Avx512F32, vector::Avx512F64);

/// The table of one instruction set, if this processor has it.
#[must_use]
pub fn table_for(isa: Isa) -> Option<&'static KernelTable> {
    if !isa.is_available() {
        return None;
    }
    match isa {
        Isa::Portable => Some(&PORTABLE),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => Some(&AVX2),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => Some(&AVX512),
        #[cfg(not(target_arch = "x86_64"))]
        Isa::Avx2 | Isa::Avx512 => None,
    }
}

/// The table that this process uses: the widest that the processor has, or the one that the
/// environment variable `PROBPIPE_ISA` (`avx512`, `avx2`, `portable`) names. A name that is unknown
/// or not available here is ignored.
#[must_use]
pub fn table() -> &'static KernelTable {
    static CHOSEN: OnceLock<&'static KernelTable> = OnceLock::new();
    CHOSEN.get_or_init(|| {
        let wanted = std::env::var("PROBPIPE_ISA").ok();
        let named = Isa::ALL.iter().find(|isa| Some(isa.name()) == wanted.as_deref());
        let order = named.into_iter().chain(Isa::ALL);
        order.copied().find_map(table_for).unwrap_or(&PORTABLE)
    })
}
