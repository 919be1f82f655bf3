//! Divergences of distributions that are made of others, from those of these, and of a known number
//! from anything.

use crate::distributions::{Delta, Distribution, Entropy, Expanded, KlDivergence, LogProb, Masked};
use probpipe_trace::{Array, broadcast_shapes, select};

impl<Q: LogProb<Value = Array>> KlDivergence<Q> for Delta {
    /// How much denser it is at its number.
    fn kl_divergence(&self, q: &Q) -> Array {
        -self.entropy() - q.log_prob(self.v())
    }
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
