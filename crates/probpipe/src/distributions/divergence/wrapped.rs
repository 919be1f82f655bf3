//! Divergences of distributions that are made of others, from those of these, and of a known number
//! from anything.

use super::vectors::other_event;
use crate::bijectors::Bijector;
use crate::distributions::{
    Delta, Distribution, Entropy, Expanded, KlDivergence, LogProb, Masked, Support, Transformed,
};
use probpipe_trace::{Array, Error, ErrorKind, Flat, Tree, broadcast_shapes, here, select};

impl<Q: LogProb<Value = Array>> KlDivergence<Q> for Delta {
    /// How much denser it is at its number.
    fn kl_divergence(&self, q: &Q) -> Array {
        -self.entropy() - q.log_prob(self.v())
    }
}

impl<P, Q, B> KlDivergence<Transformed<Q, B>> for Transformed<P, B>
where
    P: KlDivergence<Q> + Support<Value = Array>,
    Q: Support<Value = Array>,
    B: Bijector + Tree,
{
    /// That of the bases: what a bijector does to both densities is the same. It must be the same
    /// one, with parameters that are known to be equal or are the same arrays.
    fn kl_divergence(&self, q: &Transformed<Q, B>) -> Array {
        if let Some(error) = other_event(self, q) {
            return error;
        }
        if !same(self.bijector(), q.bijector()) {
            let message = "the bijectors of two Transformed are not known to be the same";
            let error = Error::new(ErrorKind::Value, message)
                .help("estimate it from draws with `kl_monte_carlo(&p, &q, key, draws)`");
            return Array::invalid(error, here());
        }
        let each = self.base().kl_divergence(q.base());
        // Batch axes of the base that are a part of an event here.
        let batch = broadcast_shapes(&self.base().batch_shape(), &q.base().batch_shape());
        let lead = broadcast_shapes(&self.batch_shape(), &q.batch_shape());
        let (Some(batch), Some(lead)) = (batch, lead) else { return each };
        if each.error().is_some() || batch.len() <= lead.len() {
            return each;
        }
        let axes: Vec<isize> = (1..=(batch.len() - lead.len()) as isize).map(|a| -a).collect();
        each.broadcast_to(batch).sum_axes(axes)
    }
}

/// Whether two trees are of one structure and of arrays that are the same, or known and equal.
fn same<T: Tree>(a: &T, b: &T) -> bool {
    let (a, b) = (Flat::of(a), Flat::of(b));
    let equal = |(a, b): (&Array, &Array)| {
        let numbers = |x: &Array| x.known().and_then(|x| x.to_scalars().ok());
        a.is_same(b) || a.shape() == b.shape() && numbers(a).is_some_and(|x| numbers(b) == Some(x))
    };
    a.structure == b.structure && a.leaves.iter().zip(&b.leaves).all(equal)
}

impl<P, Q> KlDivergence<Masked<Q>> for Masked<P>
where
    P: KlDivergence<Q> + Distribution<Value = Array>,
    Q: Distribution<Value = Array>,
{
    /// 0 where either mask is `false`.
    fn kl_divergence(&self, q: &Masked<Q>) -> Array {
        let each = self.base().kl_divergence(q.base());
        select(&(self.mask() & q.mask()), each, 0.0)
    }
}

impl<P, Q> KlDivergence<Expanded<Q>> for Expanded<P>
where
    P: KlDivergence<Q> + Distribution<Value = Array>,
    Q: Distribution<Value = Array>,
{
    /// That of the bases, for every copy.
    fn kl_divergence(&self, q: &Expanded<Q>) -> Array {
        let each = self.base().kl_divergence(q.base());
        let batch = broadcast_shapes(&self.batch_shape(), &q.batch_shape());
        match batch.and_then(|batch| broadcast_shapes(&batch, each.shape())) {
            Some(shape) if each.error().is_none() => each.broadcast_to(shape),
            _ => each,
        }
    }
}
