//! Subsets whose members repel each other.

use crate::constraints::Constraint;
use crate::distributions::declaration::family;
use crate::distributions::events::Seen;
use crate::distributions::shapes::join;
use crate::distributions::{Covariance, Distribution, LogProb, Moments, Sample};
use crate::random::{gumbel_of, uniform_of};
use probpipe_trace::{Array, DType, Key, Shape, arange, eye_of, here, scan, select, with_location};

/// All subsets of at most so many things are listed.
const LISTED: usize = 16;

family! {
    /// The determinantal point process on the subsets of `n` things: in proportion to the
    /// determinant of the kernel `L = V diag(eigenvalues) V'` at the rows and columns of the
    /// things in the subset (A. Kulesza, B. Taskar, "Determinantal point processes for machine
    /// learning", 2012). A subset is a vector of `n` zeros and ones.
    ///
    /// The eigenvalues and eigenvectors of a kernel are what [`Array::eigh`] gives. A subset whose
    /// determinant is zero to rounding has no probability. Draws are floats, and not
    /// differentiable; moments are exact, and the probabilities of all subsets of up to 16 things
    /// are what [`Sample::enumerate`] gives.
    ///
    /// ```
    /// use probpipe::distributions::DeterminantalPointProcess;
    /// use probpipe::prelude::*;
    /// // Two things that are nearly the same: one of them comes, or the other.
    /// let (values, vectors) = array([[1.0, 0.9], [0.9, 1.0]]).eigh();
    /// let d = DeterminantalPointProcess::new(values, vectors);
    /// let probs = d.prob(&array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]));
    /// // 1, 1, 1 and 0.19 of all
    /// assert!((probs * 3.19 - array([1.0, 1.0, 1.0, 0.19])).abs().max().item::<f32>()? < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    DeterminantalPointProcess::new {
        /// The eigenvalues of the kernel, `[..., n]`.
        eigenvalues: NonNegativeVector,
        /// Its eigenvectors, as columns, `[..., n, n]`.
        eigenvectors: OrthogonalMatrix,
    }
    on BooleanVector
}

impl DeterminantalPointProcess {
    fn size(&self) -> usize {
        self.eigenvalues().shape().last().copied().unwrap_or(0)
    }

    /// The matrix of these eigenvalues.
    #[track_caller]
    fn matrix(&self, values: &Array) -> Array {
        let [_, vectors] = self.checked();
        (&vectors * values.expand_dims(-2)).matmul(vectors.swap_axes(-1, -2))
    }

    /// What becomes of each eigenvalue where eigenvectors are chosen with the odds that they are.
    #[track_caller]
    fn chances(&self) -> [Array; 2] {
        let [values, _] = self.checked();
        let rest = (&values + 1.0).recip();
        [values * &rest, rest]
    }
}

impl LogProb for DeterminantalPointProcess {
    /// `log det(L_S) - sum log(1 + eigenvalue)`, the first of the kernel in which the rows and
    /// columns of all other things are those of the unit matrix.
    fn log_prob(&self, x: &Array) -> Array {
        let [values, vectors] = self.checked();
        if let Some(error) = values.error().or(vectors.error()).or(x.error()) {
            return Array::invalid(error.clone(), here());
        }
        let x = &x.cast(self.dtype());
        let seen = Seen::new(&Constraint::BooleanVector, x, &0.0.into());
        let n = self.size();
        let unit = eye_of(self.dtype(), n);
        let (row, column) = (seen.at.expand_dims(-2), seen.at.expand_dims(-1));
        let kernel = self.matrix(&values) * (row * &column) + &unit * (1.0 - column);
        // A pivot that is the rounding of what it is left of stands for zero.
        let fixed = kernel.stop_gradient();
        let epsilon = if self.dtype() == DType::F64 { f64::EPSILON } else { f32::EPSILON.into() };
        let least = fixed.diagonal() * (4.0 * n as f64 * epsilon);
        let full = fixed.cholesky().diagonal().square().gt(least).all_axes([-1]);
        // More things than eigenvalues above zero.
        let rank = values.gt(0.0).cast(self.dtype()).sum_axes([-1]);
        let full = full & seen.at.sum_axes([-1]).le(rank);
        let whole = full.expand_dims(-1).expand_dims(-1);
        let factor = select(&whole, kernel, unit).cholesky();
        let determinant = factor.diagonal().log().sum_axes([-1]) * 2.0;
        let value = select(&full, determinant, f64::NEG_INFINITY);
        seen.density(value - values.log1p().sum_axes([-1]))
    }
}

