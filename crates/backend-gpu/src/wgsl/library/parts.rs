//! The phases of decompositions: their names in the templates, how many points they have, and how
//! often the loops of those go round. From that follows what a call costs before it is emitted.

use probpipe_lowering::View;
use probpipe_trace::op::Vectors;
use probpipe_trace::{ArrayType, DType, LinalgOp};

/// A stack of matrices.
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub batch: usize,
    pub m: usize,
    pub n: usize,
    /// Whether they are of double precision.
    pub double: bool,
}

impl Size {
    /// Of the last two axes.
    pub fn of(ty: &ArrayType) -> Size {
        let (rest, sides) = ty.shape.split_at(ty.rank() - 2);
        let double = ty.dtype == DType::F64;
        Size { batch: rest.iter().product(), m: sides[0], n: sides[1], double }
    }

    pub fn steps(self) -> usize {
        self.m.min(self.n)
    }
}

/// Rows of a chunk: products of columns are taken by so many rows at a time.
pub(super) const ROWS: usize = 32;

/// Chunks up to this number are taken together where they are needed; of more a phase between
/// makes one.
pub(super) const FEW: usize = 8;

/// Sides up to which one invocation may do the whole of a matrix.
pub(super) const SMALL: usize = 32;

/// A function, its points per matrix, and how often the loops of a point go round.
pub(super) type Phase = (&'static str, usize, usize);

/// Part of a plan.
pub(super) enum Part {
    Once(Phase),
    Repeat(usize, Vec<Phase>),
}

impl Part {
    pub fn phases(&self) -> (usize, &[Phase]) {
        match self {
            Part::Once(phase) => (1, std::slice::from_ref(phase)),
            Part::Repeat(length, phases) => (*length, phases),
        }
    }
}

/// What a plan costs.
#[derive(Clone, Copy, Default)]
pub(in super::super) struct Cost {
    /// How often the loops of an invocation go round, where so many share the work.
    pub rounds: usize,
    /// The points of the largest phase, with the rounds of each.
    pub work: usize,
}

impl Cost {
    /// Of a plan for a stack of matrices by `width` invocations, at most.
    pub(super) fn of(parts: &[Part], size: Size, width: usize) -> Cost {
        let mut rounds = rounds(parts, |points| (size.batch * points).div_ceil(width));
        if size.m.max(size.n) <= SMALL {
            rounds = rounds.max(size.batch.div_ceil(width).saturating_mul(rounds_alone(parts)));
        }
        let phases = parts.iter().flat_map(|part| part.phases().1);
        let work = phases.map(|(_, points, inner)| size.batch * points * (inner + 1));
        Cost { rounds, work: work.max().unwrap_or(0) }
    }

    pub(super) fn and(self, other: Cost) -> Cost {
        Cost { rounds: self.rounds + other.rounds, work: self.work.max(other.work) }
    }
}

/// Rounds of an invocation that does so many of the points of a phase.
fn rounds(parts: &[Part], share: impl Fn(usize) -> usize) -> usize {
    let of = |(length, phases): (usize, &[Phase])| {
        length * phases.iter().map(|p| share(p.1) * (p.2 + 1)).sum::<usize>()
    };
    parts.iter().map(Part::phases).map(of).sum()
}

/// Rounds of an invocation that goes through all phases of a matrix.
pub(super) fn rounds_alone(parts: &[Part]) -> usize {
    rounds(parts, |points| points)
}

pub(super) fn lu_parts(size: Size) -> Vec<Part> {
    let (whole, k, chunks) = (size.m * size.n, size.steps(), size.m.div_ceil(ROWS));
    let pivot = if chunks > FEW { 1 } else { 0 };
    let columns = vec![
        ("pp_lu_search", chunks, ROWS.min(size.m)),
        ("pp_lu_pivot", pivot, chunks),
        ("pp_lu_step", whole, chunks * (1 - pivot)),
    ];
    vec![
        Part::Once(("pp_lu_start", whole, 0)),
        Part::Repeat(k, columns),
        Part::Once(("pp_lu_finish", whole, 0)),
        Part::Once(("pp_lu_order", size.m, 0)),
        Part::Once(("pp_lu_permutation", 1, k)),
    ]
}

pub(super) fn qr_parts(size: Size, k: usize) -> Vec<Part> {
    let Size { m, n, .. } = size;
    let (count, chunks, rows) = (size.steps(), m.div_ceil(ROWS), ROWS.min(m));
    let (many, kept) = if chunks > FEW { (1, 1) } else { (0, chunks) };
    let columns = vec![
        ("pp_qr_dots", chunks * n, rows),
        ("pp_qr_sums", many * n, chunks),
        ("pp_qr_reflect", m * n, 2 * kept),
    ];
    let back = vec![
        ("pp_qr_back_dots", chunks * k, rows),
        ("pp_qr_back_sums", many * k, chunks),
        ("pp_qr_back", m * k, kept),
    ];
    vec![
        Part::Once(("pp_qr_largest", chunks * n, rows)),
        Part::Once(("pp_qr_powers", n, chunks)),
        Part::Once(("pp_qr_start", m * n, 0)),
        Part::Repeat(count, columns),
        Part::Once(("pp_qr_identity", m * k, 0)),
        Part::Repeat(count, back),
        Part::Once(("pp_qr_finish_q", m * k, n)),
        Part::Once(("pp_qr_finish_r", k * n, n)),
    ]
}

/// Places and rounds in which each of `n` meets each other, and how many sweeps of them it takes:
/// each squares the distance to the end once that is small, which larger matrices are later. Hard
/// ones (graded, of low rank, with clusters) of 2 to 128 rows took 1, 3, 5, 7, 9, 10 and 13 sweeps
/// in single precision.
pub(super) struct Rounds {
    pub half: usize,
    pub rounds: usize,
    pub length: usize,
}

impl Rounds {
    pub fn new(n: usize, double: bool) -> Rounds {
        let even = n.next_multiple_of(2).max(2);
        let sweeps = 4 + even.ilog2() as usize * 3 / 2 + if double { 2 } else { 0 };
        let length = if n < 2 { 0 } else { sweeps * (even - 1) };
        Rounds { half: even / 2, rounds: even - 1, length }
    }
}

pub(super) fn eigh_parts(Size { n, double, .. }: Size, vectors: bool) -> Vec<Part> {
    let Rounds { half, length, .. } = Rounds::new(n, double);
    let (own, columns) = if vectors { (n * half, n) } else { (0, 0) };
    vec![
        Part::Once(("pp_eigh_largest", n, n)),
        Part::Once(("pp_eigh_power", 1, n)),
        Part::Once(("pp_eigh_start", n * n, 0)),
        Part::Repeat(length, vec![("pp_eigh_round", half * half + own, 0)]),
        Part::Once(("pp_eigh_rest", n, n)),
        Part::Once(("pp_eigh_values", n, 2 * n)),
        Part::Once(("pp_eigh_vectors", columns, 4 * n)),
    ]
}

/// Up to the singular values, and with `sides` the left vectors that the matrix gives.
pub(super) fn svd_parts(Size { m, n, double, .. }: Size, sides: bool) -> Vec<Part> {
    let Rounds { half, rounds, length } = Rounds::new(n, double);
    let (chunks, rows) = (m.div_ceil(ROWS), ROWS.min(m));
    let (many, kept) = if chunks > FEW { (1, 1) } else { (0, chunks) };
    let products = [("pp_svd_dots", half * chunks, rows), ("pp_svd_sums", many * half, chunks)];
    let then = |phase: Phase| products.into_iter().chain([phase]).collect();
    let mut parts = vec![
        Part::Once(("pp_svd_largest", m, n)),
        Part::Once(("pp_svd_peaks", chunks, rows)),
        Part::Once(("pp_svd_power", 1, chunks)),
        Part::Once(("pp_svd_start", m * n, 0)),
        Part::Once(("pp_svd_identity", n * n, 0)),
        Part::Repeat(length, then(("pp_svd_turn", half * (m + n), kept))),
        Part::Once(("pp_svd_squares", n * chunks, rows)),
        Part::Once(("pp_svd_norms", n, chunks)),
        Part::Once(("pp_svd_values", n, n)),
    ];
    if sides {
        let checks = if n < 2 { 0 } else { rounds };
        parts.push(Part::Repeat(checks, then(("pp_svd_check", half, kept))));
        parts.push(Part::Once(("pp_svd_count", 1, n)));
        parts.push(Part::Once(("pp_svd_left", m * n, 0)));
    }
    parts
}

/// The vectors, of which `k` are left ones, as they go out.
pub(super) fn svd_side_parts(Size { m, n, .. }: Size, k: usize) -> Vec<Part> {
    let (chunks, rows) = (m.div_ceil(ROWS), ROWS.min(m));
    vec![
        Part::Once(("pp_svd_tops", k * chunks, rows)),
        Part::Once(("pp_svd_signs", k, 2 * chunks + rows + 2 * n)),
        Part::Once(("pp_svd_finish_left", k * m, 0)),
        Part::Once(("pp_svd_finish_right", n * n, 0)),
    ]
}

/// What decompositions cost by `width` invocations.
pub(in super::super) fn cost(
    op: LinalgOp,
    inputs: &[(View, ArrayType)],
    outputs: &[(View, ArrayType)],
    width: usize,
) -> Cost {
    let size = Size::of(&inputs[0].1);
    let Size { m, n, .. } = size;
    let of = |parts: Vec<Part>| Cost::of(&parts, size, width);
    match op {
        LinalgOp::Lu => of(lu_parts(size)),
        LinalgOp::LuDet => of(vec![Part::Once(("", 1, 3 * n))]),
        LinalgOp::LuSolve { .. } => {
            let columns = Size::of(&inputs[3].1).n;
            of(vec![Part::Once(("", columns, n * n)), Part::Once(("", n * columns, n))])
        }
        LinalgOp::Qr { .. } => of(qr_parts(size, Size::of(&outputs[0].1).n)),
        LinalgOp::Eigh { vectors } => of(eigh_parts(size, vectors)),
        LinalgOp::Svd { vectors } => {
            let tall = Size { m: m.max(n), n: m.min(n), ..size };
            let k = if vectors == Vectors::Full { tall.m } else { tall.n };
            let sides = vectors != Vectors::None;
            let of = |parts: Vec<Part>| Cost::of(&parts, tall, width);
            let values = of(svd_parts(tall, sides));
            if !sides {
                return values;
            }
            let basis = of(qr_parts(tall, k));
            values.and(basis).and(of(svd_side_parts(tall, k)))
        }
        // Calls of their own.
        LinalgOp::Cholesky | LinalgOp::TriangularSolve { .. } => Cost::default(),
    }
}
