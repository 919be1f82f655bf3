//! Products of arrays made of `dot_general`: over chosen axes, of vectors, of several matrices.

use crate::array::each::named;
use crate::array::make::fill::zeros_like;
use crate::array::shape::join::{concat, stack};
use crate::context::here;
use crate::error::{Error, ErrorKind};
use crate::handle::Array;
use crate::op::structural::DotAxes;

impl Array {
    /// The product that sums over pairs of axes, one of each array, counted from 0.
    #[track_caller]
    pub fn tensordot(&self, other: impl Into<Array>, axes: &[(usize, usize)]) -> Array {
        let other = &other.into();
        let (lhs_contract, rhs_contract) = axes.iter().copied().unzip();
        self.dot_general(other, DotAxes { lhs_contract, rhs_contract, ..DotAxes::default() })
    }

    /// The product over the last axes of both.
    #[track_caller]
    pub fn inner(&self, other: impl Into<Array>) -> Array {
        let other = &other.into();
        match (self.rank().checked_sub(1), other.rank().checked_sub(1)) {
            (Some(last), Some(other_last)) => {
                named("inner", &[self, other], self.tensordot(other, &[(last, other_last)]))
            }
            _ => self * other,
        }
    }

    /// The sum of the products of all elements.
    #[track_caller]
    pub fn vdot(&self, other: impl Into<Array>) -> Array {
        let other = &other.into();
        named("vdot", &[self, other], self.flatten().dot(other.flatten()))
    }

    /// Every element of `self` times the whole of `other`, as blocks of one array. Both have
    /// equally many axes.
    #[track_caller]
    pub fn kron(&self, other: impl Into<Array>) -> Array {
        let other = &other.into();
        if self.rank() != other.rank() {
            return match self.error().or(other.error()) {
                Some(error) => Array::invalid(error.clone(), here()),
                None => Array::invalid(
                    Error::new(
                        ErrorKind::Shape,
                        format!(
                            "`kron` takes arrays of equally many axes, not {} and {}",
                            self.rank(),
                            other.rank()
                        ),
                    )
                    .help("add axes of extent 1 with `expand_dims`"),
                    here(),
                ),
            };
        }
        // Axes of both in turn: [a0, 1, a1, 1, ...] times [1, b0, 1, b1, ...].
        let spread = |shape: &[usize], first: bool| -> Vec<usize> {
            shape.iter().flat_map(|&n| if first { [n, 1] } else { [1, n] }).collect()
        };
        let joined: Vec<usize> =
            self.shape().iter().zip(other.shape()).map(|(a, b)| a * b).collect();
        let left = self.reshape(&spread(self.shape(), true)[..]);
        let right = other.reshape(&spread(other.shape(), false)[..]);
        named("kron", &[self, other], (left * right).reshape(&joined[..]))
    }

    /// The vector product along the last axis, of extent 3.
    #[track_caller]
    pub fn cross(&self, other: impl Into<Array>) -> Array {
        let other = &other.into();
        for x in [self, other] {
            let extent = x.shape().last().copied().unwrap_or(0);
            if x.error().is_none() && extent != 3 {
                let error = Error::new(
                    ErrorKind::Shape,
                    format!("`cross` takes vectors of 3 along the last axis, not of {extent}"),
                )
                .help("give an array whose last axis has 3 entries");
                return Array::invalid(error, here());
            }
        }
        // Component i is a[i+1] b[i+2] - a[i+2] b[i+1], counted in a ring.
        let mut parts = Vec::with_capacity(3);
        for (i, j) in [(1, 2), (2, 0), (0, 1)] {
            let (forth, back) = (self.at_axis(-1, i), self.at_axis(-1, j));
            parts.push(forth * other.at_axis(-1, j) - back * other.at_axis(-1, i));
        }
        stack(&parts, -1)
    }
}

/// The product of several matrices, in the order of multiplication that takes the fewest steps.
#[track_caller]
#[doc(alias = "linalg.multi_dot")]
pub fn multi_dot(matrices: impl IntoIterator<Item = impl Into<Array>>) -> Array {
    let mut list = Vec::new();
    for matrix in matrices {
        list.push(matrix.into());
    }
    chain(&list)
}

#[track_caller]
fn chain(matrices: &[Array]) -> Array {
    let extents = |m: &Array| (m.shape().first().copied(), m.shape().last().copied());
    match matrices {
        [] => {
            let error = Error::new(ErrorKind::Shape, "`multi_dot` needs a matrix");
            Array::invalid(error.help("give at least one"), here())
        }
        [one] => one.clone(),
        [a, b] => a.dot(b),
        _ => {
            // The cheapest neighbours first: not always optimal, always close for short chains.
            let cost = |pair: &[Array]| {
                let ((m, k), (_, n)) = (extents(&pair[0]), extents(&pair[1]));
                m.unwrap_or(1) * k.unwrap_or(1) * n.unwrap_or(1)
            };
            let costs: Vec<usize> = matrices.windows(2).map(cost).collect();
            let least = costs.iter().enumerate().min_by_key(|(_, c)| **c).map_or(0, |(i, _)| i);
            let mut rest = matrices.to_vec();
            let right = rest.remove(least + 1);
            rest[least] = rest[least].dot(&right);
            chain(&rest)
        }
    }
}

/// The discrete convolution of two vectors, of extent `m + n - 1`.
#[track_caller]
pub fn convolve(a: impl Into<Array>, b: impl Into<Array>) -> Array {
    let (a, b) = (a.into().flatten(), b.into().flatten());
    let (long, short) = if a.size() >= b.size() { (a, b) } else { (b, a) };
    let (n, m) = (long.size(), short.size());
    if m == 0 {
        return concat(&[long, short], 0);
    }
    // One shifted copy of the longer vector for every element of the shorter.
    let mut sum = zeros_like(&long).pad([0], [m - 1], 0.0);
    for i in 0..m {
        sum += (&long * short.at(i as isize)).pad([i], [m - 1 - i], 0.0);
    }
    sum.slice_axis(0, 0..n + m - 1)
}
