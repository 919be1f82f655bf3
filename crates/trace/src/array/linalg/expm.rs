//! The exponential of matrices.

use crate::array::elementwise::arithmetic::{like, select};
use crate::array::linalg::factors::identity;
use crate::control::scan::fori_loop;
use crate::dtype::DType;
use crate::handle::Array;

/// Coefficients of the Padé approximant of order 13 (Higham 2005, equation 2.2).
const PADE: [f64; 14] = [
    64764752532480000.0,
    32382376266240000.0,
    7771770303897600.0,
    1187353796428800.0,
    129060195264000.0,
    10559470521600.0,
    670442572800.0,
    33522128640.0,
    1323241920.0,
    40840800.0,
    960960.0,
    16380.0,
    182.0,
    1.0,
];

/// Up to this 1-norm the approximant is right to a unit of rounding of `f64` (Higham 2005, table
/// 2.3).
const RADIUS: f64 = 5.371920351148152;

/// Most squarings, as in `jax.scipy.linalg.expm`.
const SQUARINGS: usize = 16;

impl Array {
    /// The matrix exponential of square matrices, by scaling and squaring with the Padé approximant
    /// of order 13 (Higham, "The scaling and squaring method for the matrix exponential revisited",
    /// 2005). NaN for a matrix whose 1-norm is above 352,000, which 16 squarings do not reach.
    ///
    /// ```
    /// use probpipe_trace::array;
    /// let turn = array([[0.0, -1.0], [1.0, 0.0]]).expm();
    /// let expected = [1f32.cos(), -1f32.sin(), 1f32.sin(), 1f32.cos()];
    /// let close = |(x, y): (f32, f32)| (x - y).abs() < 1e-6;
    /// assert!(turn.to_vec::<f32>()?.into_iter().zip(expected).all(close));
    /// # Ok::<(), probpipe_trace::Error>(())
    /// ```
    #[track_caller]
    pub fn expm(&self) -> Array {
        if let Some(refused) = self.refused("expm", true) {
            return refused;
        }
        let n = self.shape()[self.rank() - 1];
        if n == 0 {
            return self.clone();
        }
        // How often to halve: the norm is compared with radii that double. Powers of two are
        // exact, and comparisons have no derivative.
        let norm = self.abs().sum_axes([-2]).max_axes([-1]).stop_gradient();
        let radii: Vec<f64> = (0..=SQUARINGS).map(|i| RADIUS * f64::from(1u32 << i)).collect();
        let radii = Array::from_slice(&radii, [SQUARINGS + 1]).cast(norm.dtype());
        let above = norm.decided().expand_dims(-1).gt(&radii);
        let halvings = above.slice_axis(-1, 0..SQUARINGS);
        let scale = select(&halvings, like(self, 0.5), like(self, 1.0)).prod_axes([-1]);
        let count = halvings.cast(DType::I32).sum_axes([-1]);
        let per_matrix = |x: &Array| x.expand_dims(-1).expand_dims(-1);

        let result = pade(&(self * per_matrix(&scale)), n);
        let count = per_matrix(&count);
        let squared = fori_loop(SQUARINGS, result, |i, r: Array| {
            let wanted = count.gt(i).broadcast_to(r.shape());
            select(&wanted, r.matmul(&r), &r)
        });
        let out_of_reach = per_matrix(&above.at_axis(-1, SQUARINGS as isize));
        select(&out_of_reach.broadcast_to(self.shape()), like(self, f64::NAN), squared)
    }
}

/// `(V - U)^-1 (V + U)` with the odd part `U` and the even part `V` of the approximant.
#[track_caller]
fn pade(a: &Array, n: usize) -> Array {
    let eye = identity(a, n);
    let a2 = a.matmul(a);
    let a4 = a2.matmul(&a2);
    let a6 = a4.matmul(&a2);
    let sum = |c6: usize, c4: usize, c2: usize| &a6 * PADE[c6] + &a4 * PADE[c4] + &a2 * PADE[c2];
    let u = a.matmul(&(a6.matmul(&sum(13, 11, 9)) + sum(7, 5, 3) + &eye * PADE[1]));
    let v = a6.matmul(&sum(12, 10, 8)) + sum(6, 4, 2) + &eye * PADE[0];
    (&v - &u).solve(&(v + u))
}
