//! Reading of the reference values and measuring of errors; shared by the tests and the examples.
#![allow(dead_code, missing_docs)]

use probpipe_kernels::{BinaryKernel, KernelTable, UnaryKernel};
use probpipe_testing::reference::{self, numbers};
use probpipe_testing::ulp;
use probpipe_trace::DType;

/// A scalar type that kernels exist for.
pub trait Real: Copy + PartialEq + Default + std::fmt::Debug + 'static {
    const NAME: &'static str;
    fn from_f64(x: f64) -> Self;
    fn to_f64(self) -> f64;
    fn to_bits64(self) -> u64;
    /// The distance to the next number away from zero.
    fn ulp(self) -> f64;
    fn unary(table: &KernelTable, kernel: UnaryKernel, dst: &mut [Self], src: &[Self]);
    fn unary_one(table: &KernelTable, kernel: UnaryKernel, x: Self) -> Self;
    fn binary(table: &KernelTable, kernel: BinaryKernel, dst: &mut [Self], x: &[Self], y: &[Self]);
    fn binary_one(table: &KernelTable, kernel: BinaryKernel, x: Self, y: Self) -> Self;
}

macro_rules! real {
    ($float:ident, $dtype:ident, $unary:ident, $unary_scalar:ident, $binary:ident,
     $binary_scalar:ident) => {
        impl Real for $float {
            const NAME: &'static str = stringify!($float);
            fn from_f64(x: f64) -> Self {
                x as $float
            }
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            fn to_bits64(self) -> u64 {
                u64::from(self.to_bits())
            }
            fn ulp(self) -> f64 {
                ulp(f64::from(self), DType::$dtype)
            }
            fn unary(table: &KernelTable, kernel: UnaryKernel, dst: &mut [Self], src: &[Self]) {
                assert_eq!(dst.len(), src.len());
                // SAFETY: two distinct slices of the same length; tables exist only where they run.
                unsafe { table.$unary(kernel)(dst.as_mut_ptr(), src.as_ptr(), src.len()) }
            }
            fn unary_one(table: &KernelTable, kernel: UnaryKernel, x: Self) -> Self {
                table.$unary_scalar(kernel)(x)
            }
            fn binary(
                table: &KernelTable,
                kernel: BinaryKernel,
                dst: &mut [Self],
                x: &[Self],
                y: &[Self],
            ) {
                assert!(dst.len() == x.len() && dst.len() == y.len());
                // SAFETY: distinct slices of the same length; tables exist only where they run.
                unsafe {
                    table.$binary(kernel)(dst.as_mut_ptr(), x.as_ptr(), y.as_ptr(), x.len());
                }
            }
            fn binary_one(table: &KernelTable, kernel: BinaryKernel, x: Self, y: Self) -> Self {
                table.$binary_scalar(kernel)(x, y)
            }
        }
    };
}
real!(f32, F32, unary_f32, unary_scalar_f32, binary_f32, binary_scalar_f32);
real!(f64, F64, unary_f64, unary_scalar_f64, binary_f64, binary_scalar_f64);

/// Reference values of one function in one precision.
#[derive(Debug)]
pub struct Case {
    pub function: String,
    pub precision: String,
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    pub value: Vec<f64>,
    /// What rounding `value` lost, in ulp.
    pub rest: Vec<f64>,
}

/// All cases of the committed file.
pub fn cases() -> Vec<Case> {
    let list =
        reference::cases(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/elementwise.json"));
    list.iter()
        .map(|case| Case {
            function: case["fn"].as_str().expect("a name").to_owned(),
            precision: case["type"].as_str().expect("a type").to_owned(),
            x: numbers(&case["x"]),
            y: numbers(&case["y"]),
            value: numbers(&case["value"]),
            rest: numbers(&case["rest"]),
        })
        .collect()
}

/// The error of `got` in ulp; infinite where a special value (NaN, infinity, zero's sign) differs.
pub fn error_ulp<T: Real>(got: T, value: f64, rest: f64) -> f64 {
    // The file has the shortest decimals, which name an f32 only after rounding to f32.
    let (got, value) = (got.to_f64(), T::from_f64(value).to_f64());
    if value.is_nan() || got.is_nan() {
        return if value.is_nan() && got.is_nan() { 0.0 } else { f64::INFINITY };
    }
    if value.is_infinite() || got.is_infinite() {
        return if value == got { 0.0 } else { f64::INFINITY };
    }
    if value == 0.0 && got == 0.0 && value.is_sign_negative() != got.is_sign_negative() {
        return f64::INFINITY;
    }
    ((got - value) / T::from_f64(value).ulp() - rest).abs()
}

/// The worst error of a case, in ulp, and the arguments where it is.
pub fn worst<T: Real>(table: &KernelTable, case: &Case) -> (f64, f64, f64) {
    let cast = |list: &[f64]| list.iter().map(|&v| T::from_f64(v)).collect::<Vec<T>>();
    let (x, y) = (cast(&case.x), cast(&case.y));
    let mut got = vec![T::default(); x.len()];
    if let Some(kernel) = UnaryKernel::by_name(&case.function) {
        T::unary(table, kernel, &mut got, &x);
    } else {
        let kernel = BinaryKernel::by_name(&case.function);
        T::binary(table, kernel.expect("a known function"), &mut got, &x, &y);
    }
    let mut worst = (0.0, f64::NAN, f64::NAN);
    for (i, &got) in got.iter().enumerate() {
        let error = error_ulp(got, case.value[i], case.rest[i]);
        if error > worst.0 {
            worst = (error, case.x[i], case.y.get(i).copied().unwrap_or(f64::NAN));
        }
    }
    worst
}

/// The error in ulp that `docs/accuracy.md` promises: `(f32, f64)`. The complement of erf is
/// allowed its conditioning on top, but the reference points do not need it.
pub fn promised(function: &str) -> (f64, f64) {
    match function {
        "pow" | "asinh" | "acosh" | "atanh" | "erfc" => (4.0, 4.0),
        "lgamma" | "digamma" => (6.0, 6.0),
        "log2" => (1.0, 1.0),
        "erf_inv" => (8.0, 4.0),
        _ => (4.0, 2.0),
    }
}
