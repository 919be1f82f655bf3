//! Parts of a normal vector: the distribution of some of its entries, and that of the others where
//! some are known. Both are normal; their factors come from an orthogonal reduction of rows of the
//! factor of the whole, which no covariance is formed and no digits are lost for.

use super::factors::whitened;
use super::normal::MultivariateNormal;
use crate::distributions::Distribution;
use probpipe_trace::{Array, Error, ErrorKind, Result, ShapeDisplay, here, select, with_location};

impl MultivariateNormal {
    /// The distribution of the entries at these places, in their order.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let mvn = MultivariateNormal::new([0.0, 1.0, 2.0], eye(3) + 0.5);
    /// let pair = mvn.marginal_at([2, 0]);
    /// assert_eq!(pair.mean().to_vec::<f32>()?, [2.0, 0.0]);
    /// assert!((pair.covariance().index((0, 1)).item::<f32>()? - 0.5).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    ///
    /// A place that there is not, one that comes twice, or none make it invalid.
    #[track_caller]
    pub fn marginal_at(&self, indices: impl AsRef<[usize]>) -> MultivariateNormal {
        with_location(here(), || {
            let indices = indices.as_ref();
            if let Err(error) = self.places(indices, 0) {
                return invalid(error);
            }
            let [loc, factor] = self.parts();
            let at = list(indices);
            MultivariateNormal::from_scale_tril(loc.take(&at, -1), reduced(&factor.take(at, -2)))
        })
    }

    /// The distribution of the entries at all other places, in order, where those at these places
    /// have the given values `[.., k]`: of mean `m_b + S_ba S_aa^-1 (x - m_a)` and covariance
    /// `S_bb - S_ba S_aa^-1 S_ab`. Axes in front of the values become batch axes.
    ///
    /// ```
    /// use probpipe::prelude::*;
    /// let mvn = MultivariateNormal::new([0.0, 0.0], [[1.0, 0.8], [0.8, 1.0]]);
    /// let rest = mvn.conditional([0], [1.0]);
    /// assert!((rest.mean().at(0).item::<f32>()? - 0.8).abs() < 1e-6);
    /// assert!((rest.variance().at(0).item::<f32>()? - 0.36).abs() < 1e-6);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    ///
    /// A place that there is not, one that comes twice, none or all of them, and values that are
    /// not as many, make it invalid.
    #[track_caller]
    pub fn conditional(
        &self,
        indices: impl AsRef<[usize]>,
        values: impl Into<Array>,
    ) -> MultivariateNormal {
        with_location(here(), || {
            let (indices, values) = (indices.as_ref(), values.into());
            let fits = || {
                self.places(indices, 1)?;
                let shape = &values.ty()?.shape;
                if shape.last() == Some(&indices.len()) {
                    return Ok(());
                }
                let message = format!(
                    "values of shape {} for {} entries of a MultivariateNormal",
                    ShapeDisplay(shape),
                    indices.len()
                );
                Err(Error::new(ErrorKind::Shape, message)
                    .at(here())
                    .note("the values were made", Some(values.location()))
                    .help("the last axis holds a value for each place"))
            };
            if let Err(error) = fits() {
                return invalid(error);
            }
            let [loc, factor] = self.parts();
            let (k, d) = (indices.len(), self.event_shape()[0]);
            let others: Vec<usize> = (0..d).filter(|i| !indices.contains(i)).collect();
            let (given, rest) = (list(indices), list(&others));
            let order: Vec<usize> = indices.iter().chain(&others).copied().collect();
            // Of the places in the order (given, rest): [[A, 0], [B, C]].
            let whole = reduced(&factor.take(list(&order), -2));
            let rows = |from: usize, to: usize| whole.slice_axis(-2, from..to);
            let a = rows(0, k).slice_axis(-1, 0..k);
            let (b, c) = (rows(k, d).slice_axis(-1, 0..k), rows(k, d).slice_axis(-1, k..d));
            let z = whitened(&a, &(values - loc.take(given, -1)));
            let moved = b.matmul(z.expand_dims(-1)).squeeze(-1);
            MultivariateNormal::from_scale_tril(loc.take(rest, -1) + moved, c)
        })
    }

    /// Fails where places are not different ones of those that there are, or do not leave `left`.
    #[track_caller]
    fn places(&self, indices: &[usize], left: usize) -> Result<()> {
        if let Some(error) = self.loc().error().or(self.scale_tril().error()) {
            return Err(error.clone());
        }
        let d = self.event_shape()[0];
        let twice = indices.iter().enumerate().find(|(k, i)| indices[..*k].contains(i));
        let beyond = indices.iter().find(|&&i| i >= d);
        let message = match (twice, beyond) {
            (_, Some(i)) => format!("a MultivariateNormal of {d} entries has none at {i}"),
            (Some((_, i)), _) => format!("the entry at {i} of a MultivariateNormal comes twice"),
            _ if indices.is_empty() => "no entries of a MultivariateNormal are named".into(),
            _ if indices.len() + left > d => {
                "all entries of a MultivariateNormal are given, and none is left".into()
            }
            _ => return Ok(()),
        };
        Err(Error::new(ErrorKind::Axis, message)
            .at(here())
            .help(format!("name different places from 0 to {}", d.saturating_sub(1))))
    }
}

#[track_caller]
fn invalid(error: Error) -> MultivariateNormal {
    let wrong = Array::invalid(error, here());
    MultivariateNormal::from_scale_tril(&wrong, &wrong)
}

#[track_caller]
fn list(places: &[usize]) -> Array {
    let places: Vec<i32> = places.iter().map(|&i| i as i32).collect();
    Array::from_slice(&places, [places.len()])
}

/// The lower factor of `rows rows'`: with `rows' = Q R` of orthogonal `Q` it is `R'`, up to signs.
#[track_caller]
pub(super) fn reduced(rows: &Array) -> Array {
    let (_, upper) = rows.swap_axes(-1, -2).qr();
    let factor = upper.swap_axes(-1, -2);
    let sign = select(&factor.diagonal().lt(0.0), -1.0, 1.0).expand_dims(-2);
    (factor * sign).tril()
}