impl Sample for DeterminantalPointProcess {
    /// Eigenvectors are chosen with the odds of their eigenvalues; then as many things, one after
    /// the other, in proportion to their lengths in the space that these span and that the things
    /// before are taken out of (J. B. Hough, M. Krishnapur, Y. Peres, B. Virág, "Determinantal
    /// processes and independence", 2006).
    fn sample_shape(&self, key: Key, shape: Shape) -> Array {
        let [values, vectors] = self.checked();
        if let Some(error) = values.error().or(vectors.error()) {
            return Array::invalid(error.clone(), here());
        }
        let (dtype, n) = (self.dtype(), self.size());
        let shape = join(&join(&shape, &self.batch_shape()), &[n]);
        let (first, second) = key.split();
        let [chance, _] = self.chances();
        let chosen = uniform_of(dtype, first, &shape).lt(chance.stop_gradient()).cast(dtype);
        let space = vectors.stop_gradient() * chosen.expand_dims(-2);
        let space = space.matmul(space.swap_axes(-1, -2));
        let count = chosen.sum_axes([-1]);
        let noise = gumbel_of(dtype, second, join(&[n], &shape));
        let places = arange(n);
        let step = |(space, drawn): (Array, Array), (noise, k): (Array, Array)| {
            let length = space.diagonal();
            let open = length.gt(0.0) & drawn.eq(0.0);
            let log = select(&open, select(&open, length, 1.0).log() + noise, f64::NEG_INFINITY);
            let one = log.argmax(-1).expand_dims(-1).eq(&places) & &open;
            let one = one & k.cast(dtype).lt(&count).expand_dims(-1);
            let one = one.cast(dtype);
            let column = (&space * one.expand_dims(-2)).sum_axes([-1]);
            let pivot = (&column * &one).sum_axes([-1]).expand_dims(-1);
            let pivot = select(&pivot.gt(0.0), &pivot, 1.0);
            let outer = column.expand_dims(-1) * (&column / pivot).expand_dims(-2);
            ((space - outer, drawn + one), ())
        };
        let start = (space, &chosen * 0.0);
        let ((_, drawn), ()) = scan(start, (noise, arange(n)), step);
        drawn
    }

    fn enumerate(&self) -> Option<(Array, Array)> {
        let n = self.size();
        if n > LISTED || self.checked().iter().any(|p| p.error().is_some()) {
            return None;
        }
        let bits: Vec<f32> =
            (0..1usize << n).flat_map(|set| (0..n).map(move |k| (set >> k & 1) as f32)).collect();
        let batch = self.batch_shape();
        let all = Array::from_slice(&bits, [1 << n, n]).cast(self.dtype());
        let ones = vec![1; batch.len()];
        let all = all.reshape(join(&join(&[1 << n], &ones), &[n]));
        let all = all.broadcast_to(join(&join(&[1 << n], &batch), &[n]));
        let probs = self.prob(&all);
        Some((all, probs))
    }
}

impl Moments for DeterminantalPointProcess {
    /// The probability that each thing is in the subset: the diagonal of `L (L + I)^-1`.
    fn mean(&self) -> Array {
        let [_, vectors] = self.checked();
        let [chance, _] = self.chances();
        self.shaped((vectors.square() * chance.expand_dims(-2)).sum_axes([-1]), &[self.size()])
    }

    fn variance(&self) -> Array {
        let [_, vectors] = self.checked();
        let square = vectors.square();
        let part = |chance: &Array| (&square * chance.expand_dims(-2)).sum_axes([-1]);
        let [chance, rest] = self.chances();
        self.shaped(part(&chance) * part(&rest), &[self.size()])
    }
}

impl Covariance for DeterminantalPointProcess {
    /// Beside the diagonal minus the squares of the entries of `L (L + I)^-1`.
    fn cov(&self) -> Array {
        with_location(here(), || {
            let [chance, _] = self.chances();
            if chance.error().is_some() {
                return chance;
            }
            let n = self.size();
            let unit = eye_of(self.dtype(), n);
            let apart = self.matrix(&chance).square() * (1.0 - &unit);
            self.shaped(self.variance().expand_dims(-1) * unit - apart, &[n, n])
        })
    }
}
