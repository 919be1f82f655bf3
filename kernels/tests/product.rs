//! Products of matrices and vectors: against sums in exact order-free arithmetic, and to the bit
//! between instruction sets.

use probpipe_kernels::{Isa, KernelTable, ProductKernel, table_for};

fn tables() -> impl Iterator<Item = &'static KernelTable> {
    Isa::ALL.iter().filter_map(|&isa| table_for(isa))
}

/// Numbers in (-1, 1) with few bits, from a seed.
fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let next = |_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / f64::from(1 << 23) - 1.0
    };
    (0..count).map(next).collect()
}

trait Float: Copy + Into<f64> + PartialEq {
    const EPSILON: f64;
    fn of(x: f64) -> Self;
    fn bits(self) -> u64;
    /// Matrix times vector, vector times matrix.
    fn kernels(table: &KernelTable) -> [ProductKernel<Self>; 2];
}

macro_rules! float {
    ($t:ident, $matrix_vector:ident, $vector_matrix:ident) => {
        impl Float for $t {
            const EPSILON: f64 = $t::EPSILON as f64;
            fn of(x: f64) -> $t {
                x as $t
            }
            fn bits(self) -> u64 {
                if self.is_nan() { u64::MAX } else { u64::from(self.to_bits()) }
            }
            fn kernels(table: &KernelTable) -> [ProductKernel<$t>; 2] {
                [table.$matrix_vector(), table.$vector_matrix()]
            }
        }
    };
}
float!(f32, matrix_vector_f32, vector_matrix_f32);
float!(f64, matrix_vector_f64, vector_matrix_f64);

/// A matrix in a larger array of NaN, and where it begins.
struct Case<T> {
    data: Vec<T>,
    at: usize,
    rows: usize,
    columns: usize,
    stride: isize,
}

impl<T: Float> Case<T> {
    fn new(rows: usize, columns: usize, gap: isize, values: &[f64]) -> Case<T> {
        let stride = if gap < 0 { -(columns as isize) + gap } else { columns as isize + gap };
        let span = stride.unsigned_abs() * rows.saturating_sub(1) + columns;
        let mut data = vec![T::of(f64::NAN); span + 2];
        let at = 1 + if gap < 0 { span - columns } else { 0 };
        for (e, &value) in values.iter().enumerate() {
            let (i, j) = ((e / columns) as isize, (e % columns) as isize);
            data[(at as isize + i * stride + j) as usize] = T::of(value);
        }
        Case { data, at, rows, columns, stride }
    }

    fn run(&self, kernel: ProductKernel<T>, y: &[T], length: usize) -> Vec<T> {
        let mut out = vec![T::of(f64::NAN); length + 1];
        let x = self.data[self.at..].as_ptr();
        // SAFETY: the matrix lies in `data` by construction; `y` and `out` have the lengths asked.
        unsafe { kernel(out.as_mut_ptr(), x, y.as_ptr(), self.rows, self.columns, self.stride) };
        assert_eq!(out[length].bits(), u64::MAX, "wrote too much");
        out.truncate(length);
        out
    }
}

fn check<T: Float>() {
    let rows = [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 40, 255, 256, 257, 700];
    let columns = [0, 1, 5, 7, 8, 9, 15, 16, 17, 25, 31, 32, 33, 48, 64, 65, 100, 130, 511, 600];
    for m in rows {
        for n in columns {
            for gap in [0, 3, -2] {
                let values = numbers(m * n, (m * 1000 + n) as u64);
                let vector = numbers(m.max(n), 17);
                let case = Case::<T>::new(m, n, gap, &values);
                let y: Vec<T> = vector.iter().map(|&v| T::of(v)).collect();
                check_one(&case, &values, &vector, &y, 0, m);
                check_one(&case, &values, &vector, &y, 1, n);
            }
        }
    }
}

fn check_one<T: Float>(
    case: &Case<T>,
    values: &[f64],
    vector: &[f64],
    y: &[T],
    which: usize,
    length: usize,
) {
    let (m, n) = (case.rows, case.columns);
    let mut seen: Option<Vec<T>> = None;
    for table in tables() {
        let out = case.run(T::kernels(table)[which], y, length);
        for (o, &have) in out.iter().enumerate() {
            // Products of numbers of 24 bits are exact in f64, and so nearly are their sums.
            let terms: Vec<f64> = match which {
                0 => (0..n).map(|j| values[o * n + j] * vector[j]).collect(),
                _ => (0..m).map(|i| values[i * n + o] * vector[i]).collect(),
            };
            let want: f64 = terms.iter().sum();
            let size: f64 = terms.iter().map(|t| t.abs()).sum();
            let error = (have.into() - want).abs();
            let isa = table.isa();
            assert!(error <= 8.0 * T::EPSILON * size, "{isa} {which} {m}x{n} at {o}: {error}");
        }
        if table.isa() != Isa::Portable {
            if let Some(seen) = &seen {
                let same = seen.iter().zip(&out).all(|(a, b)| a.bits() == b.bits());
                assert!(same, "{} {which} {m}x{n}", table.isa());
            }
            seen = Some(out);
        }
    }
}

#[test]
fn products_are_accurate_and_agree() {
    check::<f32>();
    check::<f64>();
}

fn long<T: Float>() {
    for (m, n) in [(1, 40_000), (3, 70_001), (40_000, 3), (9_000, 70)] {
        let values = numbers(m * n, 3);
        let vector = numbers(m.max(n), 4);
        let case = Case::<T>::new(m, n, 0, &values);
        let y: Vec<T> = vector.iter().map(|&v| T::of(v)).collect();
        check_one(&case, &values, &vector, &y, 0, m);
        check_one(&case, &values, &vector, &y, 1, n);
    }
}

#[test]
fn long_sums_are_as_good() {
    long::<f32>();
    long::<f64>();
}

/// Infinities and NaN go where they belong, and nowhere else.
fn special<T: Float>() {
    for table in tables() {
        for n in [3, 25, 70, 600] {
            for bad in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
                let m = 600;
                let mut values = vec![1.0; m * n];
                values[5 * n + 2] = bad;
                let case = Case::<T>::new(m, n, 0, &values);
                let y = vec![T::of(1.0); m];
                for (which, length, place, plain) in [(0, m, 5, n), (1, n, 2, m)] {
                    let out = case.run(T::kernels(table)[which], &y, length);
                    for (o, &have) in out.iter().enumerate() {
                        let want = if o == place { bad } else { plain as f64 };
                        assert_eq!(have.bits(), T::of(want).bits(), "{which} {n} at {o}");
                    }
                }
            }
        }
    }
}

#[test]
fn infinities_and_nan_stay_in_their_sums() {
    special::<f32>();
    special::<f64>();
}
